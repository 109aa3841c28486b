/** All vehicles as a table: what the map shows, for those who read rather than look. */

import { h, keyed, setAttribute, setText } from "../dom.js";
import { age, percent } from "../format.js";
import { t } from "../i18n/index.js";
import { toneOf } from "../map/vehicles.js";
import { select } from "../nav.js";
import { ageOf, state } from "../store.js";
import { capital, kindWords, reasonWords, taskTitle } from "../words.js";
import { whereabouts } from "./drawer.js";

const COLUMNS = ["fleet.name", "fleet.kind", "fleet.activity", "fleet.battery", "fleet.where", "fleet.task", "fleet.zone", "fleet.seen"];

export class FleetScreen {
  constructor() {
    this.body = h("tbody", {});
    this.empty = h("p", { class: "empty" }, t("fleet.empty"));
    const names = h("thead", {}, h("tr", {}, ...COLUMNS.map((key) => h("th", {}, t(key)))));
    this.element = h("div", { class: "table-page" }, h("div", { class: "scroll" }, h("table", {}, names, this.body), this.empty));
  }

  update() {
    if (state.screen !== "fleet") return;
    const vehicles = [...state.vehicles.values()].sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
    keyed(this.body, vehicles, (vehicle) => vehicle.id, makeRow);
    this.empty.hidden = vehicles.length > 0;
  }
}

/** @param {import("../types.js").Vehicle} vehicle */
function makeRow(vehicle) {
  const cells = COLUMNS.map(() => h("td", {}));
  const name = h("button", { type: "button", class: "link-button", "data-vehicle": vehicle.id, onclick: () => select("vehicle", vehicle.id) });
  const bar = h("i", {});
  const charge = h("span", {});
  cells[0].append(name);
  cells[3].append(h("span", { class: "battery small", "aria-hidden": "true" }, bar), charge);
  const element = h("tr", { onclick: () => select("vehicle", vehicle.id) }, ...cells);
  return {
    element,
    /** @param {import("../types.js").Vehicle} now */
    update(now) {
      const task = now.tasks[0] ? state.tasks.get(now.tasks[0]) : null;
      const waits = now.waiting_for ? `: ${reasonWords(now.waiting_for)}` : "";
      const seconds = ageOf(now);
      setText(name, now.name);
      setText(cells[1], kindWords(now.kind));
      setText(cells[2], t(`activity.${now.activity}`) + waits);
      cells[2].className = now.online ? toneOf(now) : "critical";
      bar.style.width = `${Math.round((now.charge_ratio ?? 0) * 100)}%`;
      setText(charge, percent(now.charge_ratio));
      setText(cells[4], whereabouts(now));
      setText(cells[5], task ? capital(taskTitle(task)) : (now.tasks[0] ?? "–"));
      setText(cells[6], t(`zone.${now.zone}`));
      setText(cells[7], seconds === null ? "–" : age(seconds));
      setAttribute(element, "aria-current", state.selection?.id === now.id ? "true" : null);
    },
  };
}
