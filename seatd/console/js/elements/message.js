// What stands where there is nothing (yet), or where something went wrong.

import { h } from "../core/dom.js";
import { icon } from "./icon.js";

/** `{symbol, title, text, action}`; `action` is a node. */
export function emptyState({ symbol = "info", title, text = "", action = null }) {
  return h("div", { class: "empty-state" }, icon(symbol), h("p", { class: "empty-title" }, title), text ? h("p", {}, text) : null, action);
}

/** An error with a button to try again. */
export function errorState(error, onRetry) {
  const retry = onRetry ? h("button", { type: "button", onclick: onRetry }, "Try again") : null;
  const box = emptyState({ symbol: "alert", title: "That did not work", text: error.message, action: retry });
  box.classList.add("error");
  box.setAttribute("role", "alert");
  return box;
}

/** A box with errors of a form: an ApiError, or null to take it away. */
export function problemBox() {
  const box = h("div", { class: "problem", role: "alert", hidden: true });
  box.show = (error) => {
    box.hidden = !error;
    if (!error) return box.replaceChildren();
    const listed = (error.errors ?? []).map(({ path, message }) => h("li", {}, path ? h("code", {}, path) : null, path ? ": " : "", message));
    return box.replaceChildren(icon("alert"), h("div", {}, h("p", {}, error.message), listed.length ? h("ul", {}, listed) : null));
  };
  return box;
}
