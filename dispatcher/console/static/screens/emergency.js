/** Emergencies: the banner while one lasts, with the way to end it, and the way to raise one. */

import { LinkDown, Refused, endEmergency, raiseEmergency } from "../api.js";
import { glyph, h, holdButton, keyed, setText } from "../dom.js";
import { clock } from "../format.js";
import { named, t } from "../i18n/index.js";
import { state } from "../store.js";
import { alertRemedy, alertWords, capital, faultWords } from "../words.js";
import { SHAPES, operator } from "./frame.js";

export const EMERGENCIES = new Set(["fire", "code_blue", "weather"]);

/** @returns {import("../types.js").Alert[]} those that last, the oldest first */
export function emergencies() {
  return [...state.alerts.values()].filter((alert) => EMERGENCIES.has(alert.code) && !alert.cleared_at);
}

/** A row for each emergency that lasts; a replay shows them, but ends none. */
export class EmergencyBanner {
  constructor() {
    this.element = h("div", { class: "emergencies", role: "alert", hidden: true });
  }

  update() {
    const lasting = emergencies();
    this.element.hidden = !lasting.length;
    keyed(this.element, lasting, (alert) => `${alert.id} ${!!state.replay}`, (alert) => new Row(alert));
  }
}

class Row {
  /** @param {import("../types.js").Alert} alert */
  constructor(alert) {
    this.words = h("strong");
    this.details = h("span", { class: "details" });
    this.says = h("span", { class: "says", role: "status" });
    const end = () => void attempt(() => endEmergency(alert.facts.emergency, operator()), this.says);
    this.element = h(
      "div", { class: "emergency" }, glyph(SHAPES.critical, "shape"), this.words, this.details, h("span", { class: "space" }),
      this.says, state.replay ? null : holdButton(t("emergency.end"), t("action.hold"), end),
    );
  }

  /** @param {import("../types.js").Alert} alert */
  update(alert) {
    setText(this.words, capital(alertWords({ ...alert, facts: { ...alert.facts, where: placeWords(String(alert.facts.where ?? "")) } })));
    setText(this.details, `${clock(alert.since)} · ${alertRemedy(alert)}`);
  }
}

/** @param {string} where ids of levels, areas, zones and lanes @returns {string} their names, where they have any */
function placeWords(where) {
  if (!where) return t("emergency.everywhere");
  const known = [...(state.site?.levels ?? []), ...(state.site?.areas ?? [])];
  return where.split(" ").map((id) => zoneWords(id) ?? named(known.find((one) => one.id === id)?.name) ?? id).join(" ");
}

/** @param {string} id */
function zoneWords(id) {
  return ["clean", "semi", "contaminated"].includes(id) ? t(`zone.${id}`) : null;
}

/** @param {() => Promise<any>} act @param {HTMLElement} says */
async function attempt(act, says) {
  try {
    await act();
    setText(says, "");
    return true;
  } catch (error) {
    if (error instanceof Refused) setText(says, error.fields.map(faultWords).join(" ") || error.message);
    else if (error instanceof LinkDown) setText(says, t("emergency.no_link"));
    else throw error;
    return false;
  }
}

/** @returns {[string, any][]} what may be raised, in words, with the request for each */
function choices() {
  const site = state.site;
  const buildings = (site?.areas ?? []).filter((area) => area.kind === "building");
  const zones = [...new Set((site?.areas ?? []).map((area) => area.zone))];
  return [
    [`${t("emergency.fire")} · ${t("emergency.everywhere")}`, { kind: "fire" }],
    ...buildings.map((area) => entry("fire", named(area.name) || area.id, { building: area.id })),
    ...(site?.levels ?? []).filter((level) => !level.outdoors).map((level) => entry("code_blue", named(level.name) || level.id, { level: level.id })),
    ...zones.map((zone) => entry("code_blue", t(`zone.${zone}`), { zone })),
    [t("emergency.weather"), { kind: "weather" }],
  ];
}

/** @param {string} kind @param {string} words @param {any} where @returns {[string, any]} */
function entry(kind, words, where) {
  return [`${t(`emergency.${kind}`)} · ${words}`, { kind, ...where }];
}

/** Ask what has happened and where, then raise it; held for a second, like all that can't be undone. */
export function askForEmergency() {
  const asked = choices();
  const select = /** @type {HTMLSelectElement} */ (
    h("select", { id: "emergency-what" }, ...asked.map(([words], i) => h("option", { value: String(i) }, words)))
  );
  const says = h("p", { class: "says critical", role: "status" });
  const reason = /** @type {HTMLInputElement} */ (h("input", { id: "emergency-reason", maxlength: "200" }));
  const why = h("div", { hidden: true }, h("label", { for: "emergency-reason" }, t("emergency.reason")), reason);
  const weather = () => asked[Number(select.value)][1].kind === "weather";
  select.addEventListener("change", () => (why.hidden = !weather()));
  const body = () => ({
    ...asked[Number(select.value)][1], ...(weather() ? { reason: reason.value } : {}), ...(operator() ? { by: operator() } : {}),
  });
  const raise = async () => {
    if (await attempt(() => raiseEmergency(body()), says)) dialog.close();
  };
  const close = h("button", { type: "button", class: "button", onclick: () => dialog.close() }, t("action.close"));
  const dialog = /** @type {HTMLDialogElement} */ (
    h(
      "dialog", { class: "help alarm", "aria-label": t("emergency.title") }, h("h2", {}, t("emergency.title")),
      h("p", {}, t("emergency.what_happens")), h("label", { for: "emergency-what" }, t("emergency.what")), select, why, says,
      h("div", { class: "buttons" }, holdButton(t("emergency.raise"), t("action.hold"), () => void raise()), close),
    )
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
