/** The keyboard: everything the pointer can do, and a list of it under `?`. */

import { h } from "./dom.js";
import { t } from "./i18n/index.js";
import { draw, sketch } from "./map/sketch.js";
import { compose, deselect, go } from "./nav.js";
import { changed, openAlerts, state } from "./store.js";

const PLACES = { o: "operations", t: "tasks", f: "fleet", a: "alerts" };
const PATIENCE_MS = 1200;
const LIST = [
  ["n", "help.new"], ["/", "help.search"], ["a", "help.alert"], ["Esc", "help.escape"],
  ["g o", "help.operations"], ["g t", "help.tasks"], ["g f", "help.fleet"], ["g a", "help.alerts"],
  ["Enter", "help.enter"], ["f", "help.follow"], ["[ ]", "help.levels"], ["0", "help.fit"], ["?", "help.help"],
];

const REPLAY = [["Space", "help.replay_play"], ["← →", "help.replay_step"], [", .", "help.replay_mark"], ["< >", "help.replay_speed"]];

/** @param {{stage: any, form: () => any, acknowledge: () => void}} parts */
export function listenToKeys(parts) {
  let leader_ms = -Infinity;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.key === "Escape") return leave();
    const target = /** @type {HTMLElement} */ (event.target);
    if (target.closest("input, textarea, select, dialog, [role=radiogroup]")) return;
    const led = performance.now() - leader_ms < PATIENCE_MS;
    leader_ms = -Infinity;
    if (led && event.key in PLACES) go(PLACES[/** @type {"o"} */ (event.key)]);
    else if (event.key === "g") leader_ms = performance.now();
    else if (!plain(event.key, parts)) return;
    event.preventDefault();
  });
}

/** @param {string} key @param {{stage: any, form: () => any, acknowledge: () => void}} parts @returns {boolean} whether it meant anything */
function plain(key, { stage, form }) {
  if (key === "n") {
    compose(true);
    if (state.composing) requestAnimationFrame(() => form().focus());
  } else if (key === "/") {
    go("tasks");
    requestAnimationFrame(() => setTimeout(() => focus("#search"), 50));
  } else if (key === "a") {
    if (openAlerts().length) focus(".strip .acknowledge");
    else go("alerts");
  } else if (key === "f") {
    state.following = !state.following && !!state.selection;
    changed("selection", "positions");
  } else if (key === "]") stage.step(1);
  else if (key === "[") stage.step(-1);
  else if (key === "0") stage.map.fit();
  else if (key === "?") showHelp();
  else return false;
  return true;
}

/** @param {string} selector */
function focus(selector) {
  /** @type {HTMLElement|null} */ (document.querySelector(selector))?.focus();
}

function leave() {
  const active = /** @type {HTMLElement|null} */ (document.activeElement);
  if (sketch.active) draw(false);
  else if (state.composing) compose(false);
  else if (active && active !== document.body && active.matches("input, select")) active.blur();
  else if (state.selection) deselect();
  else active?.blur();
}

export function showHelp() {
  const rows = (state.replay ? [...REPLAY, ...LIST.filter(([keys]) => keys !== "n")] : LIST).map(([keys, words]) =>
    h("li", {}, h("span", { class: "keys" }, ...keys.split(" ").map((key) => h("kbd", {}, key))), t(words)),
  );
  const close = h("button", { type: "button", class: "button" }, t("action.close"));
  const dialog = /** @type {HTMLDialogElement} */ (
    h("dialog", { class: "help", "aria-label": t("help.title") }, h("h2", {}, t("help.title")), h("ul", {}, ...rows), close)
  );
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  document.body.append(dialog);
  dialog.showModal();
}
