/**
 * Choosing places by typing: a field with a list, grouped by level, in both languages.
 *
 * Follows the ARIA pattern of a combobox with a list: arrows move, Enter takes, Esc leaves.
 */

import { glyph, h, setAttribute } from "./dom.js";
import { current, named, t } from "./i18n/index.js";
import { state } from "./store.js";
import { placeName } from "./words.js";

const CROSS = "M4 5l1-1 3 3 3-3 1 1-3 3 3 3-1 1-3-3-3 3-1-1 3-3z";
const SERVICE = ["parking", "charger", "decontamination"];
const SHOWN = 60;
let made = 0;

/** Where people send things: no vehicle's own bay. @returns {Array<{id: string, name: any, group: string}>} */
function destinations() {
  const site = state.site;
  if (!site) return [];
  const levels = [...site.levels].sort((a, b) => Number(a.outdoors) - Number(b.outdoors) || a.elevation_m - b.elevation_m);
  return levels.flatMap((level) =>
    site.places
      .filter((place) => place.level === level.id)
      .filter((place) => place.roles.includes("pad") || !place.roles.some((role) => SERVICE.includes(role)))
      .map((place) => ({ id: place.id, name: place.name, group: named(level.name) })),
  );
}

/** Areas with a name that may be asked for. @returns {Array<{id: string, name: any, group: string}>} */
function areas() {
  const found = (state.site?.airspaces ?? []).filter((air) => air.kind === "patrol");
  return found.map((air) => ({ id: air.id, name: air.name, group: t("form.outdoors") }));
}

export class Picker {
  /**
   * @param {{many: boolean, area: boolean, label: string, id: string, required: boolean}} options
   * @param {() => void} onChange
   */
  constructor({ many, area, label, id, required }, onChange) {
    this.many = many;
    this.source = area ? areas : destinations;
    this.onChange = onChange;
    /** @type {string[]} */
    this.chosen = [];
    this.at = 0;
    const list = `list-${(made += 1)}`;
    this.input = /** @type {HTMLInputElement} */ (
      h("input", {
        id, type: "text", role: "combobox", autocomplete: "off", spellcheck: "false", "aria-expanded": "false",
        "aria-controls": list, "aria-autocomplete": "list", "aria-required": String(required), placeholder: t("form.map_hint"),
        oninput: () => this.typed(), onblur: () => this.leave(),
        onkeydown: (event) => this.key(event), onclick: () => this.open(),
      })
    );
    this.list = h("ul", { id: list, role: "listbox", "aria-label": label, hidden: true });
    this.chips = h("span", { class: "chosen" });
    this.element = h("div", { class: many ? "picker many" : "picker" }, this.chips, this.input, this.list);
  }

  /** @returns {string[]|string|null} */
  get() {
    return this.many ? this.chosen : (this.chosen[0] ?? null);
  }

  /** @param {string[]|string|null|undefined} value */
  set(value) {
    this.chosen = value ? (Array.isArray(value) ? [...value] : [value]) : [];
    this.show();
  }

  /** Take a place, typed or tapped. @param {string} id @returns {boolean} whether it may be chosen here */
  take(id) {
    if (!this.source().some((option) => option.id === id)) return false;
    if (!this.many) this.chosen = [id];
    else if (!this.chosen.includes(id)) this.chosen.push(id);
    this.input.value = "";
    this.show();
    this.close();
    this.onChange();
    return true;
  }

  show() {
    if (!this.many) this.input.value = this.chosen[0] ? placeName(this.chosen[0]) : "";
    else this.chips.replaceChildren(...this.chosen.map((id) => this.chip(id)));
    this.input.placeholder = t(this.many && this.chosen.length ? "form.add_place" : "form.map_hint");
  }

  /** @param {string} id */
  chip(id) {
    const remove = () => {
      this.chosen = this.chosen.filter((each) => each !== id);
      this.show();
      this.onChange();
      this.input.focus();
    };
    const name = placeName(id);
    const cross = h("button", { type: "button", "aria-label": t("form.remove", { name }), onclick: remove }, glyph(CROSS));
    return h("span", { class: "chip" }, name, cross);
  }

  open() {
    if (!this.many && this.chosen[0]) this.input.select();
    this.suggest(this.many ? this.input.value : "");
  }

  typed() {
    if (!this.many && this.chosen.length) {
      this.chosen = [];
      this.onChange();
    }
    this.suggest(this.input.value);
  }

  /** @param {string} text */
  suggest(text) {
    const wanted = text.trim().toLowerCase();
    const fits = (option) => [option.name.en, option.name.zh, option.id].some((word) => word.toLowerCase().includes(wanted));
    const begins = (option) => Number(![option.name.en, option.name.zh].some((word) => word.toLowerCase().startsWith(wanted)));
    this.options = this.source().filter((option) => !this.many || !this.chosen.includes(option.id)).filter(fits);
    if (wanted) this.options.sort((a, b) => begins(a) - begins(b));
    this.options = this.options.slice(0, SHOWN);
    this.at = 0;
    const other = current() === "en" ? "zh" : "en";
    let group = "";
    const rows = this.options.flatMap((option, i) => {
      const title = !wanted && option.group !== group ? [h("li", { role: "presentation", class: "group" }, (group = option.group))] : [];
      const row = h(
        "li", { role: "option", id: `${this.list.id}-${i}`, "data-id": option.id, onpointerdown: (event) => this.tap(event, option.id) },
        h("span", {}, named(option.name)), h("span", { class: "other" }, wanted ? option.group : option.name[other]),
      );
      return [...title, row];
    });
    this.list.replaceChildren(...(rows.length ? rows : [h("li", { class: "group" }, t("form.no_place"))]));
    this.list.hidden = false;
    setAttribute(this.input, "aria-expanded", "true");
    this.mark();
  }

  /** @param {Event} event @param {string} id */
  tap(event, id) {
    event.preventDefault();
    this.take(id);
  }

  mark() {
    const rows = [...this.list.querySelectorAll("[role=option]")];
    rows.forEach((row, i) => setAttribute(row, "aria-selected", String(i === this.at)));
    setAttribute(this.input, "aria-activedescendant", rows[this.at]?.id ?? null);
    rows[this.at]?.scrollIntoView({ block: "nearest" });
  }

  close() {
    this.list.hidden = true;
    setAttribute(this.input, "aria-expanded", "false");
    setAttribute(this.input, "aria-activedescendant", null);
  }

  /** What was typed and is the one thing that fits, is taken. */
  leave() {
    const typed = this.input.value.trim();
    const open = !this.list.hidden;
    if (open && typed && this.options?.length === 1 && !this.chosen.includes(this.options[0].id)) this.take(this.options[0].id);
    this.close();
    if (!this.many) this.show();
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const open = !this.list.hidden;
    const count = this.options?.length ?? 0;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (!open) this.open();
      else this.at = (this.at + (event.key === "ArrowDown" ? 1 : count - 1)) % Math.max(1, count);
      this.mark();
    } else if (event.key === "Enter" && open && count) this.take(this.options[this.at].id);
    else if (event.key === "Escape" && open) {
      this.close();
      event.stopPropagation();
    } else if (event.key === "Backspace" && this.many && !this.input.value && this.chosen.length) {
      this.chosen.pop();
      this.show();
      this.onChange();
    } else return;
    event.preventDefault();
  }
}
