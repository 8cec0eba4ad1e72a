// A few choices side by side, of which one counts.

import { h } from "../core/dom.js";

/** `{label, options: [[value, text]], onChoose(value)}`; `show(value)` says which counts. */
export function segments({ label, options, onChoose }) {
  const buttons = options.map(([value, text]) => h("button", { type: "button", "aria-pressed": "false", "data-value": value, onclick: () => onChoose(value) }, text));
  const group = h("div", { class: "segments", role: "group", "aria-label": label }, buttons);
  group.show = (value) => {
    for (const each of buttons) each.setAttribute("aria-pressed", String(each.dataset.value === value));
  };
  return group;
}
