/** What tasks, vehicles and alerts are called on the screen. */

import { clock, duration, quantity } from "./format.js";
import { current, has, named, readable, t } from "./i18n/index.js";
import { hasEnded, siteNow, state } from "./store.js";

/** @param {string|null|undefined} id of a place, area, lift, door or level */
export function placeName(id) {
  if (!id) return "";
  const site = state.site;
  const found = site && (names().get(id) ?? null);
  return found ? named(found) : id;
}

/** @type {{site: any, names: Map<string, any>}} */
let index = { site: null, names: new Map() };

function names() {
  if (index.site === state.site) return index.names;
  const site = state.site;
  /** @type {Map<string, any>} */
  const found = new Map();
  const { areas, airspaces, doors, levels, lifts, workcells, air_locks, places } = site ?? {};
  for (const list of [areas, airspaces, doors, levels, lifts, workcells, air_locks, places]) {
    for (const thing of list ?? []) found.set(thing.id, thing.name);
  }
  index = { site, names: found };
  return found;
}

/** @param {string|null|undefined} id */
export function vehicleName(id) {
  return id ? (state.vehicles.get(id)?.name ?? id) : "–";
}

/** @param {import("./types.js").Task} task */
export function taskTitle(task) {
  if (task.kind === "patrol" || task.kind === "disinfection") return t(`kind.${task.kind}`);
  const title = task.item || t(`kind.${task.kind}`);
  return task.leg ? `${title} · ${t("task.leg", { number: task.leg.number })}` : title;
}

/** @param {import("./types.js").Task} task the other leg of the same delivery, if it is known */
export function otherLeg(task) {
  return (task.leg && state.tasks.get(task.leg.other)) || null;
}

/** @param {import("./types.js").Task} task from → to, or where it takes place */
export function taskRoute(task) {
  const other = otherLeg(task);
  if (task.leg && other) {
    const [first, second] = task.leg.number === 1 ? [task, other] : [other, task];
    return [first.from, task.leg.via].map(placeName).concat(goals(second)).join(" → ");
  }
  const more = goals(task);
  return task.from && more ? `${placeName(task.from)} → ${more}` : placeName(task.from) || more;
}

/** @param {import("./types.js").Task} task where it goes, or where it takes place */
function goals(task) {
  const to = (task.to ?? []).map(placeName);
  if (!to.length && task.spec?.area) to.push(placeName(task.spec.area));
  return to.length > 3 ? `${to.slice(0, 2).join(", ")} +${to.length - 2}` : to.join(", ");
}

/** @param {any} facts with ids turned into names and units added */
export function spoken(facts) {
  return Object.fromEntries(
    Object.entries(facts ?? {}).map(([name, value]) => [name, spokenFact(name, value, facts)]),
  );
}

/** @param {string} name @param {any} value @param {any} [facts] all of them: those of a ``why`` are among them */
function spokenFact(name, value, facts = {}) {
  if (Array.isArray(value)) return value.map((each) => spokenFact(name, each)).join(", ");
  if (typeof value !== "string") return quantity(name, value ?? "–");
  if (name === "why") return reasonWords({ code: value, facts: { ...facts, why: facts.because, because: undefined } });
  const slug = value.replaceAll(" ", "_");
  if (name === "wanted" && has(`wanted.${slug}`)) return t(`wanted.${slug}`);
  if (name === "action" && has(`task_action.${value}`)) return t(`task_action.${value}`);
  if (name === "load_type" && has(`goods.${value}`)) return t(`goods.${value}`);
  if (state.vehicles.has(value)) return vehicleName(value);
  const task = state.tasks.get(value);
  if (task) return taskTitle(task);
  if (names().has(value)) return placeName(value);
  if (/^\d{4}-\d\d-\d\dT/.test(value)) return clock(value);
  for (const group of ["goods", "kind", "priority", "zone", "skill", "medium", "method"]) {
    if (has(`${group}.${value}`)) return t(`${group}.${value}`);
  }
  return value;
}

/**
 * The sentence for a refusal's code; an unknown code is shown readably, with its facts.
 *
 * @param {import("./types.js").Reason|null|undefined} reason
 */
export function reasonWords(reason) {
  if (!reason) return "";
  return sentence(`reason.${reason.code}`, reason.code, reason.facts);
}

/** @param {import("./types.js").Alert} alert */
export function alertWords(alert) {
  const facts = { vehicle: alert.vehicle, task: alert.task, ...alert.facts };
  const key = has(`alert.${alert.code}`) ? `alert.${alert.code}` : `reason.${alert.code}`;
  return sentence(key, alert.code, facts);
}

/** @param {import("./types.js").Alert} alert what is being done about it, where that is known */
export function alertRemedy(alert) {
  const key = `alert.${alert.code}.doing`;
  return has(key) ? t(key, spoken({ vehicle: alert.vehicle, task: alert.task, ...alert.facts })) : "";
}

/** @param {import("./types.js").FieldFault} fault in the language in use; English from the server as a last resort */
export function faultWords(fault) {
  const known = has(`reason.${fault.code}`);
  const what = known || !fault.remedy ? sentence(`reason.${fault.code}`, fault.code, fault.facts) : "";
  const code = has(`remedy.${fault.code}`) ? fault.code : fault.facts?.why;
  const remedy = has(`remedy.${code}`)
    ? t(`remedy.${code}`, spoken(fault.facts))
    : current() === "en" || !known
      ? fault.remedy
      : "";
  return [what, remedy].filter(Boolean).map(capital).join(t("word.stop"));
}

/** @param {string} key @param {string} code @param {any} facts */
function sentence(key, code, facts) {
  if (has(key)) return t(key, spoken(facts));
  const pairs = Object.entries(spoken(facts)).filter(([, value]) => value !== "–");
  const list = pairs.map(([name, value]) => `${readable(name)} ${value}`).join(", ");
  return list ? `${readable(code)} (${list})` : readable(code);
}

/** @param {string} text */
export function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/**
 * A task's state in words, its tone, and the one time that matters now.
 *
 * @param {import("./types.js").Task} task
 * @returns {{words: string, tone: ""|"wait"|"critical"|"accent"|"mute", time: string, timeTone: string}}
 */
export function taskState(task) {
  if (task.state === "done") return ended(task, "mute");
  if (task.state === "cancelled") return ended(task, "mute");
  if (task.state === "failed") return { ...ended(task, "critical"), words: failure(task) };
  const held = heldBy(task);
  const words = held ? t("state.held", { reason: reasonWords(held) }) : progress(task);
  const tone = held || (task.state === "queued" && task.reason) ? "wait" : "";
  return { words, tone, ...timeOf(task) };
}

/** @param {import("./types.js").Task} task @param {any} tone */
function ended(task, tone) {
  return { words: t(`state.${task.state}`), tone, time: clock(task.ended_at), timeTone: task.late ? "critical" : "mute" };
}

/** @param {import("./types.js").Task} task */
function failure(task) {
  return task.reason ? t("state.failed_because", { reason: reasonWords(task.reason) }) : t("state.failed");
}

/** @param {import("./types.js").Task} task what its vehicle waits for, while it works on this task */
function heldBy(task) {
  if (task.state !== "underway" || !task.vehicle) return null;
  return state.vehicles.get(task.vehicle)?.waiting_for ?? (task.leg ? task.reason : null);
}

/** @param {import("./types.js").Task} task */
function progress(task) {
  if (task.state === "queued" && task.reason) return t("state.waiting", { reason: reasonWords(task.reason) });
  if (task.state !== "underway") return t(`state.${task.state}`);
  if (task.kind === "patrol" || task.kind === "disinfection") {
    return task.stops_done > 0 || task.stops_total <= 1
      ? t(`state.${task.kind}`, { done: task.stops_done, total: task.stops_total })
      : t("state.on_the_way");
  }
  if (task.stops_done === 0) return t("state.to_pickup");
  const left = task.stops_total - task.stops_done;
  return left > 1 ? t("state.carrying_more", { left }) : t("state.carrying");
}

/** @param {import("./types.js").Task} task */
function timeOf(task) {
  const now = siteNow();
  const eta_s = task.eta_at ? (Date.parse(task.eta_at) - now) / 1000 : null;
  const due_s = task.due_at ? (Date.parse(task.due_at) - now) / 1000 : null;
  if (task.late && due_s !== null) {
    const by = Math.max(-due_s, eta_s !== null ? eta_s - due_s : 0);
    return { time: t("time.late", { by: duration(Math.max(by, 60)) }), timeTone: "critical" };
  }
  if (eta_s !== null && eta_s > 0) return { time: duration(Math.max(eta_s, 60)), timeTone: "" };
  if (eta_s !== null) return { time: t("time.now"), timeTone: "" };
  const earliest_s = task.earliest_at ? (Date.parse(task.earliest_at) - now) / 1000 : 0;
  if (earliest_s > 60) return { time: t("time.from", { at: clock(task.earliest_at) }), timeTone: "" };
  const since_s = (now - Date.parse(task.created_at)) / 1000;
  return { time: t("time.since", { age: duration(since_s) }), timeTone: "mute" };
}

/** What happened to a task, as a line of its history. @param {{event: string, vehicle: string|null, facts: any}} event */
export function eventWords(event) {
  const { reason, ...facts } = { ...event.facts, vehicle: event.vehicle };
  if (event.event === "observed") facts.what = t(`sight.${facts.what}`);
  const what = sentence(`event.${event.event}`, event.event, facts);
  return reason?.code ? `${what}: ${reasonWords(reason)}` : what;
}

/** Why a moment of a replay is marked. @param {{kind: string, code: string, what: string, task: any}} mark */
export function markWords({ kind, code, what, task }) {
  if (kind === "late") return t("replay.late", { id: task.id, task: taskTitle(task) });
  const name = has(`violation.${code}`) ? t(`violation.${code}`) : readable(code);
  return `${name}: ${what}`;
}

/** @param {string} kind of vehicle */
export function kindWords(kind) {
  return has(`vehicle_kind.${kind}`) ? t(`vehicle_kind.${kind}`) : readable(kind);
}
