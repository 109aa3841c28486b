/** The words of the page: codes in, sentences out, in the language of this browser. */

import { en } from "./en.js";
import { zh } from "./zh.js";

const PLACE = "wardline.language";
/** @type {Object<string, Object<string, string>>} */
export const WORDS = { en, zh };
export const LANGUAGES = { en: "EN", zh: "中文" };

/** Keys that were asked for and not found: tests look here. */
export const missing = new Set();

/** @type {"en"|"zh"} */
let language = first();

export function current() {
  return language;
}

/** @param {"en"|"zh"} next */
export function setLanguage(next) {
  language = next;
  localStorage.setItem(PLACE, next);
  document.documentElement.lang = next === "zh" ? "zh-Hans" : "en";
}

/** @param {string} key */
export function has(key) {
  return key in WORDS[language];
}

/**
 * The words for a key; `{name}` in them is replaced by the parameter of that name.
 *
 * @param {string} key
 * @param {Object<string, string|number>} [parameters]
 */
export function t(key, parameters = {}) {
  const words = WORDS[language][key];
  if (words === undefined) {
    missing.add(key);
    return readable(key);
  }
  return words.replace(/\{(\w+)\}/g, (_, name) => String(parameters[name] ?? "–"));
}

/**
 * A thing's own name in the language in use.
 *
 * @param {import("../types.js").Name|string|null|undefined} name
 */
export function named(name) {
  if (!name) return "";
  if (typeof name === "string") return name;
  return name[language] || name.en || name.zh;
}

/**
 * A code made readable where there are no words for it: better than nothing, and greppable.
 *
 * @param {string} code
 */
export function readable(code) {
  return code.slice(code.lastIndexOf(".") + 1).replaceAll("_", " ");
}

/** @returns {"en"|"zh"} */
function first() {
  const kept = localStorage.getItem(PLACE);
  if (kept === "en" || kept === "zh") return kept;
  return navigator.language.startsWith("zh") ? "zh" : "en";
}
