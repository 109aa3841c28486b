/** What a patrol would take, or why it can't be had: asked for while it is being described. */

import { LinkDown, Refused, previewPatrol } from "./api.js";
import { setText } from "./dom.js";
import { percent } from "./format.js";
import { t } from "./i18n/index.js";
import { showLines } from "./map/sketch.js";
import { faultWords } from "./words.js";

const PAUSE_MS = 400;

export class Preview {
  /** @param {HTMLElement} element where it is said */
  constructor(element) {
    this.element = element;
    this.number = 0;
    this.timer = 0;
  }

  /** Ask once it has been left alone for a moment. @param {any} body what would be asked for */
  ask(body) {
    window.clearTimeout(this.timer);
    this.number += 1;
    showLines([]);
    const number = this.number;
    if (body.kind !== "patrol" || !(body.area || body.points || body.outline?.length > 2)) return this.show("", false);
    this.timer = window.setTimeout(() => void this.fetch(body, number), PAUSE_MS);
  }

  /** @param {any} body @param {number} number */
  async fetch(body, number) {
    try {
      const found = await previewPatrol(body);
      if (number !== this.number) return; // something else has been described meanwhile
      showLines(found.lines);
      if (found.errors.length) this.show(found.errors.map(faultWords).join(" "), true);
      else this.show(words(found), false);
    } catch (error) {
      if (!(error instanceof LinkDown || error instanceof Refused)) throw error;
      if (number === this.number) this.show("", false); // half described: what is wrong is said when it is sent
    }
  }

  /** @param {string} text @param {boolean} wrong */
  show(text, wrong) {
    setText(this.element, text);
    this.element.classList.toggle("wrong", wrong);
  }
}

/**
 * @typedef {object} Found
 * @property {number|null} minutes
 * @property {number|null} battery_ratio
 * @property {number|null} vehicles_needed
 * @property {number} vehicles_able
 * @property {number|null} vehicles_used
 * @property {number|null} sorties of all of them together
 */

/** @param {Found} found */
function words({ minutes, battery_ratio, vehicles_needed, vehicles_able, vehicles_used, sorties }) {
  const parts = [
    minutes !== null && t("preview.minutes", { n: Math.max(1, Math.round(minutes)) }),
    battery_ratio !== null && t("preview.battery", { share: percent(battery_ratio) }),
    vehicles_needed !== null && t("preview.vehicles", { needed: vehicles_needed, able: vehicles_able }),
    vehicles_used !== null && sorties !== null && shared(vehicles_used, sorties),
  ];
  return parts.filter(Boolean).join(" · ");
}

/** Who flies an area, and how often. @param {number} drones @param {number} sorties */
function shared(drones, sorties) {
  if (drones === 1) return t("preview.alone", { sorties });
  return t("preview.shared", { drones, sorties, each: Math.ceil(sorties / drones) });
}
