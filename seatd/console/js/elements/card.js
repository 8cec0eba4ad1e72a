// A card with a heading, whose content is made anew only when what it shows has changed.

import { freshId, h } from "../core/dom.js";

/** `{title, actions, of(data), render(data)}`; `of`: what it depends on, `render` answers nodes. `show(data)` shows it. */
export function card({ title, actions = [], of = (data) => data, render }) {
  const id = freshId("card");
  const tools = h("span", { class: "card-tools" }, actions);
  const body = h("div", { class: "card-body" });
  const element = h("section", { class: "card", "aria-labelledby": id }, h("div", { class: "card-head" }, h("h2", { id }, title), tools), body);
  let shown = null;
  element.show = (data) => {
    const now = JSON.stringify(of(data));
    if (now === shown) return;
    shown = now;
    body.replaceChildren(...[render(data)].flat(Infinity).filter(Boolean));
  };
  return element;
}

/** `[name, value]` pairs as a list of facts; what is empty is a dash. */
export function factList(pairs) {
  const shown = (value) => (value === "" || value === null || value === undefined ? h("span", { class: "muted" }, "–") : value);
  return h("dl", { class: "fact-list" }, pairs.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, shown(value)))));
}
