// What is shown this once: a token, a webhook's secret, a sign-in link.

import { copy } from "../core/clipboard.js";
import { h } from "../core/dom.js";
import { openDialog } from "./dialog.js";
import { icon } from "./icon.js";

/** `{title, text, label, secret}`; a promise that it was closed. Nothing else can be clicked on by accident meanwhile. */
export async function secretDialog({ title, text, label, secret }) {
  const copied = h("button", { type: "button", class: "primary", autofocus: true, onclick: () => copy(secret) }, icon("copy"), "Copy");
  const done = h("button", { type: "button", onclick: () => dialog.close() }, "Done");
  const shown = h("p", { class: "secret" }, h("span", { class: "visually-hidden" }, `${label}: `), h("code", {}, secret));
  const once = h("p", { class: "once" }, icon("alert"), h("span", {}, "It is shown this once. Keep it where only its user can read it."));
  const dialog = openDialog({ title, description: text, body: [shown, once], actions: [done, copied] });
  await dialog.closed;
}
