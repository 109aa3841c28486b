/** Where one is: every screen and every selected thing has an address of its own. */

import { changed, state } from "./store.js";

export const SCREENS = ["operations", "tasks", "fleet", "alerts"];

/** @param {string} screen */
export function go(screen) {
  state.composing = false;
  location.hash = address(screen, null);
}

/** @param {"task"|"vehicle"} kind @param {string} id */
export function select(kind, id) {
  location.hash = address(state.screen, { kind, id });
}

export function deselect() {
  location.hash = address(state.screen, null);
}

/** @param {"task"|"vehicle"} kind @param {string} id on the map, whatever screen one comes from */
export function showOnMap(kind, id) {
  state.composing = false;
  location.hash = address("operations", { kind, id });
}

/** @param {boolean} open the form for a new task */
export function compose(open) {
  state.composing = open && !state.replay;
  changed("screen");
}

/** Read the address bar, now and whenever it changes. */
export function followAddress() {
  window.addEventListener("hashchange", readAddress);
  readAddress();
}

function readAddress() {
  const [screen, kind, id] = location.hash.replace(/^#\//, "").split("/").map(decodeURIComponent);
  state.screen = SCREENS.includes(screen) ? screen : "operations";
  const known = (kind === "task" || kind === "vehicle") && id;
  state.selection = known ? { kind, id } : null;
  if (!known) state.following = false;
  changed("screen", "selection", "positions");
}

/** @param {string} screen @param {{kind: string, id: string}|null} selection */
function address(screen, selection) {
  const tail = selection ? `/${selection.kind}/${encodeURIComponent(selection.id)}` : "";
  return `#/${screen}${tail}`;
}
