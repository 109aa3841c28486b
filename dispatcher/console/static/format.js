/** Numbers, times and quantities as people read them. */

import { current, t } from "./i18n/index.js";

const LOCALE = { en: "en-GB", zh: "zh-CN" };

/** @type {string|undefined} the site's own time zone; until it is known, the browser's */
let zone;

/** @param {string} name such as Asia/Shanghai */
export function setTimeZone(name) {
  zone = name;
}

/** @param {number} value @param {number} [digits] */
export function number(value, digits = 0) {
  return new Intl.NumberFormat(LOCALE[current()], { maximumFractionDigits: digits }).format(value);
}

/** @param {string|number|null} at a moment, as text or in milliseconds */
export function clock(at) {
  if (!at) return "–";
  return new Intl.DateTimeFormat(LOCALE[current()], {
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
    timeZone: zone,
  }).format(new Date(at));
}

/** @param {string|number|null} at */
export function clockWithSeconds(at) {
  if (!at) return "–";
  return new Intl.DateTimeFormat(LOCALE[current()], {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
    timeZone: zone,
  }).format(new Date(at));
}

/** @param {string|number|null} at its day, such as Tue 3 Feb 2026 */
export function day(at) {
  if (!at) return "–";
  return new Intl.DateTimeFormat(LOCALE[current()], {
    weekday: "short",
    day: "numeric",
    month: "short",
    year: "numeric",
    timeZone: zone,
  }).format(new Date(at));
}

/** @param {number} seconds */
export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return t("unit.s", { n: whole });
  const minutes = Math.round(whole / 60);
  if (minutes < 60) return t("unit.min", { n: minutes });
  const rest = String(minutes % 60).padStart(2, "0");
  return t("unit.h", { h: Math.floor(minutes / 60), m: rest });
}

/** @param {number} seconds of age, to a tenth while it is young */
export function age(seconds) {
  return seconds < 10 ? t("unit.s", { n: seconds.toFixed(1) }) : duration(seconds);
}

/** @param {number|null} ratio 0..1 */
export function percent(ratio) {
  return ratio === null || ratio === undefined ? "–" : `${Math.round(ratio * 100)} %`;
}

/** Units by the ending of a fact's name, longest first; the factor turns them for people. */
const UNITS = [
  ["_mj_cm2", 1, "mJ/cm²"],
  ["_m_s", 1, "m/s"],
  ["_m2", 1, "m²"],
  ["_kg", 1, "kg"],
  ["_ml", 0.001, "l"],
  ["_wh", 1, "Wh"],
  ["_mm", 1, "mm"],
  ["_g", 0.001, "kg"],
  ["_l", 1, "l"],
  ["_m", 1, "m"],
];

/**
 * A fact with its unit, read from its name: `mass_kg` 80 → "80 kg".
 *
 * @param {string} name
 * @param {string|number|boolean} value
 */
export function quantity(name, value) {
  if (typeof value === "boolean") return t(value ? "word.yes" : "word.no");
  if (typeof value !== "number") return String(value);
  if (name.endsWith("_ratio") || name === "ratio") return percent(value);
  for (const [ending, factor, unit] of UNITS) {
    if (name.endsWith(ending)) return `${number(value * factor, 2)} ${unit}`;
  }
  if (name.endsWith("_s")) return duration(value);
  return number(value, 2);
}
