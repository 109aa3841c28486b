/** The work panel: the open tasks, what waits to be sent, and the drawer or the form over them. */

import { fill, h, keyed, setText } from "../dom.js";
import { percent } from "../format.js";
import { t } from "../i18n/index.js";
import { compose } from "../nav.js";
import { discard, waiting } from "../outbox.js";
import { state } from "../store.js";
import { faultWords } from "../words.js";
import { Drawer } from "./drawer.js";
import { endedTasks, openTasks, showTasks } from "./tasklist.js";

const OPEN_SHOWN = 150;
const ENDED_SHOWN = 5;

export class Panel {
  /** @param {import("../forms.js").TaskForm} form */
  constructor(form) {
    this.form = form;
    this.drawer = new Drawer();
    this.summary = h("span", { class: "summary" });
    this.outbox = h("ul", { class: "outbox" });
    this.open = h("ul", { class: "tasks open" });
    this.empty = h("p", { class: "empty" }, t("panel.empty"));
    this.rest = h("a", { class: "rest", href: "#/tasks", hidden: true });
    this.endedTitle = h("h3", {}, t("panel.ended"));
    this.ended = h("ul", { class: "tasks ended" });
    this.grip = h("button", { type: "button", class: "grip", "aria-label": t("panel.expand"), onclick: () => this.stretch() });
    this.list = h(
      "div", { class: "list" },
      h("div", { class: "title" }, h("h2", {}, t("panel.tasks")), this.summary),
      h("div", { class: "scroll" }, this.outbox, this.open, this.rest, this.empty, this.endedTitle, this.ended),
    );
    this.element = h("aside", { class: "panel" }, this.grip, this.list, this.drawer.element, form.element);
  }

  update() {
    const { open, done_today, on_time_ratio } = state.counts;
    const ratio = on_time_ratio === null || on_time_ratio === undefined ? null : percent(on_time_ratio);
    const parts = [t("panel.summary", { open, done: done_today }), ratio && t("panel.on_time", { ratio })];
    setText(this.summary, parts.filter(Boolean).join(" · "));
    this.element.dataset.shows = state.composing ? "form" : state.selection ? "selection" : "list";
    this.drawer.element.hidden = state.composing || !state.selection;
    this.form.element.hidden = !state.composing;
    this.list.hidden = state.composing || (state.screen !== "operations" && !!state.selection);
    if (!this.list.hidden) this.showLists();
    this.showOutbox();
    this.drawer.update();
    if (state.composing) this.element.classList.add("tall");
  }

  /** What changes by the passing of time alone. */
  tick() {
    this.drawer.tick();
  }

  showLists() {
    const tasks = openTasks();
    const ended = endedTasks(ENDED_SHOWN);
    showTasks(this.open, tasks.slice(0, OPEN_SHOWN));
    this.rest.hidden = tasks.length <= OPEN_SHOWN;
    setText(this.rest, t("panel.rest", { n: tasks.length - OPEN_SHOWN }));
    showTasks(this.ended, ended);
    setText(this.empty, t(state.replay ? "replay.no_tasks" : "panel.empty"));
    this.empty.hidden = tasks.length > 0 || state.link.state === "connecting";
    this.endedTitle.hidden = ended.length === 0;
  }

  showOutbox() {
    keyed(this.outbox, state.replay ? [] : waiting(), (letter) => letter.key, (letter) => this.letterRow(letter));
  }

  /** @param {import("../outbox.js").Letter} letter */
  letterRow(letter) {
    const words = h("span", { class: "words" });
    const buttons = h("span", { class: "buttons" });
    const title = letter.body.item || t(`kind.${letter.body.kind}`);
    const element = h("li", { class: "letter" }, h("span", { class: "what" }, title), words, buttons);
    /** @param {import("../outbox.js").Letter} refused */
    const correct = (refused) => {
      this.form.reopen(refused);
      compose(true);
    };
    return {
      element,
      /** @param {import("../outbox.js").Letter} now */
      update(now) {
        setText(words, now.refused ? t("outbox.refused", { reason: now.refused.map(faultWords).join("; ") }) : t("outbox.waiting"));
        element.classList.toggle("refused", !!now.refused);
        if (now.refused && !buttons.firstChild) {
          fill(
            buttons,
            h("button", { type: "button", class: "button", onclick: () => correct(now) }, t("action.correct")),
            h("button", { type: "button", class: "button quiet", onclick: () => discard(now.key) }, t("action.discard")),
          );
        }
      },
    };
  }

  /** On a narrow screen the panel is a sheet: half of the page, or nearly all of it. */
  stretch() {
    const tall = this.element.classList.toggle("tall");
    this.grip.setAttribute("aria-label", t(tall ? "panel.shrink" : "panel.expand"));
  }
}
