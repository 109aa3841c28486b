/** Alerts: what is open, what was acknowledged and by whom, what is over. */

import { fill, glyph, h, keyed, setText } from "../dom.js";
import { clock } from "../format.js";
import { t } from "../i18n/index.js";
import { showOnMap } from "../nav.js";
import { openAlerts, state } from "../store.js";
import { alertRemedy, alertWords, capital, vehicleName } from "../words.js";
import { SHAPES, confirmAlert, operator, setOperator } from "./frame.js";

export class AlertsScreen {
  constructor() {
    this.name = /** @type {HTMLInputElement} */ (h("input", { id: "operator", type: "text", value: operator(), autocomplete: "name", maxlength: 80 }));
    this.name.addEventListener("input", () => setOperator(this.name.value));
    this.open = h("ul", { class: "alerts" });
    this.past = h("ul", { class: "alerts past" });
    this.quiet = h("p", { class: "empty" }, t("alerts.none"));
    this.never = h("p", { class: "empty" }, t("alerts.none_past"));
    this.element = h(
      "div", { class: "table-page" },
      (this.who = h("div", { class: "filters" }, h("label", { for: "operator" }, t("alerts.your_name")), this.name, h("span", { class: "summary" }, t("alerts.name_why")))),
      h("div", { class: "scroll" }, h("h2", {}, t("alerts.open")), this.open, this.quiet, h("h2", {}, t("alerts.past")), this.past, this.never),
    );
  }

  update() {
    if (state.screen !== "alerts") return;
    this.who.hidden = !!state.replay;
    const open = openAlerts().filter((alert) => !alert.acknowledged_by);
    const seen = new Set(open.map((alert) => alert.id));
    const past = [...state.alerts.values()].filter((alert) => !seen.has(alert.id)).reverse();
    keyed(this.open, open, (alert) => alert.id, (alert) => this.row(alert));
    keyed(this.past, past, (alert) => alert.id, (alert) => this.row(alert));
    this.quiet.hidden = open.length > 0;
    this.never.hidden = past.length > 0;
  }

  /** @param {import("../types.js").Alert} alert */
  row(alert) {
    const words = h("strong", {});
    const details = h("span", { class: "details" });
    const buttons = h("span", { class: "buttons" });
    const sign = h("span", { class: `sign ${alert.severity}` }, glyph(SHAPES[alert.severity], `shape ${alert.severity}`), t(`severity.${alert.severity}`));
    const element = h("li", { "data-alert": alert.id }, sign, h("span", { class: "text" }, words, details), buttons);
    return {
      element,
      /** @param {import("../types.js").Alert} now */
      update: (now) => {
        setText(words, capital(alertWords(now)));
        const parts = [
          now.vehicle && vehicleName(now.vehicle), now.task, t("alerts.since", { at: clock(now.since) }), now.count > 1 && t("alerts.count", { n: now.count }),
          alertRemedy(now), now.acknowledged_by && t("alerts.by", { name: now.acknowledged_by }), now.cleared_at && t("alerts.cleared", { at: clock(now.cleared_at) }),
        ];
        setText(details, parts.filter(Boolean).join(" · "));
        const key = `${now.acknowledged_by} ${now.cleared_at}`;
        if (buttons.dataset.key !== key) this.offer(buttons, now, key);
      },
    };
  }

  /** @param {HTMLElement} buttons @param {import("../types.js").Alert} alert @param {string} key */
  offer(buttons, alert, key) {
    buttons.dataset.key = key;
    const target = alert.vehicle ? ["vehicle", alert.vehicle] : alert.task ? ["task", alert.task] : null;
    fill(
      buttons,
      target && h("button", { type: "button", class: "button", onclick: () => showOnMap(/** @type {any} */ (target[0]), target[1]) }, t("action.show")),
      !alert.acknowledged_by && !state.replay && h("button", { type: "button", class: "button acknowledge", onclick: () => this.confirm(alert.id) }, t("action.acknowledge")),
    );
  }

  /** @param {string} id */
  confirm(id) {
    if (operator()) void confirmAlert(id, operator());
    else this.name.focus();
  }
}
