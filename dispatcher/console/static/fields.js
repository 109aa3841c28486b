/**
 * The fields of a form, made from the server's JSON Schema and its hints.
 *
 * @typedef {Object} Field
 * @property {string} name
 * @property {HTMLElement} element the row with label, widget and fault
 * @property {boolean} more behind "More"
 * @property {Picker|null} picker
 * @property {() => any} get undefined = leave it out
 * @property {(value: any) => void} set as it is kept in a draft
 * @property {() => any} keep what a draft keeps
 * @property {(text: string) => void} fault "" = nothing is wrong
 * @property {() => void} focus
 */

import { h, setText } from "./dom.js";
import { has, named, readable, t } from "./i18n/index.js";
import { outlineWidget } from "./outline.js";
import { Picker } from "./picker.js";

const UNIT = { mass: "kg", volume: "l", dose: "mJ/cm²", duration: "s" };
const OWN_LABEL = { earliest_at: "form.earliest_at", due_at: "form.due_at", note: "form.note", requester: "form.requester" };

/**
 * The fields of one kind of task, in the order to be shown.
 *
 * @param {any} schema
 * @param {() => void} onChange
 * @returns {Field[]}
 */
export function fieldsOf(schema, onChange) {
  const required = new Set(schema.required ?? []);
  return Object.entries(schema.properties)
    .filter(([name]) => name !== "kind" && name !== "priority")
    .map(([name, property]) => ({ name, ...property }))
    .sort((a, b) => (a["x-order"] ?? 50) - (b["x-order"] ?? 50))
    .map((property) => makeField(property, required.has(property.name), onChange));
}

/** @param {any} property @param {boolean} required @param {() => void} onChange @returns {Field} */
function makeField(property, required, onChange) {
  const id = `field-${property.name}`;
  const own = OWN_LABEL[/** @type {"note"} */ (property.name)];
  const label = named(property["x-label"]) || (own ? t(own) : readable(property.name));
  const widget = makeWidget(property, { id, label, required, onChange });
  const fault = h("p", { class: "fault", id: `${id}-fault`, role: "alert", hidden: true });
  const hint = required ? null : h("span", { class: "hint" }, t("form.optional"));
  const element = h(
    "div", { class: `field ${property["x-widget"] ?? "text"}`, "data-field": property.name },
    h("label", { for: id }, label, required || property.default !== undefined ? null : hint), widget.element, fault,
  );
  widget.input.setAttribute("aria-describedby", `${id}-fault`);
  return {
    name: property.name, element, more: Boolean(property["x-more"]), picker: widget.picker ?? null,
    get: widget.get, set: widget.set, keep: widget.keep ?? widget.get, focus: () => widget.input.focus(),
    fault(text) {
      setText(fault, text);
      fault.hidden = !text;
      element.classList.toggle("wrong", !!text);
      widget.input.setAttribute("aria-invalid", String(!!text));
    },
  };
}

/** @param {any} property @param {any} setting */
function makeWidget(property, setting) {
  switch (property["x-widget"]) {
    case "place":
    case "places":
    case "area":
      return pickerWidget(property["x-widget"], setting);
    case "outline":
      return outlineWidget(setting);
    case "choice":
      return choiceWidget(property, setting);
    case "flag":
      return flagWidget(property, setting);
    case "time":
      return timeWidget(setting);
    case "mass":
    case "volume":
    case "dose":
    case "duration":
    case "number":
      return numberWidget(property, setting);
    default:
      return textWidget(property, setting);
  }
}

/** @param {string} kind @param {any} setting */
function pickerWidget(kind, { id, label, required, onChange }) {
  const picker = new Picker({ many: kind === "places", area: kind === "area", label, id, required }, onChange);
  const get = () => {
    const value = picker.get();
    return value === null || value.length === 0 ? undefined : value;
  };
  return { element: picker.element, input: picker.input, picker, get, set: (value) => picker.set(value) };
}

/** @param {any} property @param {any} setting */
function choiceWidget(property, { id, required, onChange }) {
  const optional = !required && property.default === undefined;
  const words = (value) => {
    const group = ["goods", "method", "medium"].find((each) => has(`${each}.${value}`));
    return named(property["x-labels"]?.[value]) || (group ? t(`${group}.${value}`) : readable(value));
  };
  const options = property.enum.map((value) => h("option", { value }, words(value)));
  if (optional) options.unshift(h("option", { value: "" }, t("form.any")));
  const input = /** @type {HTMLSelectElement} */ (h("select", { id, onchange: onChange }, ...options));
  const start = property.default ?? (optional ? "" : property.enum[0]);
  input.value = start;
  return { element: input, input, get: () => input.value || undefined, set: (value) => (input.value = value ?? start) };
}

/** @param {any} property @param {any} setting */
function flagWidget(property, { id, onChange }) {
  const input = /** @type {HTMLInputElement} */ (h("input", { id, type: "checkbox", onchange: onChange }));
  input.checked = Boolean(property.default);
  return { element: input, input, get: () => input.checked, set: (value) => (input.checked = Boolean(value ?? property.default)) };
}

/** Local time in, a moment with its zone out. @param {any} setting */
function timeWidget({ id, onChange }) {
  const input = /** @type {HTMLInputElement} */ (h("input", { id, type: "datetime-local", onchange: onChange }));
  const get = () => (input.value ? new Date(input.value).toISOString() : undefined);
  return { element: input, input, get, set: (value) => (input.value = value ?? ""), keep: () => input.value };
}

/** @param {any} property @param {any} setting */
function numberWidget(property, { id, required, onChange }) {
  const unit = UNIT[/** @type {"mass"} */ (property["x-widget"])] ?? "";
  const input = /** @type {HTMLInputElement} */ (
    h("input", { id, type: "text", inputmode: "decimal", autocomplete: "off", "aria-required": String(required), oninput: onChange })
  );
  const start = property.default ?? "";
  input.value = String(start);
  const get = () => {
    const text = input.value.trim().replace(",", ".");
    if (!text) return undefined;
    return Number.isNaN(Number(text)) ? input.value.trim() : Number(text);
  };
  const element = h("span", { class: "with-unit" }, input, unit && h("span", { class: "unit" }, unit));
  return { element, input, get, set: (value) => (input.value = String(value ?? start)), keep: () => input.value };
}

/** @param {any} property @param {any} setting */
function textWidget(property, { id, required, onChange }) {
  const input = /** @type {HTMLInputElement} */ (
    h("input", { id, type: "text", autocomplete: "off", "aria-required": String(required), maxlength: 500, oninput: onChange })
  );
  const start = property.default ?? "";
  input.value = start;
  const set = (value) => (input.value = value ?? start);
  return { element: input, input, get: () => input.value.trim() || undefined, set, keep: () => input.value };
}
