/** All tasks, also those of long ago: filters, pages, and the same drawer as everywhere. */

import { LinkDown, Refused, getTasks } from "../api.js";
import { h, keyed, setAttribute, setText } from "../dom.js";
import { clock } from "../format.js";
import { named, t } from "../i18n/index.js";
import { select } from "../nav.js";
import { state } from "../store.js";
import { capital, taskRoute, taskState, taskTitle, vehicleName } from "../words.js";

const PAGE = 50;
const PAUSE_MS = 250;
const FRESH_MS = 5000;
const STATES = ["queued", "assigned", "underway", "cancelling", "done", "failed", "cancelled"];
const KINDS = ["delivery", "medicine", "patrol", "disinfection"];
const COLUMNS = ["task.priority", "task.what", "task.from_to", "task.vehicle", "task.state", "task.created", "task.due"];
/** What was looked for last; it outlives a change of language. */
const filter = { q: "", state: "", kind: "", place: "" };

export class TasksScreen {
  constructor() {
    /** @type {import("../types.js").Task[]} */
    this.rows = [];
    this.cursor = null;
    this.asked = -Infinity;
    this.jumps = 0;
    this.timer = 0;
    this.search = h("input", { id: "search", type: "search", placeholder: t("tasks.search"), "aria-label": t("tasks.search"), value: filter.q });
    this.search.addEventListener("input", () => this.set("q", /** @type {HTMLInputElement} */ (this.search).value));
    this.places = this.chooser("place", t("tasks.all_places"), []);
    this.count = h("span", { class: "summary", role: "status" });
    this.body = h("tbody", {});
    this.empty = h("p", { class: "empty", hidden: true }, t("tasks.none"));
    this.more = h("button", { type: "button", class: "button", hidden: true, onclick: () => void this.fetch(this.cursor) }, t("action.more"));
    this.element = h(
      "div", { class: "table-page" },
      h(
        "div", { class: "filters" }, this.search,
        this.chooser("state", t("tasks.all_states"), STATES.map((each) => [each, t(`state.${each}`)])),
        this.chooser("kind", t("tasks.all_kinds"), KINDS.map((each) => [each, t(`kind.${each}`)])), this.places, this.count,
      ),
      h("div", { class: "scroll" }, h("table", {}, h("thead", {}, h("tr", {}, ...COLUMNS.map((key) => h("th", {}, t(key))))), this.body), this.empty, this.more),
    );
  }

  /** @param {"state"|"kind"|"place"} name @param {string} all @param {string[][]} options */
  chooser(name, all, options) {
    const select = /** @type {HTMLSelectElement} */ (h("select", { "aria-label": all }));
    select.append(h("option", { value: "" }, all), ...options.map(([value, words]) => h("option", { value }, words)));
    select.value = filter[name];
    select.addEventListener("change", () => this.set(name, select.value));
    return select;
  }

  /** @param {"q"|"state"|"kind"|"place"} name @param {string} value */
  set(name, value) {
    filter[name] = value;
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.fetch(null), PAUSE_MS);
  }

  update() {
    if (state.screen !== "tasks") return;
    this.fillPlaces();
    const jumps = state.replay?.jumps ?? 0;
    const old = performance.now() - this.asked > FRESH_MS && !this.cursor;
    if (old || jumps !== this.jumps) void this.fetch(null);
    this.jumps = jumps;
    this.show();
  }

  fillPlaces() {
    const select = /** @type {HTMLSelectElement} */ (this.places);
    const places = state.site?.places.filter((place) => !place.roles.length) ?? [];
    if (select.options.length === places.length + 1) return;
    select.replaceChildren(select.options[0], ...places.map((place) => h("option", { value: place.id }, named(place.name))));
    select.value = filter.place;
  }

  /** @param {string|null} cursor null = from the beginning */
  async fetch(cursor) {
    this.asked = performance.now();
    const query = Object.fromEntries(Object.entries({ ...filter, cursor: cursor ?? "", limit: String(PAGE) }).filter(([, value]) => value));
    try {
      const page = await getTasks(query);
      this.rows = cursor ? [...this.rows, ...page.tasks] : page.tasks;
      this.cursor = cursor || page.next ? page.next : null;
      setText(this.count, page.total === undefined ? "" : t("tasks.count", { n: page.total }));
    } catch (error) {
      if (!(error instanceof LinkDown || error instanceof Refused)) throw error;
    }
    this.show();
  }

  show() {
    const rows = this.rows.map((task) => state.tasks.get(task.id) ?? task);
    keyed(this.body, rows, (task) => task.id, makeRow);
    this.empty.hidden = rows.length > 0;
    this.more.hidden = !this.cursor;
  }
}

/** @param {import("../types.js").Task} task */
function makeRow(task) {
  const tag = h("span", { class: "tag" });
  const open = h("button", { type: "button", class: "link-button", "data-task": task.id, onclick: () => select("task", task.id) });
  const cells = COLUMNS.map(() => h("td", {}));
  cells[0].append(tag);
  cells[1].append(open);
  const element = h("tr", { onclick: () => select("task", task.id) }, ...cells);
  return {
    element,
    /** @param {import("../types.js").Task} now */
    update(now) {
      const shown = taskState(now);
      tag.className = `tag ${now.priority}`;
      setText(tag, t(`priority.${now.priority}.tag`));
      setText(open, capital(taskTitle(now)));
      setText(cells[2], taskRoute(now));
      setText(cells[3], vehicleName(now.vehicle));
      setText(cells[4], [shown.words, shown.time].filter(Boolean).join(" · "));
      cells[4].className = shown.tone || shown.timeTone;
      setText(cells[5], clock(now.created_at));
      setText(cells[6], clock(now.due_at));
      setAttribute(element, "aria-current", state.selection?.id === now.id ? "true" : null);
    },
  };
}
