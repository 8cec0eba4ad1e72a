// Dashboard: what is going on now, and how last week was.

import { api, isAborted } from "../core/api.js";
import { define, h } from "../core/dom.js";
import { Liveness, poll } from "../core/live.js";
import { Page } from "../core/page.js";
import { errorState } from "../elements/message.js";
import { liveBadge } from "../elements/live-badge.js";
import { pageHead } from "../elements/page-head.js";
import { denialsCard, devicesCard, endingCard, healthCard, productsCard, tiles } from "./dashboard/cards.js";
import { chargeCard } from "./dashboard/charge.js";
import { activityCharts } from "./dashboard/charts.js";
import { lookNow, lookSometimes } from "./dashboard/live.js";

const EVERY_S = 3;
const SOMETIMES_S = 60;

class DashboardPage extends Page {
  #sometimes = { ending: null, checks: null };
  #shown = "";

  build() {
    this.liveness = new Liveness();
    this.tiles = h("div", { class: "stats" }, Array.from({ length: 4 }, () => h("div", { class: "card stat skeleton", "aria-hidden": "true" }, h("span", { class: "bone" }), h("span", { class: "bone" }))));
    this.cards = h("div", { class: "cards" });
    this.week = h("div", { class: "charts" });
    this.append(
      pageHead({ title: "Dashboard", live: liveBadge(this.liveness, this.signal) }),
      this.tiles,
      h("h2", { class: "section-title" }, "Last week, against the week before"),
      this.week,
      h("h2", { class: "section-title" }, "Now"),
      this.cards,
    );
  }

  show() {
    if (this.is_looking) return;
    this.is_looking = true;
    this.#watch();
    this.#week();
  }

  async #watch() {
    try {
      const options = { signal: this.signal };
      const [now, sometimes] = await Promise.all([lookNow(options), lookSometimes(options)]);
      this.#sometimes = sometimes;
      this.#place(now);
    } catch (error) {
      if (isAborted(error)) return;
      this.tiles.replaceChildren(h("div", { class: "card wide" }, errorState(error, () => this.#watch())));
      this.cards.replaceChildren();
      this.#shown = "";
      return;
    }
    const background = (signal) => ({ signal, background: true });
    poll(async (signal) => this.#place(await lookNow(background(signal))), { every_s: EVERY_S, liveness: this.liveness, signal: this.signal });
    poll(async (signal) => (this.#sometimes = await lookSometimes(background(signal))), { every_s: SOMETIMES_S, liveness: new Liveness(), signal: this.signal });
  }

  /** Shows what has been found, when it is another than before. */
  #place(now) {
    const state = JSON.stringify([now, this.#sometimes]);
    if (state === this.#shown) return;
    this.#shown = state;
    const focused = this.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    const { ending, checks } = this.#sometimes;
    this.tiles.replaceChildren(...tiles(now));
    this.cards.replaceChildren(...[
      now.sessions && devicesCard(now.sessions),
      now.products && productsCard(now.products),
      now.denials && denialsCard(now.denials),
      ending && endingCard(ending),
      (now.sessions || now.nodes || checks) && healthCard(now, checks),
    ].filter(Boolean));
    if (focused) this.querySelector(`a[href="${focused}"]`)?.focus({ preventScroll: true });
  }

  async #week() {
    this.week.replaceChildren(...Array.from({ length: 4 }, () => h("div", { class: "card chart-card skeleton", "aria-hidden": "true" }, h("span", { class: "bone" }))));
    try {
      const options = { signal: this.signal };
      const [activity, charge] = await Promise.all([api.get("/usage/activity", {}, options), chargeCard(options)]);
      charge?.classList.add("wide");
      this.week.replaceChildren(...[charge, ...activityCharts(activity)].filter(Boolean));
    } catch (error) {
      if (!isAborted(error)) this.week.replaceChildren(h("div", { class: "card wide" }, errorState(error, () => this.#week())));
    }
  }
}

define("dashboard-page", DashboardPage);

export default DashboardPage;
