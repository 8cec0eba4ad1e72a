// The menu of a row. A list has many rows and few of their menus are ever opened, so each is made when it is.

import { h } from "../core/dom.js";
import { icon } from "./icon.js";
import { menuButton } from "./menu.js";

/** `{label, items}`, as of `menuButton`. */
export function rowMenu({ label, items }) {
  const open = () => {
    const menu = menuButton({ label, content: icon("more"), items, kind: "icon-button" });
    button.replaceWith(menu);
    const made = menu.querySelector("button");
    made.focus();
    made.click();
  };
  const button = h("button", { type: "button", class: "icon-button", "aria-label": label, "aria-haspopup": "menu", "aria-expanded": "false", onclick: open }, icon("more"));
  return button;
}
