/** Elements out of text nodes only: nothing from the server is ever parsed as markup. */

/**
 * An element with attributes, listeners (`onclick`, ...) and children.
 *
 * @param {string} tag
 * @param {Object<string, any>} [props] null, undefined and false leave an attribute out.
 * @param {...(Node|string|number|null|undefined|false)} children
 * @returns {HTMLElement}
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value") /** @type {any} */ (element).value = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter(isThere).map(asChild));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/**
 * A small drawing in one path, coloured by `currentColor`.
 *
 * @param {string} path
 * @param {string} [name] class
 */
export function glyph(path, name = "glyph") {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", name);
  svg.setAttribute("aria-hidden", "true");
  const shape = document.createElementNS(SVG, "path");
  shape.setAttribute("d", path);
  svg.append(shape);
  return svg;
}

/**
 * Write text only where it has changed, so that nothing is laid out again for nothing.
 *
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * @param {Element} element
 * @param {string} name
 * @param {string|null} value null takes the attribute away.
 */
export function setAttribute(element, name, value) {
  if (value === null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/**
 * Replace all children.
 *
 * @param {Element} parent
 * @param {...(Node|string|null|undefined|false)} children
 */
export function fill(parent, ...children) {
  parent.replaceChildren(...children.filter(isThere).map(asChild));
}

/** @type {WeakMap<Element, Map<string, {element: Element, update: (item: any) => void}>>} */
const ROWS = new WeakMap();

/**
 * Keep one child per item, in order, without touching those that stay: focus and scroll survive.
 *
 * @template T
 * @param {Element} parent
 * @param {T[]} items
 * @param {(item: T) => string} keyOf
 * @param {(item: T) => {element: Element, update: (item: T) => void}} make
 */
export function keyed(parent, items, keyOf, make) {
  const old = ROWS.get(parent) ?? new Map();
  const kept = new Map();
  let cursor = parent.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    const row = old.get(key) ?? make(item);
    row.update(item);
    kept.set(key, row);
    if (row.element === cursor) cursor = cursor.nextElementSibling;
    else parent.insertBefore(row.element, cursor);
  }
  for (const [key, row] of old) if (!kept.has(key)) row.element.remove();
  ROWS.set(parent, kept);
}

/**
 * A button that acts only after it has been held for a second, by finger, mouse or key.
 *
 * @param {string} label names what it acts on
 * @param {string} hint what to do, said to those who only tap
 * @param {() => void} act
 */
export function holdButton(label, hint, act) {
  const HOLD_MS = 1000;
  let timer = 0;
  const words = h("span", {}, label);
  const button = h("button", { type: "button", class: "button hold danger", title: hint }, words);
  const start = () => {
    if (timer) return;
    button.classList.add("holding");
    timer = window.setTimeout(() => {
      stop();
      act();
    }, HOLD_MS);
  };
  const stop = () => {
    window.clearTimeout(timer);
    timer = 0;
    button.classList.remove("holding");
  };
  const tapped = () => {
    if (timer) words.textContent = hint;
    stop();
    window.setTimeout(() => (words.textContent = label), 1500);
  };
  button.addEventListener("pointerdown", start);
  button.addEventListener("pointerup", tapped);
  button.addEventListener("pointerleave", stop);
  button.addEventListener("pointercancel", stop);
  button.addEventListener("blur", stop);
  button.addEventListener("contextmenu", (event) => event.preventDefault());
  button.addEventListener("keydown", (event) => {
    if (event.key !== " " && event.key !== "Enter") return;
    event.preventDefault();
    if (!event.repeat) start();
  });
  button.addEventListener("keyup", (event) => {
    if (event.key === " " || event.key === "Enter") tapped();
  });
  return button;
}

/** @param {any} child */
function isThere(child) {
  return child !== null && child !== undefined && child !== false;
}

/** @param {any} child */
function asChild(child) {
  return child instanceof Node ? child : String(child);
}
