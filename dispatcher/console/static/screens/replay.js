/** The bar under a replay: play and pause, the speed, and the whole run to move about in. */

import { LinkDown, Refused, getReplay, steer } from "../api.js";
import { fill, glyph, h, setAttribute, setText } from "../dom.js";
import { clock, clockWithSeconds, day } from "../format.js";
import { t } from "../i18n/index.js";
import { changed, siteNow, state } from "../store.js";
import { alertWords, capital, markWords } from "../words.js";

const PLAY = "M4 2l10 6-10 6z";
const PAUSE = "M3 2h4v12H3zm6 0h4v12H9z";
const BACK = "M12 2v12L5 8zM3 2h2v12H3z";
const FORTH = "M4 2v12l7-6zm7 0h2v12h-2z";
const SPEEDS = [1, 10, 60, 300, 600];
const STEP_MS = 30_000;
const LEAP_MS = 600_000;
const PAUSE_BETWEEN_MS = 100;
const NEAR_PX = 4;
const HOURS = [1 / 12, 1 / 6, 1 / 4, 1 / 2, 1, 2, 3, 6, 12, 24];
const LABEL_PX = 64;
const RANK = { critical: 0, high: 1, notice: 2, info: 3 };

/** @typedef {{at: string, kind: "alert"|"violation"|"late", code: string, what: string, alert: any, task: any, ms: number}} Mark */

export class ReplayBar {
  constructor() {
    /** @type {Mark[]} */
    this.marks = [];
    this.run = state.replay.name;
    this.drawn = "";
    this.button = h("button", { type: "button", class: "square play", onclick: () => this.toggle() });
    this.now = h("strong", { class: "now" });
    this.date = h("span", { class: "date" });
    this.slider = /** @type {HTMLInputElement} */ (h("input", { type: "range", class: "head", min: 0, step: 1, "aria-label": t("replay.slider") }));
    this.slider.addEventListener("input", () => this.seek(state.replay.begin_ms + Number(this.slider.value) * 1000));
    this.signs = h("div", { class: "signs", "aria-hidden": "true" });
    this.scale = h("div", { class: "scale", "aria-hidden": "true" });
    this.speed = /** @type {HTMLSelectElement} */ (h("select", { class: "speed", "aria-label": t("replay.speed") }));
    this.speed.addEventListener("change", () => void this.ask({ speed: Number(this.speed.value) }));
    const run = [this.run, state.replay.cut && t("replay.cut")].filter(Boolean).join(" · ");
    this.said = h("span", { class: "said", role: "status" }, run);
    this.legend = h(
      "span", { class: "legend" },
      ...["violation", "alert", "late"].map((kind) => h("span", {}, h("i", { class: `sign ${kind} high` }), t(`replay.legend.${kind}`))),
    );
    const line = h("div", { class: "line" }, this.signs, this.slider, this.scale);
    const jumps = h(
      "div", { class: "jumps" },
      this.jump(BACK, "replay.previous", -1),
      this.jump(FORTH, "replay.next", 1),
    );
    const about = h("div", { class: "about" }, this.said, this.legend);
    this.element = h(
      "section", { class: "replay", "aria-label": t("replay.title") },
      this.button, h("div", { class: "moment" }, this.now, this.date), line, jumps, this.speed, about,
    );
    new ResizeObserver(() => this.draw()).observe(line);
    this.wanted = NaN;
    this.sending = false;
    void this.fetch();
  }

  /** @param {string} path @param {string} words @param {1|-1} by */
  jump(path, words, by) {
    return h("button", { type: "button", class: "square", "aria-label": t(words), title: t(words), onclick: () => this.toMark(by) }, glyph(path));
  }

  async fetch() {
    const run = await getReplay().catch(() => null);
    if (!run) return void window.setTimeout(() => void this.fetch(), 2000);
    this.marks = run.marks.map((mark) => ({ ...mark, ms: Date.parse(mark.at) }));
    this.draw();
  }

  update() {
    const { replay } = state;
    const words = t(replay.playing ? "replay.pause" : "replay.play");
    if (this.button.title !== words) {
      setAttribute(this.button, "aria-label", words);
      setAttribute(this.button, "title", words);
      fill(this.button, glyph(replay.playing ? PAUSE : PLAY));
    }
    this.slider.max = String(Math.ceil((replay.end_ms - replay.begin_ms) / 1000));
    const speeds = SPEEDS.includes(replay.speed) ? SPEEDS : [...SPEEDS, replay.speed].sort((a, b) => a - b);
    if (this.speed.options.length !== speeds.length || this.speed.value !== String(replay.speed)) {
      fill(this.speed, ...speeds.map((speed) => h("option", { value: speed }, `×${speed}`)));
      this.speed.value = String(replay.speed);
    }
    this.draw();
    this.tick();
  }

  /** What changes by the passing of time alone. */
  tick() {
    const now = Number.isNaN(this.wanted) ? siteNow() : this.wanted;
    setText(this.now, clockWithSeconds(now));
    setText(this.date, day(now));
    if (Number.isNaN(this.wanted)) this.slider.value = String((now - state.replay.begin_ms) / 1000);
    setAttribute(this.slider, "aria-valuetext", clockWithSeconds(now));
    const part = (now - state.replay.begin_ms) / (state.replay.end_ms - state.replay.begin_ms || 1);
    this.slider.style.setProperty("--gone", `${100 * Math.max(0, Math.min(1, part))}%`);
  }

  toggle() {
    void this.ask({ playing: !state.replay.playing });
  }

  /** @param {1|-1} by to the next slower or faster speed */
  hurry(by) {
    const faster = SPEEDS.filter((speed) => (speed - state.replay.speed) * by > 0);
    if (faster.length) void this.ask({ speed: by > 0 ? faster[0] : faster[faster.length - 1] });
  }

  /** @param {number} by_ms */
  step(by_ms) {
    this.seek((Number.isNaN(this.wanted) ? siteNow() : this.wanted) + by_ms);
  }

  /** @param {1|-1} by to the mark before or after this moment */
  toMark(by) {
    const now = Number.isNaN(this.wanted) ? siteNow() : this.wanted;
    const ahead = this.marks.filter((mark) => (mark.ms - now) * by > 1000);
    const mark = by > 0 ? ahead[0] : ahead[ahead.length - 1];
    setText(this.said, mark ? this.words(mark) : t("replay.no_mark"));
    if (mark) this.seek(mark.ms);
  }

  /** @param {Mark} mark */
  words(mark) {
    return `${clock(mark.ms)} · ${capital(mark.alert ? alertWords(mark.alert) : markWords(mark))}`;
  }

  /** Go to a moment; while a slider is dragged, only the latest is asked for, ten times a second. @param {number} ms */
  seek(ms) {
    this.wanted = Math.max(state.replay.begin_ms, Math.min(state.replay.end_ms, ms));
    this.slider.value = String((this.wanted - state.replay.begin_ms) / 1000);
    this.tick();
    if (!this.sending) void this.send();
  }

  async send() {
    this.sending = true;
    while (!Number.isNaN(this.wanted)) {
      const asked = this.wanted;
      await this.ask({ at: new Date(asked).toISOString() });
      await new Promise((done) => window.setTimeout(done, PAUSE_BETWEEN_MS));
      if (this.wanted === asked) this.wanted = NaN;
    }
    this.sending = false;
  }

  /** @param {{playing?: boolean, speed?: number, at?: string}} wanted */
  async ask(wanted) {
    try {
      const { now, playing, speed } = await steer(wanted);
      if (!state.replay) return;
      Object.assign(state.replay, { playing, speed });
      state.speed = playing ? speed : 0;
      state.clock = { site_ms: Date.parse(now), wall_ms: performance.now() };
      changed("replay");
    } catch (error) {
      if (!(error instanceof LinkDown || error instanceof Refused)) throw error;
      setText(this.said, t("error.link_down"));
    }
  }

  /** The marks and the hours, as many as there is room for. */
  draw() {
    const width = this.signs.clientWidth;
    const { begin_ms, end_ms } = state.replay;
    const key = `${width} ${begin_ms} ${end_ms} ${this.marks.length}`;
    if (!width || key === this.drawn) return;
    this.drawn = key;
    const x = (ms) => ((ms - begin_ms) / Math.max(1, end_ms - begin_ms)) * width;
    fill(this.signs, ...merged(this.marks, x).map((group) => this.sign(group, x)));
    fill(this.scale, ...hours(begin_ms, end_ms, width).map((ms) => placed(h("span", {}, clock(ms)), x(ms))));
  }

  /** @param {Mark[]} group @param {(ms: number) => number} x */
  sign(group, x) {
    const [mark] = group;
    const severity = group.map((each) => each.alert?.severity ?? "high").sort((a, b) => RANK[a] - RANK[b])[0];
    const title = group.slice(0, 5).map((each) => this.words(each)).join("\n") + (group.length > 5 ? `\n+${group.length - 5}` : "");
    const sign = placed(h("i", { class: `sign ${mark.kind} ${severity}`, title }), x(mark.ms));
    sign.addEventListener("click", () => {
      setText(this.said, this.words(mark));
      this.seek(mark.ms);
    });
    return sign;
  }
}

/** @param {HTMLElement} element @param {number} x_px from the left of what it is in */
function placed(element, x_px) {
  element.style.left = `${x_px}px`;
  return element;
}

/** Marks of one kind that would lie on each other, together. @param {Mark[]} marks @param {(ms: number) => number} x @returns {Mark[][]} */
function merged(marks, x) {
  /** @type {Mark[][]} */
  const groups = [];
  /** @type {Map<string, Mark[]>} */
  const last = new Map();
  for (const mark of marks) {
    const group = last.get(mark.kind);
    if (group && x(mark.ms) - x(group[0].ms) < NEAR_PX) group.push(mark);
    else {
      const fresh = [mark];
      groups.push(fresh);
      last.set(mark.kind, fresh);
    }
  }
  return groups;
}

/** Full hours, or parts of them, so that their names have room. @param {number} begin_ms @param {number} end_ms @param {number} width */
function hours(begin_ms, end_ms, width) {
  const most = Math.max(2, Math.floor(width / LABEL_PX));
  const step = (HOURS.find((each) => (end_ms - begin_ms) / (each * 3_600_000) <= most) ?? 24) * 3_600_000;
  const found = [];
  const edge = ((end_ms - begin_ms) / Math.max(1, width)) * (LABEL_PX / 4);
  for (let ms = Math.ceil((begin_ms + edge) / step) * step; ms <= end_ms - edge; ms += step) found.push(ms);
  return found;
}

/** Keys that are the replay's, wherever the focus is. @param {() => ReplayBar|null} bar */
export function listenToReplayKeys(bar) {
  document.addEventListener(
    "keydown",
    (event) => {
      const shown = bar();
      const target = /** @type {HTMLElement} */ (event.target);
      if (!shown || event.ctrlKey || event.metaKey || event.altKey) return;
      const slider = target === shown.slider;
      if (!slider && target.closest("input, textarea, select, dialog, [role=radiogroup]")) return;
      if (event.key === " " && target.closest("button, a, summary")) return;
      if (!act(shown, event)) return;
      event.preventDefault();
      event.stopPropagation();
    },
    { capture: true },
  );
}

/** @param {ReplayBar} bar @param {KeyboardEvent} event @returns {boolean} whether it meant anything */
function act(bar, { key, shiftKey }) {
  const far = shiftKey ? LEAP_MS : STEP_MS;
  if (key === " ") bar.toggle();
  else if (key === "ArrowRight") bar.step(far);
  else if (key === "ArrowLeft") bar.step(-far);
  else if (key === ".") bar.toMark(1);
  else if (key === ",") bar.toMark(-1);
  else if (key === ">") bar.hurry(1);
  else if (key === "<") bar.hurry(-1);
  else return false;
  return true;
}
