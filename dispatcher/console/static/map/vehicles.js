/** All vehicles of a level on one canvas, per tick: sprites, the selected one's way, labels. */

import { age } from "../format.js";
import { ageOf, state } from "../store.js";
import { Crowd, grown, nearest } from "./geometry.js";
import { toPixels } from "./base.js";
import { colours } from "./theme.js";

const TICK_MS = 500;
const REPLAY_TICK_MS = 200;
const JUMP_M = 60;
const LABELS = 120;
const SPRITE = 28;
const SHARP = 2;
const CHEVRON = [[9, 0], [-8, -7], [-4, 0], [-8, 7]];
const TONES = {
  working: "accent", returning: "accent", decontaminating: "accent",
  waiting: "wait", manual: "wait",
  fault: "critical",
  idle: "idle", charging: "idle", offline: "idle", out_of_service: "idle",
};

/** @typedef {import("../types.js").Vehicle} Vehicle */

/** Which of the theme's colours a vehicle has. @param {Vehicle} vehicle */
export function toneOf(vehicle) {
  return TONES[vehicle.activity] ?? "idle";
}

/** Whether a vehicle is to be seen on a level; over the ground outdoors, all drones are. @param {Vehicle} vehicle @param {import("../types.js").Level} level @param {boolean} ground */
export function isOn(vehicle, level, ground) {
  if (vehicle.x_m === null || vehicle.x_m === undefined) return false;
  if (vehicle.level === level.id) return true;
  return ground && vehicle.medium === "air";
}

/** How long it takes from one word of the server to the next. */
function tick_ms() {
  return state.replay ? REPLAY_TICK_MS : TICK_MS;
}

/** Where to draw a vehicle now: between its last two words, so that it does not hop. @param {Vehicle} vehicle @param {number} now_ms @returns {[number, number, number]} */
export function poseAt(vehicle, now_ms) {
  const { x_m, y_m, yaw_rad, before } = vehicle;
  const part = (now_ms - vehicle.wall_ms) / tick_ms();
  if (!before || part >= 1 || Math.hypot(before[0] - x_m, before[1] - y_m) > JUMP_M) return [x_m, y_m, yaw_rad];
  const turn = Math.atan2(Math.sin(yaw_rad - before[2]), Math.cos(yaw_rad - before[2]));
  return [before[0] + (x_m - before[0]) * part, before[1] + (y_m - before[1]) * part, before[2] + turn * part];
}

/** Whether anything still glides between two words. @param {Vehicle[]} vehicles @param {number} now_ms */
export function gliding(vehicles, now_ms) {
  return vehicles.some(
    ({ before, wall_ms, x_m, y_m }) =>
      before && now_ms - wall_ms < tick_ms() && Math.abs(before[0] - x_m) + Math.abs(before[1] - y_m) > 0.02,
  );
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {import("./base.js").View} view
 * @param {Vehicle[]} vehicles on this level
 * @param {{selected: Vehicle|null, level: string, names: import("./labels.js").Label[], lost: boolean, now_ms: number}} scene
 * @returns {Array<{vehicle: Vehicle, x: number, y: number}>} where each is, for picking
 */
export function drawVehicles(context, view, vehicles, scene) {
  const seen = [];
  for (const vehicle of vehicles) {
    const [x_m, y_m, yaw_rad] = poseAt(vehicle, scene.now_ms);
    const [x, y] = toPixels(view, x_m, y_m);
    if (x < -20 || y < -20 || x > view.width + 20 || y > view.height + 20) continue;
    seen.push({ vehicle, x, y, yaw_rad, stale: scene.lost || !vehicle.online });
  }
  if (scene.selected) drawWay(context, view, scene.selected, scene);
  const size = seen.length > 250 ? 0.65 : seen.length > 80 ? 0.85 : 1;
  const first = (each) => (each.vehicle === scene.selected ? 2 : toneOf(each.vehicle) === "idle" ? 0 : 1);
  seen.sort((a, b) => first(a) - first(b));
  for (const each of seen) drawSprite(context, each, size, each.vehicle === scene.selected);
  drawNames(context, view, seen, scene);
  return seen;
}

/** The parts of what is watched: those with somebody on station in a full line. @param {CanvasRenderingContext2D} context @param {import("./base.js").View} view */
export function drawPosts(context, view) {
  const theme = colours();
  for (const { outline, on_station } of state.watches.flatMap((watch) => watch.posts)) {
    if (!outline) continue;
    context.beginPath();
    outline.forEach(([x_m, y_m], i) => (i ? context.lineTo(...toPixels(view, x_m, y_m)) : context.moveTo(...toPixels(view, x_m, y_m))));
    context.closePath();
    context.lineWidth = 2;
    context.strokeStyle = on_station.length ? theme.accent : theme.critical;
    context.setLineDash(on_station.length ? [] : [6, 5]);
    context.stroke();
    context.setLineDash([]);
  }
}

/** @param {CanvasRenderingContext2D} context @param {any} each @param {number} size @param {boolean} selected */
function drawSprite(context, { vehicle, x, y, yaw_rad, stale }, size, selected) {
  const theme = colours();
  const colour = theme[stale ? "idle" : toneOf(vehicle)];
  if (selected) ring(context, x, y, theme.accent);
  context.save();
  context.translate(x, y);
  context.rotate(-yaw_rad);
  const side = SPRITE * size;
  context.drawImage(sprite(vehicle.medium, theme.panel, colour, stale), -side / 2, -side / 2, side, side);
  context.restore();
}

/** @type {Map<string, HTMLCanvasElement>} */
const sprites = new Map();

/** A vehicle's picture, drawn once for each state. @param {string} medium @param {string} rim @param {string} colour @param {boolean} stale */
function sprite(medium, rim, colour, stale) {
  const ratio = window.devicePixelRatio || 1;
  const key = [medium, rim, colour, stale, ratio].join();
  const known = sprites.get(key);
  if (known) return known;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SPRITE * ratio * SHARP;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.scale(ratio * SHARP, ratio * SHARP);
  context.translate(SPRITE / 2, SPRITE / 2);
  context.lineJoin = context.lineCap = "round";
  if (medium === "air") cross(context, rim, colour, stale);
  else chevron(context, rim, colour, stale);
  sprites.set(key, canvas);
  return canvas;
}

/** @type {Map<string, number>} */
const widths = new Map();

/** @param {CanvasRenderingContext2D} context @param {string} text @returns {number} its width in the font of names */
function widthOf(context, text) {
  const known = widths.get(text);
  if (known !== undefined) return known;
  if (widths.size > 5000) widths.clear();
  const width = context.measureText(text).width;
  widths.set(text, width);
  return width;
}

/** @param {CanvasRenderingContext2D} context @param {number} x @param {number} y @param {string} colour */
function ring(context, x, y, colour) {
  context.strokeStyle = colour;
  context.lineWidth = 2;
  context.beginPath();
  context.arc(x, y, 17, 0, 2 * Math.PI);
  context.stroke();
}

/** @param {CanvasRenderingContext2D} context @param {string} rim @param {string} colour @param {boolean} hollow */
function chevron(context, rim, colour, hollow) {
  context.beginPath();
  CHEVRON.forEach(([x, y]) => context.lineTo(x, y));
  context.closePath();
  context.strokeStyle = rim;
  context.lineWidth = 4;
  context.stroke();
  context.fillStyle = hollow ? rim : colour;
  context.fill();
  if (!hollow) return;
  context.strokeStyle = colour;
  context.lineWidth = 1.4;
  context.stroke();
}

/** @param {CanvasRenderingContext2D} context @param {string} rim @param {string} colour @param {boolean} hollow */
function cross(context, rim, colour, hollow) {
  const arms = () => {
    context.beginPath();
    for (const [x, y] of [[7, 7], [7, -7]]) {
      context.moveTo(-x, -y);
      context.lineTo(x, y);
    }
    context.stroke();
  };
  const widths = hollow ? [[rim, 8], [colour, 5], [rim, 2.4]] : [[rim, 8], [colour, 4]];
  for (const [style, width] of widths) {
    context.strokeStyle = /** @type {string} */ (style);
    context.lineWidth = /** @type {number} */ (width);
    arms();
  }
  context.fillStyle = colour;
  context.strokeStyle = rim;
  context.lineWidth = 1.5;
  context.beginPath();
  [[11, 0], [5, -3.5], [5, 3.5]].forEach(([x, y]) => context.lineTo(x, y));
  context.closePath();
  context.stroke();
  context.fill();
}

/** The trail behind, solid and faint; the way ahead, dotted. @param {CanvasRenderingContext2D} context @param {import("./base.js").View} view @param {Vehicle} vehicle @param {any} scene */
function drawWay(context, view, vehicle, scene) {
  context.strokeStyle = colours().accent;
  context.lineJoin = context.lineCap = "round";
  context.globalAlpha = 0.35;
  context.lineWidth = 2;
  polyline(context, view, vehicle.trail, scene.level);
  context.globalAlpha = 1;
  context.lineWidth = 2.5;
  context.setLineDash([0.1, 6]);
  polyline(context, view, ahead(vehicle, scene.now_ms), scene.level);
  context.setLineDash([]);
}

/** What is left of a route, from where the vehicle is. @param {Vehicle} vehicle @param {number} now_ms @returns {Array<[string, number, number]>} */
export function ahead(vehicle, now_ms) {
  const [x, y] = poseAt(vehicle, now_ms);
  const level = vehicle.level ?? "";
  const route = vehicle.route ?? [];
  let next = 0;
  let closest = Infinity;
  for (let i = 0; i + 1 < route.length; i++) {
    const [from, to] = [route[i], route[i + 1]];
    if (vehicle.medium === "ground" && from[0] !== level) continue;
    const { off } = nearest([x, y], [from[1], from[2]], [to[1], to[2]]);
    if (off < closest - 0.01) [closest, next] = [off, i + 1];
  }
  if (!route.length) return [];
  return [[level, x, y], ...route.slice(closest < Infinity ? next : 0)];
}

/** @param {CanvasRenderingContext2D} context @param {import("./base.js").View} view @param {Array<[string, number, number]>} points @param {string} level */
function polyline(context, view, points, level) {
  context.beginPath();
  let joined = false;
  for (const [on, x, y] of points) {
    const [px, py] = toPixels(view, x, y);
    if (on === level && joined) context.lineTo(px, py);
    else context.moveTo(px, py);
    joined = on === level;
  }
  context.stroke();
}

/** Names: of the selected and the alarmed first, then as many as fit. @param {CanvasRenderingContext2D} context @param {import("./base.js").View} view @param {any[]} seen @param {any} scene */
function drawNames(context, view, seen, scene) {
  const theme = colours();
  const crowd = new Crowd();
  for (const { x, y } of seen) crowd.add({ x: x - 8, y: y - 8, w: 16, h: 16 });
  for (const { box } of scene.names) {
    crowd.add({ ...box, x: box.x + view.x0, y: box.y + view.y0 });
  }
  context.font = `600 12px ${theme.font}`;
  context.textAlign = "left";
  context.textBaseline = "middle";
  context.lineJoin = "round";
  let budget = LABELS;
  for (let i = seen.length - 1; i >= 0 && budget > 0; i--) {
    const each = seen[i];
    const must = each.vehicle === scene.selected || ["critical", "wait"].includes(toneOf(each.vehicle));
    const off = each.vehicle === scene.selected ? 9 : 0;
    if (nameOne(context, each, crowd, { must, off }, theme)) budget -= 1;
  }
}

/** @param {CanvasRenderingContext2D} context @param {any} each @param {Crowd} crowd @param {{must: boolean, off: number}} how @param {any} theme */
function nameOne(context, { vehicle, x, y, stale }, crowd, { must, off }, theme) {
  const seconds = stale ? ageOf(vehicle) : null;
  const text = seconds === null ? vehicle.name : `${vehicle.name} · ${age(seconds)}`;
  const w = widthOf(context, text);
  const [near, far] = [12 + off, 26 + off];
  const spots = [[-w / 2, -far], [-w / 2, near], [near, -7], [-w - near, -7], [10, 4 - far], [-w - 10, 4 - far], [10, near - 3], [-w - 10, near - 3]];
  const boxes = spots.map(([dx, dy]) => ({ x: x + dx, y: y + dy, w, h: 14 }));
  const free = boxes.find((box) => !crowd.meets(box)) ?? (must ? boxes[0] : null);
  if (!free) return false;
  crowd.add(grown(free, 1));
  context.strokeStyle = theme.panel;
  context.lineWidth = 3;
  context.strokeText(text, free.x, free.y + 7);
  context.fillStyle = theme.ink;
  context.fillText(text, free.x, free.y + 7);
  return true;
}
