/** The console's first page: puts the parts together and starts the live link. */

import { LinkDown, Refused, getSchemas, getSite, getWatches } from "./api.js";
import { h } from "./dom.js";
import { TaskForm } from "./forms.js";
import { current, setLanguage } from "./i18n/index.js";
import { listenToKeys } from "./keys.js";
import { followAddress } from "./nav.js";
import { flush, keepFlushing } from "./outbox.js";
import { EmergencyBanner, askForEmergency } from "./screens/emergency.js";
import { Bar, Strip } from "./screens/frame.js";
import { Panel } from "./screens/panel.js";
import { Stage } from "./screens/stage.js";
import { TasksScreen } from "./screens/tasks.js";
import { apply, changed, hasEnded, on, state } from "./store.js";
import { LiveLink } from "./ws.js";

const RETRY_MS = 2000;
const SECOND_MS = 500;
const WATCHES_MS = 5000;

setLanguage(current());
const form = new TaskForm();
const stage = new Stage((place) => form.offer(place));
const root = /** @type {HTMLElement} */ (document.getElementById("app"));

/** A screen that comes with its module when it is looked at for the first time. */
class LaterScreen {
  /** @param {() => Promise<{element: HTMLElement, update: () => void}>} load */
  constructor(load) {
    this.element = h("div");
    this.load = load;
    /** @type {{element: HTMLElement, update: () => void}|null} */
    this.screen = null;
    this.asked = false;
  }

  update() {
    if (this.screen) this.screen.update();
    else if (!this.asked) {
      this.asked = true;
      void this.load().then((screen) => {
        this.screen = screen;
        this.element.replaceWith(screen.element);
        screen.update();
      });
    }
  }
}

/** Build everything that holds words; the map stays, and so does what was typed. */
function build() {
  stage.rebuild();
  form.rebuild();
  const parts = {
    bar: new Bar(() => speak(current() === "en" ? "zh" : "en"), askForEmergency, listIncidents),
    banner: new EmergencyBanner(),
    strip: new Strip(),
    panel: new Panel(form),
    screens: {
      tasks: new TasksScreen(),
      fleet: new LaterScreen(async () => new (await import("./screens/fleet.js")).FleetScreen()),
      alerts: new LaterScreen(async () => new (await import("./screens/alerts.js")).AlertsScreen()),
    },
  };
  const pages = Object.entries(parts.screens).map(([name, screen]) =>
    h("section", { class: "page", "data-screen": name }, screen.element),
  );
  const work = h("main", { class: "work" }, stage.element, ...pages, parts.panel.element);
  root.replaceChildren(parts.bar.element, h("div", { class: "strips" }, parts.banner.element, parts.strip.element), work);
  return { ...parts, work };
}

let page = build();
/** @type {import("./screens/replay.js").ReplayBar|null} */
let replayBar = null;
/** @type {Promise<any>|null} */
let replayParts = null;

/** The list comes with its module only when it is asked for. */
function listIncidents() {
  void import("./screens/incidents.js").then((parts) => parts.showIncidents());
}

/** @param {"en"|"zh"} language */
function speak(language) {
  setLanguage(language);
  page = build();
  if (replayBar) void showReplay(true);
  refreshAll();
}

function refreshAll() {
  showScreen();
  page.bar.update();
  page.strip.update();
  page.banner.update();
  page.panel.update();
  stage.update();
  updatePage();
}

/** The bar of a replay comes, with its module, only where there is one. @param {boolean} [anew] in another language */
async function showReplay(anew = false) {
  document.documentElement.toggleAttribute("data-replay", !!state.replay);
  const parts = state.replay ? await loadReplay() : null;
  if (anew || replayBar?.run !== state.replay?.name) {
    replayBar?.element.remove();
    replayBar = null;
  }
  if (parts && state.replay && !replayBar) {
    replayBar = /** @type {import("./screens/replay.js").ReplayBar} */ (new parts.ReplayBar());
    root.append(replayBar.element);
  }
  replayBar?.update();
}

function loadReplay() {
  replayParts ??= import("./screens/replay.js").then((parts) => {
    parts.listenToReplayKeys(() => replayBar);
    return parts;
  });
  return replayParts;
}

function showScreen() {
  page.work.dataset.screen = state.screen;
  page.work.classList.toggle("with-panel", state.screen === "operations" || state.composing || !!state.selection);
}

function updatePage() {
  page.screens[/** @type {"tasks"} */ (state.screen)]?.update();
}

async function loadSite() {
  try {
    [state.site, state.schemas] = await Promise.all([getSite(), getSchemas()]);
  } catch {
    window.setTimeout(() => void loadSite(), RETRY_MS);
    return;
  }
  form.rebuild();
  changed("site", "tasks", "vehicles", "positions", "alerts", "screen");
}

on(["screen"], showScreen);
on(["replay"], () => void showReplay());
on(["screen", "link", "alerts", "site", "replay", "incidents"], () => page.bar.update());
on(["alerts", "site"], () => page.strip.update());
on(["alerts", "site", "replay"], () => page.banner.update());
on(["tasks", "vehicles", "selection", "screen", "outbox", "site"], () => page.panel.update());
on(["positions"], () => {
  page.panel.tick();
  replayBar?.tick();
});
on(["tasks", "vehicles", "alerts", "screen", "site"], updatePage);
on(["site", "screen", "selection", "vehicles"], () => stage.update());
on(["positions", "selection", "tasks"], () => stage.tick());

const link = new LiveLink(
  "/api/v1/live",
  (message) => {
    state.link.heard_ms = performance.now();
    const other = message.type === "snapshot" && state.site && message.site?.id !== state.site.id;
    apply(message);
    if (other) void loadSite();
  },
  (now) => {
    state.link.state = now;
    changed("link", "positions");
    if (now === "live") void flush();
  },
);

/** Who is on station is asked for, while there is a watch. */
async function lookAtWatches() {
  const watched = [...state.tasks.values()].some((task) => task.spec?.revisit_s && !hasEnded(task));
  if ((!watched && !state.watches.length) || state.replay || state.link.state !== "live") return;
  try {
    state.watches = (await getWatches()).watches;
    changed("selection", "positions");
  } catch (error) {
    if (!(error instanceof LinkDown || error instanceof Refused)) throw error;
  }
}

window.setInterval(() => void lookAtWatches(), WATCHES_MS);
window.setInterval(() => {
  page.bar.tick();
  page.panel.tick();
  replayBar?.tick();
  if (state.link.state === "lost") stage.tick();
}, SECOND_MS);
followAddress();
listenToKeys({ stage, form: () => form, acknowledge: () => page.strip.acknowledge() });
keepFlushing();
refreshAll();
void loadSite();
link.start();
