// A word at the edge of the page that goes by itself; screen readers hear it.

import { h } from "../core/dom.js";
import { icon } from "./icon.js";

const STAYS_S = 5;
let shelf = null;

/** `kind`: "good", "bad" or "" (neither). What is bad stays until it is dismissed. */
export function toast(text, kind = "") {
  const close = h("button", { class: "icon-button", type: "button", "aria-label": "Dismiss", onclick: () => note.remove() });
  close.append(icon("close"));
  const symbol = kind === "bad" ? "alert" : kind === "good" ? "check" : "info";
  const note = h("div", { class: `toast ${kind}` }, icon(symbol), h("span", {}, text), close);
  place().append(note);
  if (kind !== "bad") setTimeout(() => note.remove(), STAYS_S * 1000);
}

/** An open dialog lies above everything else, so toasts go into a popover, which goes above the dialog. */
function place() {
  if (!shelf) {
    shelf = h("div", { class: "toasts", role: "status", "aria-live": "polite", popover: "manual" });
    document.body.append(shelf);
  }
  if (shelf.matches(":popover-open")) shelf.hidePopover();
  shelf.showPopover();
  return shelf;
}
