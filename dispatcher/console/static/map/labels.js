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
import { liftHalf } from "./base.js";
import { Crowd, bounds, crosses, grown, inside } from "./geometry.js";

const LINE = 1.25;
const CLEAR_OF_LANE = 11;
const BESIDE = 11;

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
  const flat = { scale, x0: 0, y0: 0, width: 0, height: 0 };
  const lanes = site.lanes
    .filter((lane) => lane.level === level.id)
    .map((lane) => [flip(lane.a, scale), flip(lane.b, scale)]);
  const crowd = new Crowd();
  for (const lift of site.lifts) {
    const cabin = lift.cabins[level.id];
    if (cabin) crowd.add(around(flip(cabin, scale), liftHalf(flat) + 2));
  }
  for (const place of site.places) {
    if (place.level === level.id && place.roles.length) crowd.add(around(spot(place, scale), 8));
  }
  const work = { scale, font, lanes, crowd, labels: /** @type {Label[]} */ ([]) };
  const rooms = site.areas.filter((area) => area.level === level.id);
  const air = level.outdoors ? site.airspaces.filter((each) => each.kind !== "corridor") : [];
  const written = new Set();
  for (const area of rooms.filter((each) => each.kind === "room" || each.kind === "building")) {
    if (labelArea(work, area, 13, true)) written.add(named(area.name));
  }
  const here = site.places.filter((place) => place.level === level.id);
  here.sort((a, b) => a.roles.length - b.roles.length);
  for (const place of here) {
    if (written.has(named(place.name))) continue;
    const minor = place.roles.length > 0;
    if (minor && scale < 9 && !place.roles.includes("pad")) continue;
    if (labelSpot(work, named(place.name), spot(place, scale), minor)) written.add(named(place.name));
  }
  for (const lift of site.lifts) {
    const cabin = lift.cabins[level.id];
    if (cabin) labelSpot(work, named(lift.name), flip(cabin, scale), true, liftHalf(flat) + 3);
  }
  for (const area of [...rooms.filter((each) => each.kind !== "room" && each.kind !== "building"), ...air]) {
    if (!written.has(named(area.name))) labelArea(work, area, 11, false);
  }
  return work.labels;
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
 */
function labelArea(work, area, size, must) {
  const outline = area.outline.map((point) => flip(point, work.scale));
  const box = bounds(outline);
  const lanes = work.lanes.filter(([a, b]) => crosses({ x: box[0], y: box[1], w: box[2] - box[0], h: box[3] - box[1] }, a, b));
  for (const smaller of [size, 11]) {
    for (const lines of breaks(named(area.name))) {
      const label = measured(work.font, lines, smaller);
      const place = bestInside(work, outline, box, label, lanes, must);
      if (!place) continue;
      return keep(work, { ...label, box: { ...label.box, ...place }, tone: "mute" });
    }
  }
  return false;
}

/** @param {any} work @param {any} outline @param {number[]} box @param {Label} label @param {any[]} lanes @param {boolean} must */
function bestInside(work, outline, [left, top, right, bottom], label, lanes, must) {
  const { w, h } = label.box;
  const steps = 8;
  let best = null;
  let bestCost = Infinity;
  const [cx, cy] = [(left + right) / 2, (top + bottom) / 2];
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

/** Write a name beside a spot. @param {any} work @param {string} name @param {[number, number]} at @param {boolean} minor @param {number} [off] */
function labelSpot(work, name, at, minor, off = BESIDE) {
  for (const lines of breaks(name)) {
    const label = measured(work.font, lines, minor ? 11 : 12);
    const { w, h } = label.box;
    const [x, y] = at;
    const tries = [
      [x - w / 2, y - off - h], [x - w / 2, y + off], [x + off, y - h / 2], [x - off - w, y - h / 2],
      [x + off, y - off - h / 2], [x - off - w, y - off - h / 2], [x + off, y + off - h / 2], [x - off - w, y + off - h / 2],
    ];
    for (const [left, top] of tries) {
      const box = { x: left, y: top, w, h };
      if (work.crowd.meets(grown(box, 1))) continue;
      if (work.lanes.some(([a, b]) => crosses(grown(box, minor ? 2 : 4), a, b))) continue;
      return keep(work, { ...label, box, tone: minor ? "idle" : "mute" });
    }
  }
  return false;
}

/** @param {any} work @param {Label} label */
function keep(work, label) {
  work.crowd.add(grown(label.box, 3));
  work.labels.push(label);
  return true;
}

/** One line, then two of about the same length. @param {string} name */
function breaks(name) {
  if (name.length < 5) return [[name]];
  const middle = name.length / 2;
  const gaps = name.includes(" ")
    ? [...name.matchAll(/ /g)].map((match) => match.index)
    : [Math.ceil(middle)];
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

