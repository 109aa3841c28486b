/**
 * The live link: one WebSocket, and a watchdog that acts by itself.
 *
 * A socket's close event may come minutes after the network has gone, so silence counts: nothing
 * heard for `silence_ms` = lost, whatever the socket believes.
 */

const SILENCE_MS = 5000;
const WATCH_MS = 250;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 8000;

export class LiveLink {
  /**
   * @param {string} path of the WebSocket
   * @param {(message: any) => void} onMessage
   * @param {(state: "live"|"lost") => void} onState called at every change
   */
  constructor(path, onMessage, onState) {
    this.path = path;
    this.onMessage = onMessage;
    this.onState = onState;
    /** @type {WebSocket|null} */
    this.socket = null;
    /** @type {"connecting"|"live"|"lost"} */
    this.state = "connecting";
    this.heard_ms = performance.now();
    this.retry_ms = FIRST_RETRY_MS;
    this.retry_at_ms = 0;
    /** @type {number|null} */
    this.seq = null;
  }

  start() {
    window.setInterval(() => this.watch(), WATCH_MS);
    window.addEventListener("offline", () => this.drop());
    window.addEventListener("online", () => this.connect());
    this.connect();
  }

  connect() {
    this.abandon();
    this.seq = null;
    this.opened_ms = performance.now();
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}${this.path}`);
    socket.onmessage = (event) => this.receive(JSON.parse(event.data));
    socket.onclose = () => this.drop();
    this.socket = socket;
  }

  /** @param {any} message */
  receive(message) {
    if (this.seq !== null && message.seq !== this.seq + 1) return this.drop(0);
    this.seq = message.seq;
    this.heard_ms = performance.now();
    this.retry_ms = FIRST_RETRY_MS;
    this.onMessage(message);
    this.become("live");
  }

  /** What the timer does: see silence, and try again when it is time. */
  watch() {
    const now = performance.now();
    if (this.socket && now - Math.max(this.heard_ms, this.opened_ms ?? 0) > SILENCE_MS) this.drop();
    if (!this.socket && now >= this.retry_at_ms) this.connect();
    if (this.state !== "lost" && now - this.heard_ms > SILENCE_MS) this.become("lost");
  }

  /** @param {number} [wait_ms] before the next try; by default longer each time, and never quite even */
  drop(wait_ms) {
    this.abandon();
    const wait = wait_ms ?? this.retry_ms * (0.75 + Math.random() / 2);
    this.retry_ms = Math.min(this.retry_ms * 2, LAST_RETRY_MS);
    this.retry_at_ms = performance.now() + wait;
    if (wait_ms === undefined) this.become("lost");
  }

  /** Let go of the socket without waiting for it to close. */
  abandon() {
    if (!this.socket) return;
    this.socket.onmessage = this.socket.onclose = null;
    this.socket.close();
    this.socket = null;
  }

  /** @param {"live"|"lost"} state */
  become(state) {
    if (this.state === state) return;
    this.state = state;
    this.onState(state);
  }
}
