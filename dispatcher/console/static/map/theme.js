/** The colours of the page for what is drawn on canvas, read from the style sheet. */

const NAMES = [
  "bg", "panel", "ink", "mute", "line", "accent", "accent-ink", "wait", "critical", "idle",
  "zone-clean", "zone-clean-line", "zone-semi", "zone-semi-line",
  "zone-contaminated", "zone-contaminated-line",
];
const HATCH_PX = 7;

/** @typedef {Object<string, string>} Theme */

/** @returns {Theme} */
function read() {
  const style = getComputedStyle(document.documentElement);
  const found = NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]);
  return { ...Object.fromEntries(found), font: style.getPropertyValue("--font").trim() };
}

/** @type {Theme|null} */
let theme = null;

/** @returns {Theme} */
export function colours() {
  theme ??= read();
  return theme;
}

/** Have `listener` called when the machine turns from light to dark or back. @param {() => void} listener */
export function onThemeChange(listener) {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    theme = null;
    hatches.clear();
    listener();
  });
}

/** @type {Map<string, HTMLCanvasElement>} */
const hatches = new Map();

/**
 * Lines at 45 degrees, 7 px apart, fixed to the ground rather than to the screen.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {string} colour
 * @param {number} x of a point of the ground, in CSS pixels
 * @param {number} y
 */
export function hatch(context, colour, x, y) {
  const ratio = window.devicePixelRatio || 1;
  const tile = hatches.get(colour + ratio) ?? drawTile(colour, ratio);
  hatches.set(colour + ratio, tile);
  const pattern = /** @type {CanvasPattern} */ (context.createPattern(tile, "repeat"));
  const side = HATCH_PX * Math.SQRT2;
  pattern.setTransform(new DOMMatrix().translate(x % side, y % side).scale(side / tile.width));
  return pattern;
}

/** @param {string} colour @param {number} ratio */
function drawTile(colour, ratio) {
  const side = Math.round(HATCH_PX * Math.SQRT2 * ratio);
  const tile = document.createElement("canvas");
  tile.width = tile.height = side;
  const context = /** @type {CanvasRenderingContext2D} */ (tile.getContext("2d"));
  context.strokeStyle = colour;
  context.lineWidth = ratio;
  context.beginPath();
  for (const shift of [-side, 0, side]) {
    context.moveTo(shift - side, 2 * side);
    context.lineTo(shift + 2 * side, -side);
  }
  context.stroke();
  return tile;
}
