/** Who commands a vehicle, and what it can be told at once; the emergency stop is apart from it. */

import { LinkDown, Refused, emergencyStop, endEmergencyStop, handOver, orderVehicles, releaseControl, takeControl } from "../api.js";
import { fill, h, holdButton, setText } from "../dom.js";
import { t } from "../i18n/index.js";
import { state } from "../store.js";
import { faultWords, vehicleName } from "../words.js";
import { operator } from "./frame.js";

/** @param {any[]} answers what each vehicle said, in words */
export function repliesWords(answers) {
  return answers.map((one) => t(`control.reply.${one.reply}`, { vehicle: vehicleName(one.vehicle), text: one.text })).join(" ");
}

/** The part of a vehicle's drawer with its control. */
export class Control {
  /** @param {string} id */
  constructor(id) {
    this.id = id;
    this.who = h("span", { class: "details" });
    this.buttons = h("div", { class: "buttons" });
    this.says = h("p", { class: "says", role: "status" });
    this.element = h("section", { class: "control", "aria-label": t("control.title") }, h("h3", {}, t("control.title")), this.who, this.buttons, this.says);
    this.shown = "";
  }

  update() {
    this.element.hidden = !!state.replay;
    const token = state.control.find((one) => one.vehicle === this.id) ?? { holder: null, stopped_by: null };
    const mine = !!token.holder && token.holder === operator();
    const flies = state.vehicles.get(this.id)?.medium === "air";
    const holder = mine ? t("control.you") : token.holder ? t("control.held_by", { holder: token.holder }) : t("control.nobody");
    setText(this.who, token.stopped_by ? `${holder} · ${t("control.stopped", { by: token.stopped_by })}` : holder);
    const key = `${mine} ${token.holder} ${token.stopped_by} ${flies}`;
    if (key === this.shown) return;
    this.shown = key;
    fill(this.buttons, ...this.offers(mine, token, flies));
  }

  /** @param {boolean} mine @param {any} token @param {boolean} flies */
  offers(mine, token, flies) {
    const orders = flies ? ["hold", "go_on", "recall", "land"] : ["hold", "go_on"];
    const give = mine ? orders.map((order) => this.order(order)) : [];
    const stop = token.stopped_by
      ? holdButton(t("control.stop_end"), t("action.hold"), () => this.act(() => endEmergencyStop([this.id], operator())))
      : holdButton(t("control.stop"), t("action.hold"), () => this.act(() => emergencyStop([this.id], operator())));
    const take = !token.holder && this.button("control.take", () => takeControl(this.id, operator()));
    const hand = mine && this.button("control.hand_over", () => this.handOver());
    const release = mine && this.button("control.release", () => releaseControl(this.id, operator()));
    return [take, ...give, hand, release, stop];
  }

  /** @param {string} order */
  order(order) {
    const act = () => orderVehicles(order, [this.id], operator());
    if (order !== "land") return this.button(`control.${order}`, act);
    return holdButton(t("control.land"), t("action.hold"), () => this.act(act));
  }

  /** @param {string} words @param {() => Promise<any>} act */
  button(words, act) {
    return h("button", { type: "button", class: "button", onclick: () => this.act(act) }, t(words));
  }

  async handOver() {
    const to = window.prompt(t("control.to_whom"))?.trim();
    return to ? handOver(this.id, operator(), to) : null;
  }

  /** @param {() => Promise<any>} act */
  async act(act) {
    if (!operator()) return setText(this.says, t("control.name_first"));
    try {
      const answer = await act();
      setText(this.says, answer?.answers ? repliesWords(answer.answers) : "");
    } catch (error) {
      if (error instanceof Refused) setText(this.says, error.fields.map(faultWords).join(" ") || error.message);
      else if (error instanceof LinkDown) setText(this.says, t("emergency.no_link"));
      else throw error;
    }
  }
}
