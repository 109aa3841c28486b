/**
 * Tasks on their way to the server: they survive a lost link, a reload and a restart.
 *
 * Each carries its own key, so sending it twice gives one task.
 *
 * @typedef {{key: string, body: any, refused: import("./types.js").FieldFault[]|null}} Letter
 */

import { LinkDown, Refused, postTask } from "./api.js";
import { changed, state } from "./store.js";

const PLACE = "wardline.outbox";
const PAUSE_MS = 2000;

/** @type {Letter[]} */
let letters = read();
let sending = false;

/** Everything not yet accepted, the oldest first. */
export function waiting() {
  return letters;
}

/**
 * Send a task as soon as it can be sent.
 *
 * @param {any} body
 * @returns {Promise<import("./types.js").Task|null>} null = no link now, it stays in the outbox.
 * @throws {Refused} the server's no; it does not stay.
 */
export async function post(body) {
  const letter = { key: newKey(), body, refused: null };
  keep([...letters, letter]);
  if (state.link.state === "lost") return null;
  try {
    return await send(letter);
  } catch (error) {
    if (error instanceof LinkDown) return null;
    discard(letter.key);
    throw error;
  }
}

/** @param {string} key */
export function discard(key) {
  keep(letters.filter((letter) => letter.key !== key));
}

/** Try what is left, one after another; called when the link is there and every now and then. */
export async function flush() {
  if (sending || state.replay) return; // what waits here is meant for a dispatcher
  sending = true;
  try {
    for (const letter of letters.filter((each) => !each.refused)) {
      if (!(await retried(letter))) break;
    }
  } finally {
    sending = false;
  }
}

/** Start trying by itself. */
export function keepFlushing() {
  window.setInterval(() => {
    if (letters.length && state.link.state === "live") void flush();
  }, PAUSE_MS);
}

/**
 * @param {Letter} letter
 * @returns {Promise<boolean>} whether the server answered at all
 */
async function retried(letter) {
  try {
    await send(letter);
    return true;
  } catch (error) {
    if (error instanceof LinkDown) return false;
    if (!(error instanceof Refused)) throw error;
    const faults = error.fields.length ? error.fields : [whole(error)];
    keep(letters.map((each) => (each.key === letter.key ? { ...each, refused: faults } : each)));
    return true;
  }
}

/** @param {Letter} letter */
async function send(letter) {
  const task = await postTask(letter.body, letter.key);
  discard(letter.key);
  if (!state.tasks.has(task.id)) state.tasks.set(task.id, task);
  changed("tasks");
  return task;
}

/** @param {Refused} error */
function whole(error) {
  return { field: "", code: error.code, facts: {}, remedy: error.message };
}

/** @param {Letter[]} next */
function keep(next) {
  letters = next;
  localStorage.setItem(PLACE, JSON.stringify(letters));
  changed("outbox");
}

/** @returns {Letter[]} */
function read() {
  try {
    return JSON.parse(localStorage.getItem(PLACE) ?? "[]");
  } catch {
    return [];
  }
}

function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
