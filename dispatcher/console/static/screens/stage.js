/** The map with its switches: levels, zoom, legend. */

import { glyph, h, setAttribute } from "../dom.js";
import { named, t } from "../i18n/index.js";
import { isGround } from "../map/base.js";
import { MapView } from "../map/view.js";
import { select } from "../nav.js";
import { changed, state } from "../store.js";

const PLUS = "M7 2h2v5h5v2H9v5H7V9H2V7h5z";
const MINUS = "M2 7h12v2H2z";
const WHOLE = "M1 1h5v2H3v3H1zm9 0h5v5h-2V3h-3zM1 10h2v3h3v2H1zm12 0h2v5h-5v-2h3z";

export class Stage {
  /** @param {(place: string) => boolean} offer a place that was tapped; true = it was wanted */
  constructor(offer) {
    this.canvas = h("div", { class: "map" });
    this.controls = h("div", { class: "map-controls" });
    this.element = h("section", { class: "stage" }, this.canvas, this.controls);
    this.map = new MapView(this.canvas, { onPick: (vehicle) => select("vehicle", vehicle), onPlace: offer, onSpot: reportAt });
    this.shown = "";
    this.seenSelection = "";
  }

  /** Write the words anew. */
  rebuild() {
    this.levels = h("div", { class: "levels", role: "radiogroup", "aria-label": t("map.levels") });
    this.legend = h("div", { class: "legend", "aria-label": t("map.legend") });
    const zoom = h(
      "div", { class: "zoom" },
      this.button(PLUS, "map.zoom_in", () => this.map.zoom(0.7)),
      this.button(MINUS, "map.zoom_out", () => this.map.zoom(-0.7)),
      this.button(WHOLE, "map.fit", () => this.map.fit()),
    );
    this.controls.replaceChildren(this.levels, zoom, h("span", { class: "space" }), this.legend);
    this.shown = "";
    this.map.redraw();
  }

  /** @param {string} path @param {string} words @param {() => void} act */
  button(path, words, act) {
    return h("button", { type: "button", class: "square", "aria-label": t(words), title: t(words), onclick: act }, glyph(path));
  }

  update() {
    if (!state.site) return;
    if (!state.site.levels.some((level) => level.id === state.level)) state.level = firstLevel(state.site);
    this.showSelection();
    const key = `${state.site.id} ${state.level}`;
    if (key !== this.shown) {
      this.shown = key;
      this.showLevels();
      this.map.redraw();
    }
    this.map.drawTop();
  }

  /** Draw what moves; follow the one selected through the levels. */
  tick() {
    if (state.screen !== "operations") return;
    const vehicle = this.map.selected();
    if (state.following && vehicle?.level && vehicle.level !== state.level) this.turnTo(vehicle.level);
    this.map.drawTop();
  }

  /** A new selection brings its level on view. */
  showSelection() {
    const now = state.selection ? `${state.selection.kind} ${state.selection.id}` : "";
    if (now === this.seenSelection) return;
    const vehicle = this.map.selected();
    const task = state.selection?.kind === "task" ? state.tasks.get(state.selection.id) : null;
    if (state.selection && !vehicle && !task) return;
    this.seenSelection = now;
    const place = state.site?.places.find((each) => each.id === (task?.from ?? task?.to[0]));
    const level = vehicle ? vehicle.level : place?.level;
    if (level) this.turnTo(level);
  }

  /** @param {string} level */
  turnTo(level) {
    if (level === state.level || !state.site?.levels.some((each) => each.id === level)) return;
    state.level = level;
    changed("site");
  }

  /** @param {1|-1} by levels up or down */
  step(by) {
    const levels = ordered();
    const at = levels.findIndex((level) => level.id === state.level);
    const next = levels[Math.max(0, Math.min(levels.length - 1, at + by))];
    if (next) this.turnTo(next.id);
  }

  showLevels() {
    const buttons = ordered().map((level) => {
      const here = level.id === state.level;
      const button = h("button", { type: "button", role: "radio", "aria-checked": String(here), tabindex: here ? 0 : -1 }, named(level.name));
      button.addEventListener("click", () => this.turnTo(level.id));
      button.addEventListener("keydown", (event) => this.arrow(event));
      return button;
    });
    const focused = this.levels?.contains(document.activeElement);
    this.levels?.replaceChildren(...buttons);
    if (focused) buttons.find((button) => button.tabIndex === 0)?.focus();
    const zones = new Set(state.site?.areas.filter((area) => area.level === state.level).map((area) => area.zone));
    const shown = ["clean", "semi", "contaminated"].filter((zone) => zones.has(zone));
    const signs = shown.map((zone) => h("span", {}, h("i", { class: `swatch ${zone}` }), t(`zone.${zone}`)));
    this.legend?.replaceChildren(...(shown.length > 1 ? signs : []));
    const level = state.site?.levels.find((each) => each.id === state.level);
    setAttribute(this.canvas, "aria-label", t("map.title", { level: named(level?.name) }));
    setAttribute(this.canvas, "role", "region");
  }

  /** @param {KeyboardEvent} event */
  arrow(event) {
    const by = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    this.step(/** @type {1|-1} */ (by));
  }
}

/** The form comes with its module only when it is asked for. @param {number} x_m @param {number} y_m */
function reportAt(x_m, y_m) {
  void import("./incidents.js").then((parts) => parts.askForIncident(x_m, y_m));
}

/** From the bottom to the top, then the ground around the buildings. */
function ordered() {
  const { site } = state;
  const ground = (level) => Number(site !== null && isGround(site, level));
  return [...(site?.levels ?? [])].sort((a, b) => ground(a) - ground(b) || a.elevation_m - b.elevation_m);
}

/** The level to begin with: where most of the lanes are. @param {import("../types.js").Site} site */
function firstLevel(site) {
  const indoors = ordered().filter((level) => !level.outdoors);
  const count = (level) => site.lanes.filter((lane) => lane.level === level.id && !lane.lift).length;
  const levels = indoors.length ? indoors : site.levels;
  return levels.reduce((best, level) => (count(level) > count(best) ? level : best), levels[0])?.id ?? null;
}
