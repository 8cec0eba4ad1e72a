// A switch (role=switch): on or off, or on its way.

import { h, freshId } from "../core/dom.js";

/**
 * `{label, checked, disabled, hint, onToggle(wanted)}`. `hint` says why it is disabled: shown on hover and focus, and read out.
 * Disabled, it can still be reached by keyboard, so that everybody hears the hint. `show(checked)` sets what is shown.
 */
export function switchButton({ label, checked, disabled = false, hint = "", onToggle = () => {} }) {
  const hint_id = freshId("hint");
  const button = h("button", {
    type: "button",
    role: "switch",
    class: "switch",
    "aria-label": label,
    "aria-checked": String(checked),
    "aria-disabled": disabled ? "true" : null,
    "aria-describedby": hint ? hint_id : null,
    title: hint || null,
    onclick: () => button.getAttribute("aria-disabled") !== "true" && onToggle(button.getAttribute("aria-checked") !== "true"),
  });
  button.append(h("span", { class: "switch-knob" }));
  const shell = h("span", { class: "switch-shell" }, button);
  if (hint) shell.append(h("span", { id: hint_id, class: "visually-hidden" }, hint));
  shell.show = (is_on) => button.setAttribute("aria-checked", String(is_on));
  shell.button = button;
  return shell;
}
