// A button that opens a menu: arrow keys, Home, End, Escape, and letters as in menus everywhere.

import { h, freshId } from "../core/dom.js";

/**
 * `{label, content, items, class}`; `content`: what the button shows; `items()`: `{text, symbol, onclick, checked, disabled}`,
 * `{heading}` or null for a line. `keep`: a click leaves the menu open (check marks).
 */
export function menuButton({ label, content, items, kind = "", keep = false }) {
  const id = freshId("menu");
  const list = h("div", { class: "menu", role: "menu", id, popover: "auto", "aria-label": label });
  const button = h("button", {
    type: "button", class: kind, "aria-label": label, "aria-haspopup": "menu", "aria-expanded": "false", popovertarget: id,
  });
  button.append(...[content].flat());
  const fill = () => list.replaceChildren(...items().map((item) => entry(item, list, () => keep && again())));
  const again = () => {
    const at = [...list.querySelectorAll("button")].indexOf(document.activeElement);
    fill();
    list.querySelectorAll("button")[at]?.focus();
  };
  list.addEventListener("beforetoggle", (event) => {
    if (event.newState !== "open") return;
    fill();
  });
  list.addEventListener("toggle", (event) => {
    const is_open = event.newState === "open";
    button.setAttribute("aria-expanded", String(is_open));
    if (!is_open) return;
    beside(button, list);
    list.querySelector("button")?.focus();
  });
  list.addEventListener("keydown", (event) => moved(event, list));
  return h("span", { class: "menu-shell" }, button, list);
}

function entry(item, list, again) {
  if (item === null) return h("hr");
  if (item.heading) return h("p", { class: "menu-heading", role: "presentation" }, item.heading);
  const is_check = item.checked !== undefined;
  const chosen = () => {
    item.onclick();
    if (is_check && item.keep) again();
    else list.hidePopover();
  };
  const button = h("button", {
    type: "button",
    role: is_check ? (item.keep ? "menuitemcheckbox" : "menuitemradio") : "menuitem",
    "aria-checked": is_check ? String(Boolean(item.checked)) : null,
    disabled: item.disabled,
    onclick: chosen,
  });
  button.append(...[item.symbol, h("span", {}, item.text)].filter(Boolean));
  return button;
}

function moved(event, list) {
  const buttons = [...list.querySelectorAll("button:not([disabled])")];
  const at = buttons.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  buttons[(to + buttons.length) % buttons.length]?.focus();
}

/** Below the button, or above it where there is more room; inside the window. */
function beside(button, list) {
  const at = button.getBoundingClientRect();
  const { width, height } = list.getBoundingClientRect();
  const is_below = at.bottom + height + 8 <= innerHeight || at.top < height;
  list.style.insetBlockStart = `${is_below ? at.bottom + 4 : at.top - height - 4}px`;
  list.style.insetInlineStart = `${Math.max(8, Math.min(at.left, innerWidth - width - 8))}px`;
}
