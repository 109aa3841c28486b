/**
 * The map: Leaflet for gestures and zoom, two canvases of ours on top of it.
 *
 * One canvas holds what stands still and is drawn when the view changes; the other holds the
 * vehicles and is drawn per tick. Both are decoration for assistive technology: every vehicle is
 * also in a list.
 */

import "/vendor/leaflet/leaflet.js";
import { h } from "../dom.js";
import { state } from "../store.js";
import { drawBase, groundOf, isGround, toPixels } from "./base.js";
import { bounds } from "./geometry.js";
import { drawLabel, placeLabels } from "./labels.js";
import { cornerAt, drawSketch, move, sketch, tap } from "./sketch.js";
import { colours, onThemeChange } from "./theme.js";
import { drawPosts, drawVehicles, gliding, isOn, poseAt } from "./vehicles.js";

/** Leaflet's minified build sets its name on `window`. */
const L = /** @type {any} */ (window).L;
const GLIDE_MS = 100;
const GLIDE_AT_MOST = 80;
const REACH_PX = 24;

export class MapView {
  /**
   * @param {HTMLElement} element
   * @param {{onPick: (vehicle: string) => void, onPlace: (place: string) => boolean, onSpot: (x_m: number, y_m: number) => void}} callbacks
   */
  constructor(element, { onPick, onPlace, onSpot }) {
    this.element = element;
    this.base = h("canvas", { class: "map-base", "aria-hidden": "true" });
    this.top = h("canvas", { class: "map-vehicles", "aria-hidden": "true" });
    const ground = h("div", { class: "map-ground" });
    element.append(ground, this.base, this.top);
    this.map = L.map(ground, {
      crs: L.CRS.Simple, zoomControl: false, attributionControl: false, zoomSnap: 0, zoomDelta: 0.5,
      wheelPxPerZoomLevel: 100, zoomAnimation: false, fadeAnimation: false, markerZoomAnimation: false,
      boxZoom: false, minZoom: -2, maxZoom: 7, center: [0, 0], zoom: 2,
    });
    /** @type {Array<{vehicle: any, x: number, y: number}>} */
    this.seen = [];
    /** @type {{key: string, labels: import("./labels.js").Label[]}} */
    this.names = { key: "", labels: [] };
    this.fitted = "";
    this.moved = false;
    this.dirty = false;
    this.onPick = onPick;
    this.onPlace = onPlace;
    this.map.on("move zoom resize viewreset", () => this.redraw());
    this.map.on("dragstart", () => (state.following = false));
    this.map.on("dragstart zoomstart", () => (this.moved = true));
    this.map.on("click", (event) => this.pick(event.containerPoint));
    this.map.on("contextmenu", (event) => sketch.active || onSpot(event.latlng.lng, event.latlng.lat));
    this.map.on("mousemove", (event) => this.hover(event.containerPoint));
    element.addEventListener("pointerdown", (event) => this.grip(event), { capture: true });
    new ResizeObserver(() => this.resized()).observe(element);
    onThemeChange(() => this.redraw());
    window.setInterval(() => this.glide(), GLIDE_MS);
  }

  /** The level on view. */
  level() {
    return state.site?.levels.find((level) => level.id === state.level) ?? state.site?.levels[0] ?? null;
  }

  /** Show all of the level, as large as it goes. */
  fit() {
    const level = this.level();
    if (!state.site || !level || !this.element.clientWidth) return;
    const [left, bottom, right, top] = bounds(extent(state.site, level));
    const corners = [[bottom, left], [top, right]];
    this.map.fitBounds(corners, { paddingTopLeft: [20, 20], paddingBottomRight: [20, 68], animate: false });
    this.fitted = level.id;
    this.moved = false;
  }

  resized() {
    this.map.invalidateSize({ animate: false, pan: false });
    if (!this.moved) this.fit();
    this.redraw();
  }

  /** Draw everything at the next frame. */
  redraw() {
    if (this.dirty) return;
    this.dirty = true;
    requestAnimationFrame(() => {
      this.dirty = false;
      this.drawAll();
    });
  }

  drawAll() {
    const level = this.level();
    if (!state.site || !level) return;
    if (this.fitted !== level.id) this.fit();
    const view = this.view();
    const context = cleared(this.base, view);
    drawBase(context, view, state.site, level);
    this.drawTop();
  }

  /** Draw what moves. */
  drawTop() {
    const level = this.level();
    if (!state.site || !level || this.dirty || !this.element.clientWidth) return;
    const view = this.view();
    const context = cleared(this.top, view);
    const labels = this.labels(view, level);
    const now_ms = performance.now();
    const ground = isGround(state.site, level);
    const vehicles = [...state.vehicles.values()].filter((vehicle) => isOn(vehicle, level, ground));
    const theme = colours();
    for (const label of labels) drawLabel(context, view, label, theme.font, theme[label.tone]);
    this.drawEnds(context, view, level);
    if (ground) drawPosts(context, view);
    if (ground || !groundOf(state.site)) drawSketch(context, view);
    this.element.classList.toggle("drawing", sketch.active);
    this.seen = drawVehicles(context, view, vehicles, {
      selected: this.selected(), level: level.id, names: labels, lost: state.link.state === "lost", now_ms,
    });
    if (state.following) this.follow();
  }

  /** @param {import("./base.js").View} view @param {any} level */
  labels(view, level) {
    const key = `${level.id} ${view.scale.toFixed(3)} ${document.documentElement.lang} ${state.site?.id}`;
    if (this.names.key !== key && state.site) {
      this.names = { key, labels: placeLabels(state.site, level, view.scale, colours().font) };
    }
    return this.names.labels;
  }

  /** Mark where the selected task begins and ends. @param {CanvasRenderingContext2D} context @param {import("./base.js").View} view @param {any} level */
  drawEnds(context, view, level) {
    const task = state.selection?.kind === "task" ? state.tasks.get(state.selection.id) : null;
    if (!task || !state.site) return;
    const theme = colours();
    for (const place of state.site.places) {
      if (place.level !== level.id || !(place.id === task.from || task.to.includes(place.id))) continue;
      const [x, y] = toPixels(view, place.x_m, place.y_m);
      context.beginPath();
      context.arc(x, y, 6, 0, 2 * Math.PI);
      context.lineWidth = 2.5;
      context.strokeStyle = theme.accent;
      context.fillStyle = place.id === task.from ? theme.panel : theme.accent;
      context.fill();
      context.stroke();
    }
  }

  /** The vehicle selected, or the one that works on the selected task. */
  selected() {
    if (!state.selection) return null;
    const { kind, id } = state.selection;
    const vehicle = kind === "vehicle" ? id : state.tasks.get(id)?.vehicle;
    return (vehicle && state.vehicles.get(vehicle)) || null;
  }

  follow() {
    const vehicle = this.selected();
    if (!vehicle || vehicle.x_m === null) return;
    if (vehicle.level !== state.level && vehicle.medium === "ground") return;
    const [x, y] = poseAt(vehicle, performance.now());
    const view = this.view();
    const [px, py] = toPixels(view, x, y);
    const out = Math.abs(px - view.width / 2) > view.width / 4 || Math.abs(py - view.height / 2) > view.height / 4;
    if (out) this.map.panTo([y, x], { animate: false });
  }

  /** Between two words of the server, let a few vehicles glide; thousands hop. */
  glide() {
    if (document.hidden || !this.element.clientWidth || this.seen.length > GLIDE_AT_MOST) return;
    if (gliding(this.seen.map((each) => each.vehicle), performance.now() - GLIDE_MS)) this.drawTop();
  }

  /** @param {{x: number, y: number}} point */
  at(point) {
    let found = null;
    let reach = REACH_PX;
    for (const each of this.seen) {
      const off = Math.hypot(each.x - point.x, each.y - point.y);
      if (off < reach) [found, reach] = [each.vehicle, off];
    }
    return found;
  }

  /** While a border is drawn, its corners can be dragged. @param {PointerEvent} event */
  grip(event) {
    if (!sketch.active) return;
    const box = this.element.getBoundingClientRect();
    const at = (now) => ({ x: now.clientX - box.x, y: now.clientY - box.y });
    const corner = cornerAt(this.view(), at(event));
    if (corner < 0) return;
    this.map.dragging.disable();
    const drag = (now) => move(corner, this.view(), at(now));
    const drop = () => {
      this.map.dragging.enable();
      window.removeEventListener("pointermove", drag);
    };
    window.addEventListener("pointermove", drag);
    for (const end of ["pointerup", "pointercancel"]) window.addEventListener(end, drop, { once: true });
  }

  /** @param {{x: number, y: number}} point */
  pick(point) {
    if (sketch.active) return tap(this.view(), point);
    const place = this.placeAt(point);
    if (place && this.onPlace(place)) return;
    const vehicle = this.at(point);
    if (vehicle) this.onPick(vehicle.id);
  }

  /** @param {{x: number, y: number}} point */
  placeAt(point) {
    const level = this.level();
    const view = this.view();
    let found = null;
    let reach = Math.max(REACH_PX, 4 * view.scale);
    for (const place of state.site?.places ?? []) {
      if (place.level !== level?.id) continue;
      const [x, y] = toPixels(view, place.x_m, place.y_m);
      const off = Math.hypot(x - point.x, y - point.y);
      if (off < reach) [found, reach] = [place.id, off];
    }
    return found;
  }

  /** @param {{x: number, y: number}} point */
  hover(point) {
    this.element.classList.toggle("pointing", Boolean(this.at(point)));
  }

  /** @returns {import("./base.js").View} */
  view() {
    const origin = this.map.latLngToContainerPoint([0, 0]);
    const size = this.map.getSize();
    return { scale: 2 ** this.map.getZoom(), x0: origin.x, y0: origin.y, width: size.x, height: size.y };
  }

  /** @param {number} by steps in or out */
  zoom(by) {
    this.map.setZoom(this.map.getZoom() + by, { animate: false });
  }
}

/** All that is to be seen of a level. @param {import("../types.js").Site} site @param {any} level @returns {Array<[number, number]>} */
function extent(site, level) {
  const areas = site.areas.filter((area) => area.level === level.id).flatMap((area) => area.outline);
  const lanes = site.lanes.filter((lane) => lane.level === level.id).flatMap((lane) => [lane.a, lane.b]);
  const spots = site.places.filter((place) => place.level === level.id).map((place) => /** @type {[number, number]} */ ([place.x_m, place.y_m]));
  const air = isGround(site, level) ? site.airspaces.flatMap((each) => each.outline) : [];
  const all = [...areas, ...lanes, ...spots, ...air];
  return all.length ? all : [[0, 0], [10, 10]];
}

/** @param {any} canvas @param {import("./base.js").View} view @returns {CanvasRenderingContext2D} */
function cleared(canvas, view) {
  const ratio = window.devicePixelRatio || 1;
  const [width, height] = [Math.round(view.width * ratio), Math.round(view.height * ratio)];
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, view.width, view.height);
  return context;
}
