// Native dialogs: the browser keeps the focus inside, Escape closes, the focus goes back where it was.

import { isAborted } from "../core/api.js";
import { h, freshId } from "../core/dom.js";
import { icon } from "./icon.js";
import { field } from "./field.js";
import { toast } from "./toast.js";

/**
 * Opens a dialog: `{title, body, actions, wide, description}`. `body` and `actions` are nodes.
 * Answers `{element, close(result), closed, during(call, onError)}`; `closed` is a promise of what it was closed with (undefined by
 * Escape). `during` stays open until the call is through and closes with its answer; an error goes to `onError`, and it stays.
 */
export function openDialog({ title, description, body = [], actions = [], wide = false, onSubmit = null }) {
  const [label, about] = [freshId("dialog"), freshId("dialog")];
  const close_button = h("button", { class: "icon-button", type: "button", "aria-label": "Close", onclick: () => close() });
  close_button.append(icon("close"));
  const head = h("header", {}, h("h2", { id: label }, title), close_button);
  const text = description ? h("p", { id: about, class: "muted" }, description) : null;
  const content = h("div", { class: "dialog-body" }, text, body);
  const foot = [actions].flat().length ? h("footer", {}, actions) : null;
  const form = h("form", { onsubmit: (event) => submitted(event), novalidate: true }, head, content, foot);
  const element = h("dialog", { class: wide ? "wide" : "", "aria-labelledby": label }, form);
  if (text) element.setAttribute("aria-describedby", about);
  let result;
  let deed = null; // what is being done: its answer must not be lost
  const closed = new Promise((resolve) => {
    element.addEventListener("close", async () => {
      element.remove();
      await deed; // a browser lets a second Escape through
      resolve(result);
    });
  });
  element.addEventListener("cancel", (event) => deed && event.preventDefault());
  const end = (given) => {
    result = given;
    element.close();
  };
  const close = (given) => {
    if (!deed) end(given);
  };
  const during = (call, onError) => {
    if (deed) return deed;
    const told = (error) => {
      if (isAborted(error)) return;
      if (element.open) onError(error);
      else if (error.status !== 401) toast(error.message, "bad"); // who is led to the sign-in knows
    };
    const buttons = [...element.querySelectorAll(":is(header, footer) button:enabled")];
    const hold = (is_held) => buttons.forEach((one) => (one.disabled = is_held));
    hold(true);
    deed = call().then(end, told).finally(() => {
      deed = null;
      hold(false);
    });
    return deed;
  };
  const submitted = (event) => {
    event.preventDefault();
    onSubmit?.();
  };
  document.body.append(element);
  element.showModal();
  element.querySelector("[autofocus], .dialog-body :is(input, textarea, select)")?.focus();
  return { element, close, closed, during };
}

/**
 * Asks before something is done: `{title, text, action, danger, fields}`. `fields` is an object of `field(...)`s.
 * A promise of their values by name, or null when it was cancelled.
 */
export async function confirmDialog({ title, text, action = "OK", danger = false, fields = {} }) {
  const values = () => Object.fromEntries(Object.entries(fields).map(([name, one]) => [name, one.value]));
  const submit = () => dialog.close(values());
  const dialog = openDialog({
    title,
    description: text,
    body: Object.values(fields),
    actions: [
      h("button", { type: "button", onclick: () => dialog.close() }, "Cancel"),
      h("button", { type: "submit", class: danger ? "danger" : "primary", autofocus: !Object.keys(fields).length }, action),
    ],
    onSubmit: () => Object.values(fields).every((one) => one.check()) && submit(),
  });
  return (await dialog.closed) ?? null;
}

export { field };
