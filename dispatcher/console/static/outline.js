/** The field for an area without a name: its border is drawn on the map. */

import { h, setAttribute, setText } from "./dom.js";
import { current, t } from "./i18n/index.js";
import { groundOf } from "./map/base.js";
import { areaOf } from "./map/geometry.js";
import { draw, replace, sketch, startAnew } from "./map/sketch.js";
import { changed, state } from "./store.js";

const HECTARE_M2 = 10000;

/**
 * @param {{id: string, onChange: () => void}} setting
 * @returns {{element: HTMLElement, input: HTMLElement, get: () => any, set: (value: any) => void}}
 */
export function outlineWidget({ id, onChange }) {
  const input = h("button", { id, type: "button", class: "button", onclick: () => turn(!sketch.active) });
  const undo = h("button", { type: "button", class: "button quiet", onclick: () => replace(sketch.corners.slice(0, -1)) }, t("form.draw_undo"));
  const clear = h("button", { type: "button", class: "button quiet", onclick: () => erase() }, t("form.draw_clear"));
  const words = h("p", { class: "drawn", role: "status" });
  const element = h("div", { class: "outline" }, h("span", { class: "buttons" }, input, undo, clear), words);

  /** @param {boolean} active */
  function turn(active) {
    const ground = groundOf(state.site);
    if (active && ground && ground !== state.level) {
      state.level = ground;
      changed("site");
    }
    draw(active);
  }

  function erase() {
    replace([]);
    draw(false);
  }

  function show() {
    const count = sketch.corners.length;
    setText(input, t(sketch.active ? "form.draw_done" : count ? "form.draw_more" : "form.draw"));
    setAttribute(input, "aria-pressed", String(sketch.active));
    undo.hidden = clear.hidden = !count;
    const area = new Intl.NumberFormat(current(), { maximumSignificantDigits: 2 }).format(areaOf(sketch.corners) / HECTARE_M2);
    const drawn = count ? t("form.drawn", { n: count, area }) : "";
    setText(words, [sketch.active && t("form.draw_hint"), drawn].filter(Boolean).join(" "));
  }

  startAnew(() => {
    show();
    onChange();
  });
  show();
  return {
    element, input,
    get: () => (sketch.corners.length ? sketch.corners : undefined),
    set(value) {
      sketch.corners = Array.isArray(value) ? value : [];
      show();
    },
  };
}
