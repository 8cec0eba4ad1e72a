// A figure with its name, how it has grown, and perhaps a link to more of it.

import { h } from "../core/dom.js";
import { growth } from "../core/format.js";

/** By how many percent, in a colour that says whether that is good. `is_bad`: more of it is not. */
export function growthText(percent, { is_bad = false, against = "" } = {}) {
  if (percent === null || percent === undefined) return h("span", { class: "muted" }, against ? `no ${against} to compare` : "");
  const is_good = is_bad ? percent < 0 : percent > 0;
  const kind = Math.abs(percent) < 0.05 ? "" : is_good ? "up" : "down";
  return h("span", { class: "stat-growth" }, h("span", { class: `growth ${kind}` }, growth(percent)), against ? h("span", { class: "muted" }, ` against ${against}`) : null);
}

/** `{label, value, about, bar, link}`; `about` and `bar` are nodes or texts, `link` an address. A `value` of null is not known yet. */
export function stat({ label, value, about = "", bar = null, link = "" }) {
  const name = link ? h("a", { href: link }, label) : label;
  return h("section", { class: "card stat" }, h("h2", { class: "stat-label" }, name), h("p", { class: "stat-value live" }, value ?? h("span", { class: "bone" })), bar, h("p", { class: "stat-about" }, about));
}
