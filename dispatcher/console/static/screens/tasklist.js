/** One task as a row: priority | what, from → to | vehicle | state and time. */

import { h, keyed, setAttribute, setText } from "../dom.js";
import { t } from "../i18n/index.js";
import { select } from "../nav.js";
import { hasEnded, state } from "../store.js";
import { capital, taskRoute, taskState, taskTitle, vehicleName } from "../words.js";

const RANK = { stat: 0, urgent: 1, routine: 2, background: 3 };

/** Open tasks as a dispatcher reads them: the most urgent first, then the oldest. */
export function openTasks() {
  return [...state.tasks.values()]
    .filter((task) => !hasEnded(task))
    .sort((a, b) => RANK[a.priority] - RANK[b.priority] || a.created_at.localeCompare(b.created_at));
}

/** The last few that ended, the latest first. @param {number} most */
export function endedTasks(most) {
  return [...state.tasks.values()]
    .filter(hasEnded)
    .sort((a, b) => String(b.ended_at).localeCompare(String(a.ended_at)))
    .slice(0, most);
}

/** @param {import("../types.js").Task} task */
export function priorityTag(task) {
  return h("span", { class: `tag ${task.priority}` }, t(`priority.${task.priority}.tag`));
}

/** @param {Element} list @param {import("../types.js").Task[]} tasks */
export function showTasks(list, tasks) {
  keyed(list, tasks, (task) => task.id, makeRow);
}

/** @param {import("../types.js").Task} task */
function makeRow(task) {
  const tag = priorityTag(task);
  const title = h("span", { class: "what" });
  const route = h("span", { class: "route" });
  const vehicle = h("span", { class: "vehicle" });
  const time = h("span", { class: "time" });
  const words = h("span", { class: "words" });
  const button = h(
    "button", { type: "button", class: "row", "data-task": task.id, onclick: () => select("task", task.id) },
    tag,
    h("span", { class: "first" }, title, vehicle, time),
    h("span", { class: "second" }, route, words),
  );
  button.addEventListener("keydown", arrowKeys);
  const element = h("li", {}, button);
  return {
    element,
    /** @param {import("../types.js").Task} now */
    update(now) {
      const shown = taskState(now);
      tag.className = `tag ${now.priority}`;
      setText(tag, t(`priority.${now.priority}.tag`));
      setText(title, capital(taskTitle(now)));
      setText(route, taskRoute(now));
      setText(vehicle, now.vehicle ? vehicleName(now.vehicle) : "–");
      setText(words, shown.words);
      setText(time, shown.time);
      words.className = `words ${shown.tone}`;
      time.className = `time ${shown.timeTone}`;
      button.classList.toggle("ended", hasEnded(now));
      const here = state.selection?.id === now.id;
      setAttribute(button, "aria-current", here ? "true" : null);
    },
  };
}

/** Arrows walk through the rows. @param {KeyboardEvent} event */
export function arrowKeys(event) {
  const by = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
  if (!by) return;
  const item = /** @type {HTMLElement} */ (event.currentTarget).parentElement;
  const next = /** @type {HTMLElement|null} */ (/** @type {any} */ (item)?.[by]?.firstElementChild);
  if (!next) return;
  event.preventDefault();
  next.focus();
}
