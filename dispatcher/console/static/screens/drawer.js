/** The one thing that is selected: a vehicle or a task, with its values and what can be done. */

import { LinkDown, Refused, cancelTask, getTask, prioritise, setInService } from "../api.js";
import { fill, glyph, h, holdButton, setAttribute, setText } from "../dom.js";
import { age, clock, clockWithSeconds, percent } from "../format.js";
import { has, readable, t } from "../i18n/index.js";
import { deselect, select } from "../nav.js";
import { ageOf, changed, hasEnded, state } from "../store.js";
import { capital, eventWords, faultWords, kindWords, otherLeg, placeName, reasonWords, taskRoute, taskState, taskTitle, vehicleName } from "../words.js";

const CROSS = "M3 4l1-1 4 4 4-4 1 1-4 4 4 4-1 1-4-4-4 4-1-1 4-4z";
const PRIORITIES = ["stat", "urgent", "routine", "background"];

export class Drawer {
  constructor() {
    this.element = h("section", { class: "drawer", hidden: true });
    this.key = "";
    /** @type {{update: () => void, tick: () => void}|null} */
    this.content = null;
  }

  update() {
    const { selection } = state;
    if (!selection) {
      this.key = "";
      this.content = null;
      return;
    }
    const key = `${selection.kind} ${selection.id}`;
    if (key !== this.key) {
      this.key = key;
      this.content = selection.kind === "vehicle" ? new VehicleDrawer(selection.id) : new TaskDrawer(selection.id);
      fill(this.element, this.content.element);
    }
    this.content?.update();
  }

  tick() {
    if (state.selection) this.content?.tick();
  }
}

/** The head of a drawer. @param {Node[]} parts */
function head(...parts) {
  const close = h("button", { type: "button", class: "square quiet", "aria-label": t("action.close"), title: t("action.close"), onclick: deselect }, glyph(CROSS));
  return h("div", { class: "head" }, ...parts, h("span", { class: "space" }), close);
}

/** Four values with their names; a value never wraps. @param {string[]} keys */
function values(...keys) {
  const fields = keys.map((key) => h("dd", {}));
  const list = h("dl", { class: "values" }, ...keys.map((key, i) => h("div", {}, h("dt", {}, t(key)), fields[i])));
  return { list, fields };
}

/** @param {Element} field @param {string} text */
function setValue(field, text) {
  setText(field, text);
  setAttribute(field, "title", text);
}

/** Do what a button asks for, and say if it was not done. @param {() => Promise<any>} act @param {Element} answer */
async function attempt(act, answer) {
  setText(answer, t("action.undo_late"));
  try {
    await act();
    setText(answer, "");
  } catch (error) {
    if (error instanceof LinkDown) setText(answer, t("error.link_down"));
    else if (error instanceof Refused) setText(answer, t("error.other", { reason: refusal(error) }));
    else throw error;
  }
}

/** @param {Refused} error */
function refusal(error) {
  return error.fields.map(faultWords).join("; ") || reasonWords({ code: error.code, facts: {} });
}

class VehicleDrawer {
  /** @param {string} id */
  constructor(id) {
    this.id = id;
    this.name = h("h2", {});
    this.kind = h("span", { class: "kind" });
    this.seen = h("span", { class: "seen" });
    this.bar = h("i", {});
    this.battery = h("div", { class: "battery", role: "img" }, this.bar);
    const { list, fields } = values("vehicle.battery", "vehicle.does", "vehicle.where", "vehicle.load", "vehicle.next", "vehicle.home");
    this.fields = fields;
    this.says = h("p", { class: "says" });
    this.conduct = h("p", { class: "says conduct wait" });
    this.tasks = h("div", { class: "chips" });
    this.follow = h("button", { type: "button", class: "button", onclick: () => this.toggleFollow() });
    this.controls = h("div", {});
    /** @type {import("./control.js").Control|null} */
    this.control = null;
    void import("./control.js").then(({ Control }) => this.offerControl(new Control(id)));
    this.service = h("span", {});
    this.answer = h("span", { class: "answer", role: "status" });
    this.element = h(
      "div", { "data-vehicle": id }, head(this.name, this.kind, this.seen), this.battery, list, this.says, this.conduct, this.tasks, this.controls,
      h("div", { class: "actions" }, this.follow, this.service, this.answer),
    );
    /** @type {boolean|null} */
    this.offered = null;
  }

  get vehicle() {
    return state.vehicles.get(this.id);
  }

  toggleFollow() {
    state.following = !state.following;
    changed("selection", "positions");
  }

  update() {
    const vehicle = this.vehicle;
    setText(this.name, vehicle?.name ?? this.id);
    if (!vehicle) return;
    const zone = t(`zone.${vehicle.zone}`);
    setText(this.kind, `${kindWords(vehicle.kind)} · ${zone}`);
    setAttribute(this.battery, "aria-label", `${t("vehicle.battery")} ${percent(vehicle.charge_ratio)}`);
    this.bar.style.width = `${Math.round((vehicle.charge_ratio ?? 0) * 100)}%`;
    this.bar.className = (vehicle.charge_ratio ?? 1) < 0.2 ? "critical" : (vehicle.charge_ratio ?? 1) < 0.35 ? "wait" : "";
    const [battery, does, , load, next, home] = this.fields;
    setValue(battery, percent(vehicle.charge_ratio));
    setValue(does, t(`activity.${vehicle.activity}`));
    setValue(home, placeName(vehicle.home));
    setValue(load, vehicle.loads.length ? vehicle.loads.map(loadWords).join(", ") : t("vehicle.empty"));
    setValue(next, vehicle.goal ? placeName(vehicle.goal) : "–");
    this.showTrouble(vehicle);
    this.showTasks(vehicle);
    setText(this.follow, t(state.following ? "action.following" : "action.follow"));
    setAttribute(this.follow, "aria-pressed", String(state.following));
    this.offerService(vehicle);
    this.control?.update();
    this.tick();
  }

  tick() {
    const vehicle = this.vehicle;
    if (!vehicle) return;
    const seconds = ageOf(vehicle);
    setText(this.seen, seconds === null ? t("vehicle.never_seen") : t("vehicle.seen", { age: age(seconds) }));
    this.seen.classList.toggle("critical", !vehicle.online);
    setValue(this.fields[2], whereabouts(vehicle));
  }

  /** @param {import("../types.js").Vehicle} vehicle */
  showTrouble(vehicle) {
    const waits = vehicle.waiting_for ? t("vehicle.waits", { reason: reasonWords(vehicle.waiting_for) }) : "";
    const breaches = vehicle.breaches ?? [];
    const rules = breaches.map((one) => (has(`reason.${one.rule}`) ? t(`reason.${one.rule}`) : one.words));
    setText(this.conduct, rules.length ? t("vehicle.breaks", { rules: rules.join(" · ") }) : "");
    this.conduct.hidden = !rules.length;
    const told = vehicle.errors.filter((error) => error.code !== "non_conformant" || !rules.length);
    const errors = told.map((error) => (has(`reason.${error.code}`) ? t(`reason.${error.code}`) : error.text || readable(error.code)));
    setText(this.says, capital([waits, ...errors].filter(Boolean).join(" · ")));
    this.says.className = `says ${errors.length ? "critical" : "wait"}`;
    this.says.hidden = !this.says.textContent;
  }

  /** @param {import("../types.js").Vehicle} vehicle */
  showTasks(vehicle) {
    const key = vehicle.tasks.join();
    if (this.tasks.dataset.key === key) return;
    this.tasks.dataset.key = key;
    const chip = (id) => {
      const task = state.tasks.get(id);
      return h("button", { type: "button", class: "chip", onclick: () => select("task", id) }, task ? capital(taskTitle(task)) : id);
    };
    fill(this.tasks, ...vehicle.tasks.slice(0, 6).map(chip));
  }

  /** @param {import("./control.js").Control} control */
  offerControl(control) {
    this.control = control;
    this.controls.append(control.element);
    control.update();
  }

  /** @param {import("../types.js").Vehicle} vehicle */
  offerService(vehicle) {
    if (this.offered === vehicle.in_service || state.replay || vehicle.activity === "watched") return;
    this.offered = vehicle.in_service;
    const act = () => void attempt(() => setInService(this.id, !vehicle.in_service), this.answer);
    const label = t(vehicle.in_service ? "action.out_of_service" : "action.in_service", { name: vehicle.name });
    const button = vehicle.in_service
      ? holdButton(label, t("action.hold"), act)
      : h("button", { type: "button", class: "button", onclick: act }, label);
    fill(this.service, button);
  }
}

/** A load as words: a goods class, or the task it belongs to. @param {string} load */
function loadWords(load) {
  if (has(`goods.${load}`)) return t(`goods.${load}`);
  const task = state.tasks.get(load);
  return task ? taskTitle(task) : load;
}

/** @param {import("../types.js").Vehicle} vehicle */
export function whereabouts(vehicle) {
  if (!vehicle.level) return "–";
  const level = placeName(vehicle.level);
  if (vehicle.medium !== "air" || !(vehicle.height_agl_m > 1)) return level;
  return t("vehicle.height", { level, height: Math.round(vehicle.height_agl_m) });
}

class TaskDrawer {
  /** @param {string} id */
  constructor(id) {
    this.id = id;
    /** @type {import("../types.js").Task|null} */
    this.fetched = null;
    this.fetchedState = "";
    this.jumps = state.replay?.jumps ?? 0;
    this.unknown = false;
    this.name = h("h2", {});
    this.kind = h("span", { class: "kind" });
    this.words = h("p", { class: "says" });
    const { list, fields } = values("task.vehicle", "task.eta", "task.due", "task.created");
    this.fields = fields;
    this.priority = h("div", { class: "segments", role: "radiogroup", "aria-label": t("task.priority") });
    this.cancel = h("span", {});
    this.answer = h("span", { class: "answer", role: "status" });
    this.route = h("p", { class: "way" });
    this.note = h("p", { class: "note" });
    this.leg = h("div", { class: "chips", hidden: true });
    this.history = h("ol", { class: "history" });
    this.posts = h("ul", { class: "posts", hidden: true });
    this.element = h(
      "div", { "data-task": id }, head(this.name, this.kind), this.route, this.words, list, this.note, this.leg, this.posts,
      h("div", { class: "actions" }, this.priority, this.cancel, this.answer),
      h("h3", {}, t("task.history")), this.history,
    );
  }

  get task() {
    return state.tasks.get(this.id) ?? this.fetched;
  }

  update() {
    this.forgetTheFuture();
    const task = this.task;
    const key = task ? `${task.state} ${task.vehicle} ${task.stops_done} ${task.priority}` : "?";
    if (key !== this.fetchedState && state.link.state !== "lost") {
      this.fetchedState = key;
      void this.fetchHistory();
    }
    if (!task) {
      setText(this.name, this.id);
      this.showNothing();
      return;
    }
    setText(this.name, capital(taskTitle(task)));
    setText(this.kind, [t(`kind.${task.kind}`), task.id].join(" · "));
    setText(this.route, taskRoute(task));
    this.showVehicle(task);
    setValue(this.fields[2], task.due_at ? clock(task.due_at) : "–");
    setValue(this.fields[3], clock(task.created_at));
    setText(this.note, [task.requester, task.note].filter(Boolean).join(" · "));
    this.note.hidden = !this.note.textContent;
    this.showOtherLeg(task);
    this.showActions(task);
    this.tick();
  }

  tick() {
    const task = this.task;
    if (!task) return;
    const shown = taskState(task);
    const stops = task.stops_total > 1 ? `${t("task.stops")} ${task.stops_done}/${task.stops_total}` : "";
    setText(this.words, capital([shown.words, shown.time, stops].filter(Boolean).join(" · ")));
    this.words.className = `says ${shown.tone || shown.timeTone}`;
    setValue(this.fields[1], clock(task.ended_at ?? task.eta_at));
    const watch = state.watches.find((each) => each.task === task.id);
    this.posts.hidden = !watch;
    if (watch) fill(this.posts, ...watch.posts.map((post) => h("li", {}, postWords(post))), gapRow(watch));
  }

  /** @param {import("../types.js").Task} task */
  showOtherLeg(task) {
    const other = otherLeg(task);
    this.leg.hidden = !other;
    if (!other) return;
    const words = t("task.other_leg", { state: taskState(other).words });
    if (this.leg.dataset.key === words) return;
    this.leg.dataset.key = words;
    fill(this.leg, h("button", { type: "button", class: "chip", onclick: () => select("task", other.id) }, words));
  }

  /** @param {import("../types.js").Task} task */
  showVehicle(task) {
    const [field] = this.fields;
    const id = task.vehicle;
    if (field.dataset.vehicle === String(id)) return;
    field.dataset.vehicle = String(id);
    fill(field, id ? h("button", { type: "button", class: "link-button", onclick: () => select("vehicle", id) }, vehicleName(id)) : "–");
  }

  /** @param {import("../types.js").Task} task */
  showActions(task) {
    const over = hasEnded(task) || task.state === "cancelling" || !!state.replay;
    const key = `${task.priority} ${over} ${task.state}`;
    if (this.priority.dataset.key === key) return;
    this.priority.dataset.key = key;
    const button = (priority) =>
      h(
        "button",
        {
          type: "button", role: "radio", "aria-checked": String(priority === task.priority), class: priority, title: t(`priority.${priority}`),
          onclick: () => void attempt(() => prioritise(this.id, priority), this.answer),
        },
        t(`priority.${priority}.tag`),
      );
    fill(this.priority, ...(over ? [] : PRIORITIES.map(button)));
    this.priority.hidden = over;
    const label = t("action.cancel_task", { name: taskTitle(task) });
    fill(this.cancel, over ? null : holdButton(label, t("action.hold"), () => void attempt(() => cancelTask(this.id), this.answer)));
  }

  /** There is no such task, or not yet. */
  showNothing() {
    for (const part of [this.kind, this.route, this.note, ...this.fields]) setText(part, "");
    setText(this.words, this.unknown ? t("task.unknown", { id: this.id }) : "");
    delete this.fields[0].dataset.vehicle;
    fill(this.history);
  }

  /** Another moment of a replay is shown: what was fetched at the old one may not have happened yet. */
  forgetTheFuture() {
    const jumps = state.replay?.jumps ?? 0;
    if (jumps === this.jumps) return;
    this.jumps = jumps;
    this.unknown = false;
    this.fetched = null;
    this.fetchedState = "";
  }

  async fetchHistory() {
    const { jumps } = this;
    try {
      const task = await getTask(this.id);
      if (jumps !== this.jumps) return;
      this.fetched = task;
      fill(this.history, ...(task.timeline ?? []).map(eventRow).reverse());
      this.update();
    } catch (error) {
      if (error instanceof Refused && error.status === 404) {
        this.unknown = true;
        this.update();
      } else if (!(error instanceof Refused || error instanceof LinkDown)) throw error;
    }
  }
}

/** Who is on a post, until when, and for how long something there was not seen. @param {import("../types.js").Post} post */
function postWords(post) {
  const there = post.on_station.map(vehicleName).join(", ") || t("watch.nobody");
  const parts = [`${t("watch.on_station")}: ${there}`, ...post.coming.map((id) => t("watch.coming", { vehicle: vehicleName(id) }))];
  if (post.leaves_at) parts.push(t("watch.relief", { at: clock(post.leaves_at) }));
  if (post.idle_s !== null) parts.push(t("watch.idle", { age: age(post.idle_s) }));
  return parts.join(" · ");
}

/** @param {import("../types.js").Watch} watch */
function gapRow(watch) {
  return watch.gap_s ? h("li", { class: "critical" }, t("watch.gap")) : null;
}

/** @param {{at: string, event: string, vehicle: string|null, facts: any}} event */
function eventRow(event) {
  return h("li", {}, h("time", {}, clockWithSeconds(event.at)), h("span", {}, capital(eventWords(event))));
}
