// Says whether what is on the page is live. Only changes are read out, not every second.

import { define, h } from "../core/dom.js";
import { clock } from "../core/format.js";

const TEXT = {
  connecting: () => "Connecting …",
  live: () => "Live",
  paused: () => "Paused",
  stale: (since) => `Stale since ${clock(since)} UTC, reconnecting …`,
  over: () => "Not live any more",
};
const STALE = new Set(["stale", "over"]);

class LiveBadge extends HTMLElement {
  /** Shows how a `Liveness` stands, as long as `signal` lasts. */
  watch(liveness, signal) {
    this.setAttribute("role", "status");
    const show = () => {
      this.dataset.state = liveness.state;
      this.replaceChildren(h("span", { class: "dot", "aria-hidden": "true" }), TEXT[liveness.state](liveness.since));
      this.closest("[data-page]")?.toggleAttribute("data-stale", STALE.has(liveness.state));
    };
    liveness.addEventListener("change", show, { signal });
    show();
    return this;
  }
}

define("live-badge", LiveBadge);

/** A badge for a page: `liveBadge(this.liveness, this.signal)`. */
export function liveBadge(liveness, signal) {
  return document.createElement("live-badge").watch(liveness, signal);
}
