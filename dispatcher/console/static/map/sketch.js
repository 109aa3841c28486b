/**
 * What is drawn on the map for a task before it is asked for: the border of an area, and the ways
 * that a drone would fly over it.
 *
 * A tap adds a corner, a drag moves one, a tap on the first one closes the border. Corners are site
 * metres; the map asks here first while a border is being drawn.
 */

import { changed, state } from "../store.js";
import { toPixels } from "./base.js";
import { colours } from "./theme.js";

const REACH_PX = 14;
const FEWEST = 3;

/** @type {{active: boolean, corners: Array<[number, number]>, lines: Array<Array<[number, number]>>, told: () => void}} */
export const sketch = { active: false, corners: [], lines: [], told: () => {} };

/** Say so: to the field that it belongs to, and to the map. */
function tell() {
  sketch.told();
  changed("positions");
}

/** Begin or end drawing. @param {boolean} active */
export function draw(active) {
  sketch.active = active;
  tell();
}

/** Exchange all corners. @param {Array<[number, number]>} corners */
export function replace(corners) {
  sketch.corners = corners;
  sketch.lines = [];
  tell();
}

/** Another form: nothing of the last one is left. @param {() => void} told called when the sketch changes */
export function startAnew(told) {
  Object.assign(sketch, { active: false, corners: [], lines: [], told });
  changed("positions");
}

/** The ways that the server has found. @param {Array<Array<[number, number]>>} lines */
export function showLines(lines) {
  sketch.lines = lines;
  changed("positions");
}

/** The corner within reach of a pixel, or -1. @param {import("./base.js").View} view @param {{x: number, y: number}} point */
export function cornerAt(view, point) {
  const off = sketch.corners.map(([x, y]) => {
    const [px, py] = toPixels(view, x, y);
    return Math.hypot(px - point.x, py - point.y);
  });
  const nearest = off.indexOf(Math.min(...off));
  return nearest >= 0 && off[nearest] <= REACH_PX ? nearest : -1;
}

/** The map was tapped. @param {import("./base.js").View} view @param {{x: number, y: number}} point */
export function tap(view, point) {
  const corner = cornerAt(view, point);
  if (corner < 0) replace([...sketch.corners, toMetres(view, point)]);
  else if (corner === 0 && sketch.corners.length >= FEWEST) draw(false);
}

/** A corner was dragged. @param {number} corner @param {import("./base.js").View} view @param {{x: number, y: number}} point */
export function move(corner, view, point) {
  replace(sketch.corners.map((old, number) => (number === corner ? toMetres(view, point) : old)));
}

/** To the decimetre. @param {import("./base.js").View} view @param {{x: number, y: number}} point @returns {[number, number]} */
function toMetres(view, { x, y }) {
  const round = (value) => Math.round(value * 10) / 10;
  return [round((x - view.x0) / view.scale), round((view.y0 - y) / view.scale)];
}

/** @param {CanvasRenderingContext2D} context @param {import("./base.js").View} view */
export function drawSketch(context, view) {
  if (!state.composing) return;
  const theme = colours();
  context.strokeStyle = context.fillStyle = theme.accent;
  context.lineWidth = 1.2;
  context.globalAlpha = 0.55;
  for (const line of sketch.lines) trace(context, view, line, false);
  if (!sketch.corners.length) return void (context.globalAlpha = 1);
  context.globalAlpha = 0.12;
  trace(context, view, sketch.corners, true);
  context.fill();
  context.globalAlpha = 1;
  context.lineWidth = 2;
  context.setLineDash(sketch.active ? [6, 5] : []);
  trace(context, view, sketch.corners, !sketch.active);
  context.setLineDash([]);
  sketch.corners.forEach(([x, y], number) => {
    const [px, py] = toPixels(view, x, y);
    context.beginPath();
    context.arc(px, py, number ? 4 : 6, 0, 2 * Math.PI);
    context.fillStyle = number ? theme.accent : theme.panel;
    context.fill();
    context.stroke();
  });
}

/** @param {CanvasRenderingContext2D} context @param {import("./base.js").View} view @param {Array<[number, number]>} points @param {boolean} closed */
function trace(context, view, points, closed) {
  context.beginPath();
  for (const [x, y] of points) context.lineTo(...toPixels(view, x, y));
  if (closed) context.closePath();
  context.stroke();
}
