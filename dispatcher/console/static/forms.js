/**
 * The form for a new task, in the work panel: never over the map, never lost.
 *
 * What is typed is kept at every keystroke and comes back after a reload, a change of language or
 * a broken link. Priority alone falls back to Routine after each submit, or STAT would stick.
 */

import { Refused } from "./api.js";
import { fill, glyph, h, setAttribute, setText } from "./dom.js";
import { fieldsOf } from "./fields.js";
import { t } from "./i18n/index.js";
import { startAnew as drawAnew } from "./map/sketch.js";
import { compose, select } from "./nav.js";
import { discard, post } from "./outbox.js";
import { state } from "./store.js";
import { faultWords } from "./words.js";

const DRAFT = "wardline.draft";
const KINDS = ["delivery", "medicine", "patrol", "disinfection"];
const PRIORITIES = ["stat", "urgent", "routine", "background"];
const REMEMBERED = ["from", "requester"];
const CROSS = "M3 4l1-1 4 4 4-4 1 1-4 4 4 4-1 1-4-4-4 4-1-1 4-4z";

export class TaskForm {
  constructor() {
    this.draft = readDraft();
    /** @type {import("./fields.js").Field[]} */
    this.fields = [];
    /** @type {import("./types.js").FieldFault[]} */
    this.faults = [];
    /** @type {import("./fields.js").Field|null} */
    this.pointed = null;
    this.busy = false;
    this.foretold = h("p", { class: "preview", role: "status" });
    /** @type {Promise<import("./preview.js").Preview>|null} */
    this.preview = null;
    this.element = h("form", { class: "compose", hidden: true, novalidate: true });
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.submit();
    });
    this.element.addEventListener("focusin", (event) => this.point(/** @type {Node} */ (event.target)));
  }

  /** Make the form anew: other words, another kind, or the schemas have come. */
  rebuild() {
    const kind = this.draft.kind;
    const schema = state.schemas?.[kind];
    drawAnew(() => {});
    this.fields = schema ? fieldsOf(schema, () => this.keep()) : [];
    for (const field of this.fields) {
      const value = this.draft.values[kind]?.[field.name];
      if (value !== undefined) field.set(value);
    }
    const [more, plain] = [this.fields.filter((field) => field.more), this.fields.filter((field) => !field.more)];
    this.kinds = radios("kind", t("form.kind"), KINDS, kind, (each) => t(`kind.${each}`), (each) => this.turn(each));
    this.priorities = radios(
      "priorities", t("form.priority"), PRIORITIES, this.draft.priority, (each) => t(`priority.${each}.short`), (each) => this.rank(each),
    );
    this.more = /** @type {HTMLDetailsElement} */ (
      h("details", { class: "more" }, h("summary", {}, t("form.more")), ...more.map((field) => field.element))
    );
    this.answer = h("p", { class: "answer", role: "status" });
    this.button = h("button", { type: "submit", class: "button filled" }, t("form.submit", { kind: t(`kind.${kind}`) }));
    const close = h(
      "button", { type: "button", class: "square quiet", "aria-label": t("action.close"), title: t("action.close"), onclick: () => compose(false) },
      glyph(CROSS),
    );
    fill(
      this.element,
      h("div", { class: "title" }, h("h2", {}, t("form.title")), h("span", { class: "space" }), close),
      h(
        "div", { class: "scroll" }, this.kinds, ...plain.map((field) => field.element),
        h("div", { class: "field" }, h("span", { class: "label" }, t("form.priority")), this.priorities), this.more,
      ),
      h("div", { class: "foot" }, this.foretold, this.button, this.answer),
    );
    this.showFaults();
    this.foretell();
  }

  focus() {
    /** @type {HTMLElement|null} */ (this.kinds?.querySelector("[tabindex='0']"))?.focus();
  }

  /** @param {string} kind */
  turn(kind) {
    this.draft.kind = kind;
    this.faults = [];
    this.keepDraft();
    this.rebuild();
    this.focus();
  }

  /** @param {string} priority */
  rank(priority) {
    this.draft.priority = priority;
    this.keepDraft();
  }

  /** Remember which field a place tapped on the map would go to. @param {Node} target */
  point(target) {
    const field = this.fields.find((each) => each.element.contains(target));
    if (field) this.pointed = field.picker ? field : null;
  }

  /** A place was tapped on the map. @param {string} place @returns {boolean} whether it was wanted */
  offer(place) {
    if (!state.composing) return false;
    const empty = this.fields.find((field) => field.picker && field.get() === undefined);
    return (this.pointed ?? empty)?.picker?.take(place) ?? false;
  }

  keep() {
    const values = Object.fromEntries(this.fields.map((field) => [field.name, field.keep()]));
    this.draft.values[this.draft.kind] = values;
    this.keepDraft();
    this.foretell();
  }

  /** Say what a patrol would take; that module comes with the first one that is described. */
  foretell() {
    if (this.draft.kind !== "patrol" && !this.preview) return;
    this.preview ??= import("./preview.js").then((parts) => new parts.Preview(this.foretold));
    void this.preview.then((preview) => preview.ask(this.body()));
  }

  keepDraft() {
    localStorage.setItem(DRAFT, JSON.stringify(this.draft));
  }

  /** What goes to the server. */
  body() {
    const values = this.fields.map((field) => [field.name, field.get()]).filter(([, value]) => value !== undefined);
    return { kind: this.draft.kind, priority: this.draft.priority, ...Object.fromEntries(values) };
  }

  async submit() {
    if (this.busy) return;
    this.setBusy(true);
    try {
      const task = await post(this.body());
      this.startAnew();
      setText(/** @type {Element} */ (this.answer), task ? t("form.queued", { id: task.id }) : t("form.kept"));
      compose(false);
      if (task && state.screen === "operations") select("task", task.id);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.faults = error.fields.length ? error.fields : [{ field: "", code: error.code, facts: {}, remedy: error.message }];
      this.showFaults(true);
    } finally {
      this.setBusy(false);
    }
  }

  /** @param {boolean} busy */
  setBusy(busy) {
    this.busy = busy;
    if (!this.button) return;
    setAttribute(this.button, "aria-busy", String(busy));
    setText(this.button, busy ? t("form.sending") : t("form.submit", { kind: t(`kind.${this.draft.kind}`) }));
  }

  /** An empty form; where things come from and who asks is most often the same again. */
  startAnew() {
    const kind = this.draft.kind;
    const old = this.draft.values[kind] ?? {};
    this.draft.values[kind] = Object.fromEntries(REMEMBERED.filter((name) => old[name]).map((name) => [name, old[name]]));
    this.draft.priority = "routine";
    this.faults = [];
    this.pointed = null;
    this.keepDraft();
    this.rebuild();
  }

  /** Bring a refused task back into the form. @param {import("./outbox.js").Letter} letter */
  reopen(letter) {
    const { kind, priority, ...values } = letter.body;
    this.draft = { kind, priority, values: { ...this.draft.values, [kind]: values } };
    this.faults = letter.refused ?? [];
    discard(letter.key);
    this.keepDraft();
    this.rebuild();
  }

  /** Each fault at its field; what belongs to none, beside the button. @param {boolean} [go] to the first one */
  showFaults(go = false) {
    const rest = [];
    this.fields.forEach((field) => field.fault(""));
    for (const fault of this.faults) {
      const field = this.fields.find((each) => each.name === fault.field.split(".")[0]);
      if (!field) rest.push(faultWords(fault));
      else field.fault(faultWords(fault));
      if (field?.more && this.more) this.more.open = true;
    }
    const marked = this.faults.length > rest.length;
    if (this.answer) setText(this.answer, rest.join(" ") || (marked ? t("form.faults") : ""));
    if (go) this.fields.find((field) => field.element.classList.contains("wrong"))?.focus();
  }
}

/**
 * A row of choices, one of them taken; arrows move.
 *
 * @param {string} name
 * @param {string} label
 * @param {string[]} all
 * @param {string} chosen
 * @param {(each: string) => string} words
 * @param {(each: string) => void} onChoose
 */
function radios(name, label, all, chosen, words, onChoose) {
  const choose = (index) => {
    const each = all[(index + all.length) % all.length];
    buttons.forEach((button, i) => {
      setAttribute(button, "aria-checked", String(all[i] === each));
      button.tabIndex = all[i] === each ? 0 : -1;
    });
    buttons[all.indexOf(each)].focus();
    onChoose(each);
  };
  const buttons = all.map((each, i) => {
    const on = each === chosen;
    const button = h("button", { type: "button", role: "radio", class: each, "data-value": each, "aria-checked": String(on), onclick: () => choose(i) }, words(each));
    button.tabIndex = on ? 0 : -1;
    button.addEventListener("keydown", (event) => {
      const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!by) return;
      event.preventDefault();
      choose(i + by);
    });
    return button;
  });
  return h("div", { class: `segments ${name}`, role: "radiogroup", "aria-label": label }, ...buttons);
}

/** @returns {{kind: string, priority: string, values: Object<string, Object<string, any>>}} */
function readDraft() {
  const empty = { kind: "delivery", priority: "routine", values: {} };
  try {
    const kept = JSON.parse(localStorage.getItem(DRAFT) ?? "null");
    return kept && KINDS.includes(kept.kind) ? { ...empty, ...kept } : empty;
  } catch {
    return empty;
  }
}
