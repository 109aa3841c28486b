/**
 * Plain geometry for the map: boxes, polygons, segments.
 *
 * @typedef {[number, number]} XY
 * @typedef {{x: number, y: number, w: number, h: number}} Box left, top, width, height
 */

/** @param {XY[]} outline @param {number} x @param {number} y */
export function inside(outline, x, y) {
  let odd = false;
  for (let i = 0, j = outline.length - 1; i < outline.length; j = i++) {
    const [xi, yi] = outline[i];
    const [xj, yj] = outline[j];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) odd = !odd;
  }
  return odd;
}

/** @param {XY[]} points @returns {[number, number, number, number]} x and y of two corners */
export function bounds(points) {
  const xs = points.map((point) => point[0]);
  const ys = points.map((point) => point[1]);
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

/** @param {XY[]} outline */
export function areaOf(outline) {
  let twice = 0;
  for (let i = 0, j = outline.length - 1; i < outline.length; j = i++) {
    twice += outline[j][0] * outline[i][1] - outline[i][0] * outline[j][1];
  }
  return Math.abs(twice) / 2;
}

/** @param {Box} a @param {Box} b */
export function overlap(a, b) {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

/** @param {Box} box @param {number} by */
export function grown(box, by) {
  return { x: box.x - by, y: box.y - by, w: box.w + 2 * by, h: box.h + 2 * by };
}

/** Whether a segment touches a box. @param {Box} box @param {XY} a @param {XY} b */
export function crosses(box, a, b) {
  let near = 0;
  let far = 1;
  const dx = b[0] - a[0];
  const dy = b[1] - a[1];
  const sides = [
    [-dx, a[0] - box.x],
    [dx, box.x + box.w - a[0]],
    [-dy, a[1] - box.y],
    [dy, box.y + box.h - a[1]],
  ];
  for (const [slope, room] of sides) {
    if (slope === 0 && room < 0) return false;
    if (slope < 0) near = Math.max(near, room / slope);
    if (slope > 0) far = Math.min(far, room / slope);
  }
  return near <= far;
}

/** The spot on a segment nearest to a point: how far along (0..1), and how far off. @param {XY} p @param {XY} a @param {XY} b */
export function nearest(p, a, b) {
  const dx = b[0] - a[0];
  const dy = b[1] - a[1];
  const square = dx * dx + dy * dy;
  const along = square ? ((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / square : 0;
  const part = Math.max(0, Math.min(1, along));
  return { part, off: Math.hypot(p[0] - a[0] - part * dx, p[1] - a[1] - part * dy) };
}

/** Boxes in a grid, so that asking what one of them meets stays cheap. */
export class Crowd {
  constructor(cell = 48) {
    this.cell = cell;
    /** @type {Map<string, Box[]>} */
    this.cells = new Map();
  }

  /** @param {Box} box */
  add(box) {
    for (const key of this.keys(box)) {
      const found = this.cells.get(key);
      if (found) found.push(box);
      else this.cells.set(key, [box]);
    }
  }

  /** @param {Box} box */
  meets(box) {
    return this.keys(box).some((key) => this.cells.get(key)?.some((other) => overlap(box, other)));
  }

  /** @param {Box} box */
  keys(box) {
    const keys = [];
    for (let x = Math.floor(box.x / this.cell); x <= (box.x + box.w) / this.cell; x++) {
      for (let y = Math.floor(box.y / this.cell); y <= (box.y + box.h) / this.cell; y++) {
        keys.push(`${x},${y}`);
      }
    }
    return keys;
  }
}
