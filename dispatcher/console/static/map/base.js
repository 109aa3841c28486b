/** What stands still on the map: areas by zone, lanes, lifts, spots, air. */

import { areaOf } from "./geometry.js";
import { colours, hatch } from "./theme.js";

/**
 * @typedef {{scale: number, x0: number, y0: number, width: number, height: number}} View
 * Site metres to pixels: `x0 + x * scale`, `y0 - y * scale`.
 */

const KIND_ORDER = ["yard", "street", "building", "corridor", "room", "lift"];

/** @param {View} view @param {number} x @param {number} y @returns {[number, number]} */
export function toPixels(view, x, y) {
  return [view.x0 + x * view.scale, view.y0 - y * view.scale];
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {View} view
 * @param {import("../types.js").Site} site
 * @param {import("../types.js").Level} level
 */
export function drawBase(context, view, site, level) {
  if (isGround(site, level)) drawAir(context, view, site.airspaces);
  const areas = ordered(site.areas.filter((each) => each.level === level.id));
  for (const area of areas) drawArea(context, view, area);
  drawLanes(context, view, site.lanes.filter((each) => each.level === level.id && !each.lift));
  for (const lift of site.lifts) {
    const cabin = lift.cabins[level.id];
    if (cabin) drawLift(context, view, cabin);
  }
  for (const place of site.places) if (place.level === level.id) drawSpot(context, view, place);
}

/** Whether a level is the ground that drones fly over: the lowest one outdoors. @param {import("../types.js").Site} site @param {import("../types.js").Level} level */
export function isGround(site, level) {
  return level.outdoors && !site.levels.some((each) => each.outdoors && each.elevation_m < level.elevation_m);
}

/** The level that drones fly over, if the site shows one. @param {import("../types.js").Site|null} site */
export function groundOf(site) {
  return site?.levels.find((level) => isGround(site, level))?.id ?? null;
}

/** Large ones first, and what lies on the ground before what stands on it. @param {import("../types.js").Area[]} areas */
function ordered(areas) {
  const rank = (area) => KIND_ORDER.indexOf(area.kind);
  return areas.sort((a, b) => rank(a) - rank(b) || areaOf(b.outline) - areaOf(a.outline));
}

/** @param {CanvasRenderingContext2D} context @param {View} view @param {Array<[number, number]>} outline */
function trace(context, view, outline) {
  outline.forEach(([x, y], i) => {
    const [px, py] = toPixels(view, x, y);
    if (i) context.lineTo(px, py);
    else context.moveTo(px, py);
  });
  context.closePath();
}

/** @param {CanvasRenderingContext2D} context @param {View} view @param {import("../types.js").Area} area */
function drawArea(context, view, area) {
  const theme = colours();
  const zone = ["semi", "contaminated"].includes(area.zone) ? area.zone : "clean";
  const plain = zone === "clean" && ["room", "building", "lift"].includes(area.kind);
  context.beginPath();
  trace(context, view, area.outline);
  context.fillStyle = plain ? theme.panel : theme[`zone-${zone}`];
  context.fill();
  if (zone === "contaminated") {
    context.fillStyle = hatch(context, theme["zone-contaminated-line"], view.x0, view.y0);
    context.globalAlpha = 0.55;
    context.fill();
    context.globalAlpha = 1;
  }
  context.strokeStyle = theme[`zone-${zone}-line`];
  context.lineWidth = area.kind === "building" ? 1.5 : 1;
  context.stroke();
}

/** @param {CanvasRenderingContext2D} context @param {View} view @param {import("../types.js").Lane[]} lanes */
function drawLanes(context, view, lanes) {
  context.strokeStyle = colours().mute;
  context.globalAlpha = 0.2;
  context.lineWidth = 1;
  context.beginPath();
  for (const lane of lanes) {
    const [[x0, y0], [x1, y1]] = [toPixels(view, ...lane.a), toPixels(view, ...lane.b)];
    for (const [x, y] of besides(lane, [x1 - x0, y1 - y0], view.scale)) {
      context.moveTo(x0 + x, y0 + y);
      context.lineTo(x1 + x, y1 + y);
    }
  }
  context.stroke();
  context.globalAlpha = 1;
}

/** How far beside its middle a lane is drawn: a passing lane as its two halves, in pixels.
 * @param {import("../types.js").Lane} lane @param {[number, number]} along @param {number} scale
 * @returns {[number, number][]} */
function besides(lane, [x, y], scale) {
  const aside = (lane.width_m * scale) / 4 / Math.max(Math.hypot(x, y), 1e-9);
  return lane.passing ? [[y * aside, -x * aside], [-y * aside, x * aside]] : [[0, 0]];
}

/** Half the side of a lift's box, in pixels. @param {View} view */
export function liftHalf(view) {
  return Math.max(9, Math.min(20, 1.3 * view.scale));
}

/** @param {CanvasRenderingContext2D} context @param {View} view @param {[number, number]} at */
function drawLift(context, view, at) {
  const theme = colours();
  const [x, y] = toPixels(view, ...at);
  const half = liftHalf(view);
  context.fillStyle = theme.panel;
  context.strokeStyle = theme.idle;
  context.lineWidth = 1.2;
  context.beginPath();
  context.rect(x - half, y - half, 2 * half, 2 * half);
  context.fill();
  context.stroke();
  context.globalAlpha = 0.35;
  context.beginPath();
  context.moveTo(x, y - half);
  context.lineTo(x, y + half);
  context.stroke();
  context.globalAlpha = 1;
}

/** A small sign for what a place offers to vehicles. @param {CanvasRenderingContext2D} context @param {View} view @param {import("../types.js").Place} place */
function drawSpot(context, view, place) {
  const theme = colours();
  const [x, y] = toPixels(view, place.x_m, place.y_m);
  context.strokeStyle = theme.idle;
  context.fillStyle = theme.idle;
  context.lineWidth = 1;
  context.globalAlpha = 0.7;
  context.beginPath();
  if (place.roles.includes("pad")) {
    context.arc(x, y, 8, 0, 2 * Math.PI);
    context.moveTo(x - 3, y);
    context.lineTo(x + 3, y);
    context.moveTo(x, y - 3);
    context.lineTo(x, y + 3);
    context.stroke();
  } else if (place.roles.includes("decontamination")) {
    const diamond = [[0, -7], [7, 0], [0, 7], [-7, 0]];
    diamond.forEach(([dx, dy]) => context.lineTo(x + dx, y + dy));
    context.closePath();
    context.stroke();
  } else if (place.roles.includes("charger") || place.roles.includes("parking")) {
    context.rect(x - 6, y - 6, 12, 12);
    context.stroke();
  } else {
    context.arc(x, y, 2, 0, 2 * Math.PI);
    context.fill();
  }
  context.globalAlpha = 1;
}

/** @param {CanvasRenderingContext2D} context @param {View} view @param {import("../types.js").Airspace[]} airspaces */
function drawAir(context, view, airspaces) {
  const theme = colours();
  const strokes = { geofence: theme.accent, no_fly: theme.critical, patrol: theme.idle, corridor: theme.accent };
  context.lineWidth = 1.2;
  for (const air of airspaces) {
    context.beginPath();
    trace(context, view, air.outline);
    for (const hole of air.holes ?? []) trace(context, view, hole);
    if (air.kind === "no_fly") {
      context.fillStyle = hatch(context, theme.critical, view.x0, view.y0);
      context.globalAlpha = 0.25;
      context.fill("evenodd");
    } else if (air.kind === "patrol") {
      context.fillStyle = theme["zone-clean"];
      context.globalAlpha = 0.7;
      context.fill("evenodd");
    }
    context.globalAlpha = air.kind === "corridor" ? 0.3 : 0.7;
    context.strokeStyle = strokes[air.kind] ?? theme.idle;
    context.setLineDash(air.kind === "no_fly" ? [] : [6, 5]);
    context.stroke();
    context.setLineDash([]);
    context.globalAlpha = 1;
  }
}
