/** Incidents: the list with the way to close them, and the form for the spot that was pointed at. */

import { LinkDown, Refused, closeIncident, recallAll, reportIncident } from "../api.js";
import { h, holdButton, keyed, setText } from "../dom.js";
import { clock } from "../format.js";
import { t } from "../i18n/index.js";
import { on, state } from "../store.js";
import { faultWords, placeName, reasonWords, vehicleName } from "../words.js";
import { repliesWords } from "./control.js";
import { operator } from "./frame.js";

const PRIORITIES = ["stat", "urgent", "routine"];

/** @returns {any[]} the open ones first, then the latest */
function listed() {
  const open = (one) => Number(one.state === "closed");
  return [...state.incidents].sort((a, b) => open(a) - open(b) || b.id.localeCompare(a.id));
}

/** @param {any} incident how far help has come, in words */
function stateWords(incident) {
  const vehicle = incident.vehicle ? vehicleName(incident.vehicle) : "";
  if (incident.promised) return t("incidents.promised", { vehicle: vehicleName(incident.promised) });
  return t(`incidents.state.${incident.state}`, { vehicle });
}

class Row {
  /** @param {any} incident */
  constructor(incident) {
    this.words = h("strong");
    this.details = h("span", { class: "details" });
    this.why = h("ul", { class: "reasons" });
    this.says = h("span", { class: "says", role: "status" });
    this.notes = h("input", { type: "text", maxlength: "500", "aria-label": t("incidents.notes"), placeholder: t("incidents.notes") });
    const notes = /** @type {HTMLInputElement} */ (this.notes);
    const close = () => void attempt(() => closeIncident(incident.id, { notes: notes.value, ...by() }), this.says);
    this.closing = h("span", { class: "closing" }, this.notes, holdButton(t("incidents.close"), t("action.hold"), close));
    const base = `/api/v1/incidents/${encodeURIComponent(incident.id)}`;
    this.element = h(
      "li", { class: "incident", "data-incident": incident.id }, h("div", {}, this.words), this.details, this.why, this.says, this.closing,
      h("a", { href: `${base}/sheet`, target: "_blank", rel: "noopener" }, t("incidents.sheet")),
      h("a", { href: `${base}/geojson`, download: `${incident.id}.geojson` }, t("incidents.map_file")),
    );
  }

  /** @param {any} incident */
  update(incident) {
    setText(this.words, `${incident.external_id ?? incident.id} · ${stateWords(incident)}`);
    const where = incident.place ? placeName(incident.place) : `${incident.lat_deg}, ${incident.lon_deg}`;
    setText(this.details, [clock(incident.reported_at), t(`priority.${incident.priority}`), where, incident.text].filter(Boolean).join(" · "));
    const waits = incident.state === "waiting" ? incident.reasons : [];
    this.why.replaceChildren(...waits.map((one) => h("li", {}, `${vehicleName(one.vehicle)}: ${reasonWords(one.reason)}`)));
    this.closing.hidden = incident.state === "closed" || !!state.replay;
  }
}

/** @returns {{by?: string}} */
function by() {
  return operator() ? { by: operator() } : {};
}

/** @param {() => Promise<any>} act @param {HTMLElement} says @returns {Promise<any>} null where it was not done */
async function attempt(act, says) {
  try {
    const answer = await act();
    setText(says, "");
    return answer;
  } catch (error) {
    if (error instanceof Refused) setText(says, error.fields.map(faultWords).join(" ") || error.message);
    else if (error instanceof LinkDown) setText(says, t("emergency.no_link"));
    else throw error;
    return null;
  }
}

/** Show all incidents, and the button that calls every drone home. */
export function showIncidents() {
  const list = h("ul", { class: "incidents" });
  const none = h("p", {}, t("incidents.none"));
  const says = h("p", { class: "says", role: "status" });
  const recall = async () => {
    if (!operator()) return setText(says, t("control.name_first"));
    const answer = await attempt(() => recallAll(operator()), says);
    if (answer) setText(says, repliesWords(answer.answers) || t("control.none_flying"));
  };
  const update = () => {
    none.hidden = state.incidents.length > 0;
    keyed(list, listed(), (one) => one.id, (one) => new Row(one));
  };
  const close = h("button", { type: "button", class: "button", onclick: () => dialog.close() }, t("action.close"));
  const all = state.replay ? null : holdButton(t("action.recall_all"), t("action.hold"), () => void recall());
  const dialog = /** @type {HTMLDialogElement} */ (
    h(
      "dialog", { class: "help", "aria-label": t("incidents.title") }, h("h2", {}, t("incidents.title")),
      h("p", {}, t("incidents.how")), none, list, says, h("div", { class: "buttons" }, all, close),
    )
  );
  const stop = on(["incidents"], update);
  show(dialog, stop);
  update();
}

/** Ask what has happened at a spot of the site, and report it. @param {number} x_m @param {number} y_m */
export function askForIncident(x_m, y_m) {
  if (state.replay) return;
  const text = /** @type {HTMLInputElement} */ (h("input", { type: "text", id: "incident-text", maxlength: "500" }));
  const urgent = /** @type {HTMLSelectElement} */ (
    h("select", { id: "incident-priority" }, ...PRIORITIES.map((one) => h("option", { value: one }, t(`priority.${one}`))))
  );
  const says = h("p", { class: "says critical", role: "status" });
  const report = async () => {
    const body = { source: "map", x_m, y_m, text: text.value, priority: urgent.value, ...by() };
    if (!(await attempt(() => reportIncident(body), says))) return;
    dialog.close();
    showIncidents();
  };
  const close = h("button", { type: "button", class: "button", onclick: () => dialog.close() }, t("action.close"));
  const send = h("button", { type: "button", class: "button filled", onclick: () => void report() }, t("incidents.report"));
  const dialog = /** @type {HTMLDialogElement} */ (
    h(
      "dialog", { class: "help", "aria-label": t("incidents.here") }, h("h2", {}, t("incidents.here")),
      h("label", { for: "incident-text" }, t("incidents.text")), text,
      h("label", { for: "incident-priority" }, t("incidents.priority")), urgent, says,
      h("div", { class: "buttons" }, send, close),
    )
  );
  show(dialog, () => {});
  text.focus();
}

/** @param {HTMLDialogElement} dialog @param {() => void} gone */
function show(dialog, gone) {
  dialog.addEventListener("close", () => {
    gone();
    dialog.remove();
  });
  document.body.append(dialog);
  dialog.showModal();
}
