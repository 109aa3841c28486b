/** The bar over everything, and the alert strip below it. */

import { acknowledge } from "../api.js";
import { glyph, h, setAttribute, setText } from "../dom.js";
import { age, clock, duration } from "../format.js";
import { LANGUAGES, current, named, t } from "../i18n/index.js";
import { SCREENS, compose, go, showOnMap } from "../nav.js";
import { openAlerts, siteNow, state } from "../store.js";
import { alertRemedy, alertWords, capital } from "../words.js";

export const SHAPES = {
  critical: "M5 1h6l4 4v6l-4 4H5l-4-4V5z",
  high: "M8 1l7.5 14h-15z",
  notice: "M8 1l7 7-7 7-7-7z",
  info: "M8 2a6 6 0 100 12A6 6 0 008 2z",
};
/** While they last, these have a banner of their own. */
const BANNER = new Set(["fire", "code_blue", "weather"]);
const OPERATOR = "wardline.operator";

export class Bar {
  /** @param {() => void} otherLanguage @param {() => void} raise an emergency @param {() => void} incidents show them */
  constructor(otherLanguage, raise, incidents) {
    this.site = h("span", { class: "site" });
    this.tag = h("span", { class: "tag simulation" });
    this.tabs = SCREENS.map((screen) => h("a", { href: `#/${screen}`, "data-screen": screen }, t(`screen.${screen}`)));
    this.badge = h("span", { class: "badge" });
    this.tabs[SCREENS.indexOf("alerts")].append(this.badge);
    this.link = h("span", { class: "link", role: "status", "aria-live": "polite" });
    this.age = h("span", { class: "age" });
    this.time = h("time", { class: "time" });
    const here = current();
    const words = Object.entries(LANGUAGES).flatMap(([code, name], i) => [
      i ? " · " : null,
      h("span", { class: code === here ? "here" : "there", lang: code === "zh" ? "zh-Hans" : code }, name),
    ]);
    const language = h("button", { type: "button", class: "language", "aria-label": t("app.language"), onclick: otherLanguage }, ...words);
    this.alarm = h("button", { type: "button", class: "button quiet alarm", onclick: raise }, t("action.emergency"));
    this.calls = h("button", { type: "button", class: "button quiet", hidden: true, onclick: incidents });
    this.add = h("button", { type: "button", class: "button filled new", onclick: () => compose(true) }, t("action.new_task"), h("kbd", {}, "n"));
    this.element = h(
      "header", { class: "bar" }, this.site, this.tag,
      h("nav", { "aria-label": t("app.screens") }, ...this.tabs),
      h("span", { class: "space" }), this.link, this.time, language, this.calls, this.alarm, this.add,
    );
  }

  update() {
    setText(this.site, named(state.site?.name) || "Wardline");
    const title = named(state.site?.name) || "Wardline";
    document.title = state.replay ? `${t("replay.title")} · ${title}` : title;
    this.add.hidden = this.alarm.hidden = !!state.replay;
    const calls = state.incidents.filter((one) => one.state !== "closed").length;
    this.calls.hidden = !!state.replay || !(state.incidents.length || [...state.vehicles.values()].some((one) => one.medium === "air"));
    setText(this.calls, calls ? `${t("action.incidents")} (${calls})` : t("action.incidents"));
    this.tag.hidden = !state.simulation && !state.replay;
    this.tag.classList.toggle("replaying", !!state.replay);
    const speed = state.speed && state.speed !== 1 ? state.speed : null;
    if (state.replay) setText(this.tag, t("replay.title"));
    else setText(this.tag, speed ? t("app.simulation_speed", { n: speed }) : t("app.simulation"));
    for (const tab of this.tabs) {
      setAttribute(tab, "aria-current", tab.dataset.screen === state.screen ? "page" : null);
    }
    const open = openAlerts().filter((alert) => !alert.acknowledged_by).length;
    this.badge.hidden = !open;
    setText(this.badge, String(open));
    this.tick();
  }

  /** What changes by the passing of time alone. */
  tick() {
    const { state: link, heard_ms, since_ms } = state.link;
    const seconds = (performance.now() - (heard_ms || since_ms)) / 1000;
    setAttribute(this.link, "data-state", link);
    setText(this.link, link === "live" && state.replay ? replayWords(state.replay) : linkWords(link, seconds));
    setText(this.time, clock(siteNow()));
  }
}

/** @param {"connecting"|"live"|"lost"} link @param {number} seconds since it was heard */
function linkWords(link, seconds) {
  if (link === "connecting") return t("link.connecting");
  return t(link === "lost" && state.replay ? "link.lost_short" : `link.${link}`, { age: age(seconds) });
}

/** @param {import("../types.js").Replay} replay */
function replayWords(replay) {
  return replay.playing ? t("replay.playing", { n: replay.speed }) : t("replay.paused");
}

export class Strip {
  constructor() {
    this.element = h("div", { class: "strip", role: "status", "aria-live": "polite", hidden: true });
    this.shown = "";
  }

  update() {
    const open = openAlerts().filter((alert) => !alert.acknowledged_by && alert.severity !== "info" && !(BANNER.has(alert.code) && !alert.cleared_at));
    const alert = open[0];
    this.element.hidden = !alert;
    const key = alert ? JSON.stringify([alert, open.length]) : "";
    if (key === this.shown) return;
    this.shown = key;
    this.alert = alert;
    this.element.replaceChildren(...(alert ? this.parts(alert, open.length) : []));
  }

  /** @param {import("../types.js").Alert} alert @param {number} open */
  parts(alert, open) {
    this.element.dataset.severity = alert.severity;
    const since = (siteNow() - Date.parse(alert.since)) / 1000;
    const now = alert.cleared_at ? t("alerts.cleared", { at: clock(alert.cleared_at) }) : alertRemedy(alert);
    const details = [duration(since), now].filter(Boolean).join(" · ");
    const target = alert.vehicle ? ["vehicle", alert.vehicle] : alert.task ? ["task", alert.task] : null;
    return [
      glyph(SHAPES[alert.severity], `shape ${alert.severity}`),
      h("strong", {}, capital(alertWords(alert))),
      h("span", { class: "details" }, details),
      h("span", { class: "space" }),
      open > 1 && h("button", { type: "button", class: "button quiet", onclick: () => go("alerts") }, t("action.all_alerts", { n: open })),
      target && h("button", { type: "button", class: "button", onclick: () => showOnMap(/** @type {any} */ (target[0]), target[1]) }, t("action.show")),
      !state.replay && h("button", { type: "button", class: "button acknowledge", onclick: () => this.acknowledge() }, t("action.acknowledge")),
    ].filter((part) => part instanceof Node);
  }

  acknowledge() {
    if (!this.alert || state.replay) return;
    if (operator()) void confirmAlert(this.alert.id, operator());
    else go("alerts");
  }
}

/** The name that goes into the record with an acknowledgement; asked for once. */
export function operator() {
  return localStorage.getItem(OPERATOR) ?? "";
}

/** @param {string} name */
export function setOperator(name) {
  localStorage.setItem(OPERATOR, name.trim());
}

/** @param {string} id @param {string} by */
export async function confirmAlert(id, by) {
  const alert = await acknowledge(id, by).catch(() => null);
  if (alert) state.alerts.set(id, alert);
}
