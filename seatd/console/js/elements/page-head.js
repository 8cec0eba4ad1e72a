// The head of a page: its title, what it is about, how live it is, and what can be done.

import { h } from "../core/dom.js";

/** `{title, about, live, actions, crumbs}`; `crumbs`: `[text, href]` of the pages above. */
export function pageHead({ title, about = "", live = null, actions = [], crumbs = [] }) {
  const trail = crumbs.length
    ? h("nav", { class: "crumbs", "aria-label": "Breadcrumb" }, crumbs.map(([text, to]) => h("a", { href: to }, text)))
    : null;
  const heading = h("h1", { tabindex: "-1" }, title);
  return h(
    "header",
    { class: "page-head" },
    h("div", { class: "page-title" }, trail, h("div", { class: "title-line" }, heading, live), about ? h("p", {}, about) : null),
    h("div", { class: "page-actions" }, actions),
  );
}

/** A button: `{label, symbol, kind, compact, onclick, disabled, title}`. `compact`: only the symbol, where it is narrow. */
export function button({ label, symbol = null, kind = "", compact = false, ...attributes }) {
  const [text, name] = compact ? [{ class: "wide-only" }, label] : [{}, null];
  return h("button", { type: "button", class: kind, "aria-label": name, ...attributes }, symbol, h("span", text, label));
}
