// A word in a colour: "good", "warn", "bad", "info" or "" for none. The word says it, too: colour alone never does.

import { h } from "../core/dom.js";

/** `badge("Valid", "good")` */
export function badge(text, kind = "", attributes = {}) {
  return h("span", { class: `badge ${kind}`, ...attributes }, text);
}
