/**
 * Where the names of rooms and places are written: beside the roads, never on one another.
 *
 * Vehicles keep to the lanes, so a name that keeps off the lanes is never driven over. The work is
 * done once per zoom and level, in pixels from the site's origin, and panning only shifts it.
 *
 * @typedef {import("./geometry.js").Box} Box
 * @typedef {{lines: string[], box: Box, size: number, tone: string}} Label box from the site's origin
 */

import { named } from "../i18n/index.js";
import { isGround, liftHalf } from "./base.js";
import { Crowd, bounds, crosses, grown, inside } from "./geometry.js";

const LINE = 1.25;
const CLEAR_OF_LANE = 11;
const BESIDE = 11;
const CLOSE = 16;
const ROOMS = ["room", "building", "lift"];

/** @type {CanvasRenderingContext2D} */
const ruler = /** @type {any} */ (document.createElement("canvas").getContext("2d"));

/**
 * @param {import("../types.js").Site} site
 * @param {import("../types.js").Level} level
 * @param {number} scale pixels per metre
 * @param {string} font family
 * @returns {Label[]}
 */
export function placeLabels(site, level, scale, font) {
  const here = (thing) => thing.level === level.id;
  const areas = site.areas.filter(here);
  const rooms = areas.filter((area) => ROOMS.includes(area.kind));
  const others = areas.filter((area) => !ROOMS.includes(area.kind));
  const air = isGround(site, level) ? site.airspaces.filter((each) => each.kind !== "corridor") : [];
  const work = begin(site, level, scale, font);
  const places = site.places.filter(here).sort((a, b) => a.roles.length - b.roles.length);
  for (const area of rooms) labelRoom(work, area, places);
  for (const place of places) labelPlace(work, place, areas);
  for (const lift of site.lifts) {
    const cabin = lift.cabins[level.id];
    if (cabin && !boxed(areas, cabin)) labelSpot(work, named(lift.name), flip(cabin, scale), { minor: true, off: work.half + 3 });
  }
  for (const area of [...others, ...air]) labelArea(work, area, 11, false);
  return work.labels;
}

/** A room is called by its one place, for that is what people ask for; else by its own name. @param {any} work @param {import("../types.js").Area} area @param {import("../types.js").Place[]} places */
function labelRoom(work, area, places) {
  const within = places.filter((place) => !place.roles.length && inside(area.outline, place.x_m, place.y_m));
  const called = within.length === 1 && { outline: area.outline, name: within[0].name };
  if (called && labelArea(work, called, 13, false)) return;
  labelArea(work, area, 13, false, true) || labelArea(work, area, 13, true);
}

/** What is known before the first label is written: the roads, and the signs to keep clear of. @param {any} site @param {any} level @param {number} scale @param {string} font */
function begin(site, level, scale, font) {
  const half = liftHalf({ scale, x0: 0, y0: 0, width: 0, height: 0 });
  const lanes = site.lanes.filter((lane) => lane.level === level.id).map((lane) => [flip(lane.a, scale), flip(lane.b, scale)]);
  const crowd = new Crowd();
  const cabins = site.lifts.map((lift) => lift.cabins[level.id]).filter(Boolean);
  for (const cabin of cabins) crowd.add(around(flip(cabin, scale), half + 2));
  const pad = (place) => isGround(site, level) && place.roles.includes("pad");
  const spots = site.places.filter((place) => place.level === level.id || pad(place));
  for (const place of spots) crowd.add(around(spot(place, scale), place.roles.length ? 8 : 3));
  const corners = site.areas.filter((area) => area.level === level.id).flatMap((area) => area.outline);
  const edge = corners.length ? bounds(corners.map((point) => flip(point, scale))) : null;
  return { scale, font, lanes, crowd, half, edge, written: new Set(), labels: /** @type {Label[]} */ ([]) };
}

/** Whether a lift's cabin is drawn as an area of its own. @param {import("../types.js").Area[]} areas @param {[number, number]} cabin */
export function boxed(areas, [x, y]) {
  return areas.some((area) => area.kind === "lift" && inside(area.outline, x, y));
}

/** The name of a place, in its room, unless the room says it already. @param {any} work @param {import("../types.js").Place} place @param {import("../types.js").Area[]} areas */
function labelPlace(work, place, areas) {
  const minor = place.roles.length > 0 && !place.roles.includes("pad");
  if (work.written.has(named(place.name)) || (minor && work.scale < CLOSE)) return;
  const around = areas.filter((area) => inside(area.outline, place.x_m, place.y_m));
  const room = around.find((area) => ROOMS.includes(area.kind));
  const outline = room?.outline.map((point) => flip(point, work.scale));
  labelSpot(work, named(place.name), spot(place, work.scale), { minor, outline });
}

/** @param {[number, number]} point @param {number} scale @returns {[number, number]} */
function flip(point, scale) {
  return [point[0] * scale, -point[1] * scale];
}

/** @param {import("../types.js").Place} place @param {number} scale */
function spot(place, scale) {
  return flip([place.x_m, place.y_m], scale);
}

/** @param {[number, number]} point @param {number} half @returns {Box} */
function around(point, half) {
  return { x: point[0] - half, y: point[1] - half, w: 2 * half, h: 2 * half };
}

/**
 * Write a name into a polygon, in one line or two, as far off the lanes as it can be.
 *
 * @param {any} work
 * @param {{name: any, outline: Array<[number, number]>}} area
 * @param {number} size
 * @param {boolean} must write it over a lane rather than not at all
 * @param {boolean} [again] although the same name is written elsewhere
 */
function labelArea(work, area, size, must, again = must) {
  if (!again && work.written.has(named(area.name))) return false;
  const outline = area.outline.map((point) => flip(point, work.scale));
  const box = bounds(outline);
  const lanes = work.lanes.filter(([a, b]) => crosses({ x: box[0], y: box[1], w: box[2] - box[0], h: box[3] - box[1] }, a, b));
  for (const smaller of [size, 11, 10]) {
    for (const lines of breaks(named(area.name))) {
      const label = { ...measured(work.font, lines, smaller), corner: area.kind === "geofence" };
      const place = bestInside(work, outline, box, label, lanes, must);
      if (!place) continue;
      return keep(work, named(area.name), { ...label, box: { ...label.box, ...place }, tone: "mute" });
    }
  }
  return false;
}

/** @param {any} work @param {any} outline @param {number[]} box @param {Label} label @param {any[]} lanes @param {boolean} must */
function bestInside(work, outline, [left, top, right, bottom], label, lanes, must) {
  const { w, h } = label.box;
  if (!must && (right - left - w < 6 || bottom - top - h < 6)) return null;
  const steps = 8;
  let best = null;
  let bestCost = Infinity;
  const [cx, cy] = label.corner ? [left, top] : [(left + right) / 2, (top + bottom) / 2];
  for (let i = 0; i <= steps; i++) {
    for (let j = 0; j <= steps; j++) {
      const x = left + 4 + ((right - left - w - 8) * i) / steps;
      const y = top + 3 + ((bottom - top - h - 6) * j) / steps;
      const here = { x, y, w, h };
      if (!fits(outline, here) || work.crowd.meets(here)) continue;
      const touched = lanes.some(([a, b]) => crosses(grown(here, 1), a, b));
      if (touched && !must) continue;
      const near = touched || lanes.some(([a, b]) => crosses(grown(here, CLEAR_OF_LANE), a, b));
      const off = Math.hypot(x + w / 2 - cx, y + h / 2 - cy) / (right - left + bottom - top);
      const cost = off + (touched ? 4 : near ? 1.5 : 0);
      if (cost < bestCost) [best, bestCost] = [{ x, y }, cost];
    }
  }
  return best;
}

/** @param {any} outline @param {Box} box */
function fits(outline, { x, y, w, h }) {
  const corners = [[x, y], [x + w, y], [x, y + h], [x + w, y + h], [x + w / 2, y + h / 2]];
  return corners.every(([px, py]) => inside(outline, px, py));
}

/** Write a name beside a spot. @param {any} work @param {string} name @param {[number, number]} at @param {{minor: boolean, off?: number, outline?: any}} options */
function labelSpot(work, name, [x, y], { minor, off = BESIDE, outline }) {
  for (const lines of breaks(name)) {
    const label = measured(work.font, lines, minor ? 11 : 12);
    const { w, h } = label.box;
    const tries = [
      [x - w / 2, y - off - h], [x - w / 2, y + off], [x + off, y - h / 2], [x - off - w, y - h / 2],
      [x + off, y - off - h / 2], [x - off - w, y - off - h / 2], [x + off, y + off - h / 2], [x - off - w, y + off - h / 2],
    ];
    for (const [left, top] of tries) {
      const box = { x: left, y: top, w, h };
      if (outline ? !fits(outline, box) : leaves(work.edge, box)) continue;
      if (work.crowd.meets(grown(box, 1))) continue;
      if (work.lanes.some(([a, b]) => crosses(grown(box, minor ? 2 : 4), a, b))) continue;
      return keep(work, name, { ...label, box, tone: minor ? "idle" : "mute" });
    }
  }
  return false;
}

/** Whether a label would stick out of the floor. @param {number[]|null} edge @param {Box} box */
function leaves(edge, box) {
  return edge !== null && (box.x < edge[0] || box.y < edge[1] || box.x + box.w > edge[2] || box.y + box.h > edge[3]);
}

/** @param {any} work @param {string} name @param {Label} label */
function keep(work, name, label) {
  work.crowd.add(grown(label.box, 3));
  work.written.add(name);
  work.labels.push(label);
  return true;
}

/** One line, then two of about the same length; words are never cut, Chinese may be. @param {string} name */
function breaks(name) {
  const middle = name.length / 2;
  const spaces = [...name.matchAll(/ /g)].map((match) => match.index);
  const gaps = spaces.length || /[ -~]/.test(name) || name.length < 5 ? spaces : [Math.ceil(middle)];
  if (!gaps.length) return [[name]];
  const cut = gaps.reduce((best, gap) => (Math.abs(gap - middle) < Math.abs(best - middle) ? gap : best));
  return [[name], [name.slice(0, cut).trim(), name.slice(cut).trim()]];
}

/** @param {string} font @param {string[]} lines @param {number} size @returns {any} */
function measured(font, lines, size) {
  ruler.font = `${size}px ${font}`;
  const w = Math.max(...lines.map((line) => ruler.measureText(line).width));
  return { lines, size, box: { x: 0, y: 0, w, h: lines.length * size * LINE } };
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {import("./base.js").View} view
 * @param {Label} label
 * @param {string} font
 * @param {string} colour
 */
export function drawLabel(context, view, label, font, colour) {
  context.font = `${label.size}px ${font}`;
  context.fillStyle = colour;
  context.textAlign = "center";
  context.textBaseline = "middle";
  const x = view.x0 + label.box.x + label.box.w / 2;
  label.lines.forEach((line, i) => {
    context.fillText(line, x, view.y0 + label.box.y + (i + 0.5) * label.size * LINE);
  });
}

