// How much of a limit is in use: a meter that grows amber near the limit and red above it.

import { define, h } from "../core/dom.js";
import { number } from "../core/format.js";

const NEAR = 0.85;

class UsageBar extends HTMLElement {
  #fill = h("span", { class: "bar-fill" });

  constructor() {
    super();
    this.#fill.setAttribute("aria-hidden", "true");
  }

  /** Shows other figures; the bar moves there. */
  show({ used, limit, label = "Used" }) {
    if (!this.#fill.isConnected) this.append(this.#fill);
    const share = limit > 0 ? used / limit : used > 0 ? 1 : 0;
    this.dataset.level = used > limit ? "over" : share >= 1 ? "full" : share >= NEAR ? "near" : "";
    this.#fill.style.inlineSize = `${Math.min(1, share) * 100}%`;
    this.setAttribute("role", "meter");
    this.setAttribute("aria-label", label);
    this.setAttribute("aria-valuemin", "0");
    this.setAttribute("aria-valuemax", String(Math.max(limit, 1)));
    this.setAttribute("aria-valuenow", String(Math.min(used, Math.max(limit, 1))));
    this.setAttribute("aria-valuetext", `${number(used)} of ${number(limit)}`);
    return this;
  }
}

define("usage-bar", UsageBar);

/** `{used, limit, label}` */
export function usageBar(figures) {
  return document.createElement("usage-bar").show(figures);
}
