/**
 * What the browser knows: fed by the live link, read by all screens.
 *
 * Screens listen to topics; however many messages come in, each topic is told at most once per
 * animation frame.
 *
 * @typedef {import("./types.js").Task} Task
 * @typedef {import("./types.js").Vehicle} Vehicle
 * @typedef {import("./types.js").Alert} Alert
 * @typedef {import("./types.js").Site} Site
 * @typedef {"site"|"tasks"|"vehicles"|"positions"|"alerts"|"selection"|"link"|"outbox"|"screen"|"replay"|"incidents"} Topic
 */

import { setTimeZone } from "./format.js";

const ENDED = new Set(["done", "failed", "cancelled"]);
const KEPT_ENDED = 200;
const TRAIL_POINTS = 60;
const TRAIL_STEP_M = 0.4;
/** Times the wall's clock; faster, a trail would cut corners and lead through walls. */
const FASTEST_TRAIL = 20;

/** @type {Map<Topic, Set<() => void>>} */
const listeners = new Map();
/** @type {Set<Topic>} */
const pending = new Set();
let frame = 0;

/** @type {{
 *   site: Site|null, schemas: any, simulation: boolean, speed: number|null,
 *   replay: import("./types.js").Replay|null,
 *   tasks: Map<string, Task>, vehicles: Map<string, Vehicle>, alerts: Map<string, Alert>,
 *   watches: import("./types.js").Watch[],
 *   incidents: any[], control: any[],
 *   counts: {open: number, done_today: number, on_time_ratio: number|null},
 *   link: {state: "connecting"|"live"|"lost", since_ms: number, heard_ms: number},
 *   clock: {site_ms: number, wall_ms: number},
 *   selection: {kind: "task"|"vehicle", id: string}|null,
 *   screen: string, level: string|null, composing: boolean, following: boolean,
 * }} */
export const state = {
  site: null,
  schemas: null,
  simulation: false,
  speed: null,
  replay: null,
  tasks: new Map(),
  vehicles: new Map(),
  alerts: new Map(),
  watches: [],
  incidents: [],
  control: [],
  counts: { open: 0, done_today: 0, on_time_ratio: null },
  link: { state: "connecting", since_ms: performance.now(), heard_ms: 0 },
  clock: { site_ms: 0, wall_ms: 0 },
  selection: null,
  screen: "operations",
  level: null,
  composing: false,
  following: false,
};

/**
 * Have `listener` called after changes of a topic; the answer takes it off again.
 *
 * @param {Topic[]} topics
 * @param {() => void} listener
 */
export function on(topics, listener) {
  for (const topic of topics) {
    const found = listeners.get(topic) ?? new Set();
    found.add(listener);
    listeners.set(topic, found);
  }
  return () => topics.forEach((topic) => listeners.get(topic)?.delete(listener));
}

/** @param {...Topic} topics */
export function changed(...topics) {
  topics.forEach((topic) => pending.add(topic));
  if (!frame) frame = requestAnimationFrame(tell);
}

function tell() {
  frame = 0;
  /** @type {Set<() => void>} */
  const told = new Set();
  for (const topic of pending) for (const listener of listeners.get(topic) ?? []) told.add(listener);
  pending.clear();
  told.forEach((listener) => listener());
}

/** @param {any} message any message of the live link */
export function apply(message) {
  if (message.now) state.clock = { site_ms: Date.parse(message.now), wall_ms: performance.now() };
  if (message.type === "snapshot") applySnapshot(message);
  else if (message.type === "pos") applyPositions(message.v);
  else if (message.type === "event") applyEvent(message);
}

function applySnapshot(message) {
  const jumped = (message.replay?.jumps ?? 0) !== (state.replay?.jumps ?? 0);
  const trails = new Map(jumped ? [] : [...state.vehicles].map(([id, vehicle]) => [id, vehicle.trail]));
  state.replay = replayOf(message.replay);
  state.simulation = message.simulation;
  state.speed = message.speed;
  setTimeZone(message.timezone);
  state.tasks = new Map(message.tasks.map((task) => [task.id, task]));
  state.alerts = new Map(message.alerts.map((alert) => [alert.id, alert]));
  state.vehicles = new Map();
  for (const vehicle of message.vehicles) {
    state.vehicles.set(vehicle.id, fresh(vehicle, trails.get(vehicle.id)));
  }
  if (message.counts) state.counts = message.counts;
  state.incidents = message.incidents ?? [];
  state.control = message.control ?? [];
  changed("tasks", "vehicles", "positions", "alerts", "link", "replay", "incidents");
}

/** @param {any} replay @returns {import("./types.js").Replay|null} */
function replayOf(replay) {
  if (!replay) return null;
  const { name, begin, end, cut, playing, speed, jumps } = replay;
  return { name, begin_ms: Date.parse(begin), end_ms: Date.parse(end), cut, playing, speed, jumps };
}

function applyPositions(rows) {
  const wall_ms = performance.now();
  for (const [id, level, x_m, y_m, yaw_rad, height_agl_m, age_s] of rows) {
    const vehicle = state.vehicles.get(id);
    if (!vehicle) continue;
    const moved = vehicle.level === level ? [vehicle.x_m, vehicle.y_m, vehicle.yaw_rad] : null;
    vehicle.before = moved;
    Object.assign(vehicle, { level, x_m, y_m, yaw_rad, height_agl_m, age_s, wall_ms });
    leaveTrail(vehicle);
  }
  changed("positions");
}

function applyEvent(message) {
  if (message.counts) state.counts = message.counts;
  if (message.task) {
    state.tasks.set(message.task.id, message.task);
    if (ENDED.has(message.task.state)) forgetOldest();
    changed("tasks");
  }
  if (message.vehicle) {
    const old = state.vehicles.get(message.vehicle.id);
    state.vehicles.set(message.vehicle.id, fresh(message.vehicle, old?.trail));
    changed("vehicles", "positions");
  }
  if (message.incidents) {
    state.incidents = message.incidents;
    state.control = message.control;
    changed("incidents", "vehicles");
  }
  if (message.alert) {
    state.alerts.set(message.alert.id, message.alert);
    changed("alerts");
  }
}

/**
 * @param {any} vehicle
 * @param {Array<[string, number, number]>} [trail]
 * @returns {Vehicle}
 */
function fresh(vehicle, trail) {
  const known = { ...vehicle, before: null, trail: trail ?? [], wall_ms: performance.now() };
  leaveTrail(known);
  return known;
}

/** @param {Vehicle} vehicle */
function leaveTrail(vehicle) {
  if (vehicle.x_m === null || vehicle.x_m === undefined) return;
  if (state.replay && state.replay.speed > FASTEST_TRAIL) vehicle.trail.length = 0;
  const last = vehicle.trail.at(-1);
  const near =
    last &&
    last[0] === vehicle.level &&
    Math.hypot(last[1] - vehicle.x_m, last[2] - vehicle.y_m) < TRAIL_STEP_M;
  if (near) return;
  vehicle.trail.push([vehicle.level, vehicle.x_m, vehicle.y_m]);
  if (vehicle.trail.length > TRAIL_POINTS) vehicle.trail.shift();
}

function forgetOldest() {
  const ended = [...state.tasks.values()].filter((task) => ENDED.has(task.state));
  if (ended.length <= KEPT_ENDED) return;
  ended.sort((a, b) => String(a.ended_at).localeCompare(String(b.ended_at)));
  for (const task of ended.slice(0, ended.length - KEPT_ENDED)) state.tasks.delete(task.id);
}

/** @param {Task} task */
export function hasEnded(task) {
  return ENDED.has(task.state);
}

/** Milliseconds of the site's calendar, running on between messages while the link lives. */
export function siteNow() {
  if (!state.clock.site_ms) return 0;
  const passed = state.link.state === "live" ? performance.now() - state.clock.wall_ms : 0;
  const now = state.clock.site_ms + Math.min(passed, 2000) * (state.speed ?? 1);
  return state.replay ? Math.min(now, state.replay.end_ms) : now;
}

/**
 * Seconds since a vehicle was last heard: the server's figure, and what has passed here since.
 *
 * @param {Vehicle} vehicle
 */
export function ageOf(vehicle) {
  if (vehicle.age_s === null || vehicle.age_s === undefined) return null;
  return vehicle.age_s + (performance.now() - vehicle.wall_ms) / 1000;
}

/** Open alerts, the worst first, then the oldest: an entry being read does not move. */
export function openAlerts() {
  const rank = { critical: 0, high: 1, notice: 2, info: 3 };
  return [...state.alerts.values()]
    .filter((alert) => !alert.cleared_at || (alert.severity === "critical" && !alert.acknowledged_by))
    .sort((a, b) => rank[a.severity] - rank[b.severity] || String(a.since).localeCompare(b.since));
}
