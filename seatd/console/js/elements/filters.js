// Filters of a list: a choice, a day, a customer. Each has `show(value)`, for what the address says.

import { h, freshId } from "../core/dom.js";
import { session } from "../core/session.js";
import { chooseCustomer } from "./choose-customer.js";
import { icon } from "./icon.js";

/** `{label, options, onChange(value)}`; `options` are `[value, text]`, the first one stands for all. */
export function filterSelect({ label, options, onChange }) {
  const id = freshId("filter");
  const select = h("select", { id, onchange: () => onChange(select.value) }, options.map(([value, text]) => h("option", { value }, text)));
  const box = h("div", { class: "filter" }, h("label", { for: id, class: "visually-hidden" }, label), select);
  box.show = (value) => {
    if (![...select.options].some((option) => option.value === value)) select.append(h("option", { value }, value));
    select.value = value;
    box.classList.toggle("active", Boolean(value));
  };
  return box;
}

/** `{label, onChange(value)}`: a day in UTC, or "". */
export function filterDay({ label, onChange }) {
  const id = freshId("filter");
  const input = h("input", { type: "date", id, onchange: () => onChange(input.value) });
  const box = h("div", { class: "filter filter-day" }, h("label", { for: id, class: "muted" }, label), input);
  box.show = (value) => {
    if (input !== document.activeElement) input.value = value;
  };
  return box;
}

/** The moment at which a day begins, for the API; `days` later. */
export function beginOf(day, days = 0) {
  if (!day) return "";
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000).toISOString().replace(".000", "");
}

/** `{onChange(customer), all}`: whose list it is. `all`: what it is called when no customer is chosen; without it one must be. Who has only one customer sees nothing. */
export function filterCustomer({ onChange, all = "" }) {
  const text = h("span", {});
  const choose = async () => {
    const chosen = await chooseCustomer({ title: "Choose a customer" });
    if (chosen) onChange(chosen);
  };
  const button = h("button", { type: "button", class: "customer-choice", onclick: choose }, icon("building"), text, icon("chevron_down"));
  const clear = h("button", { type: "button", class: "icon-button", "aria-label": all, title: all, onclick: () => onChange("") }, icon("close"));
  const box = h("div", { class: "filter filter-customer", hidden: Boolean(session.customer) }, button, clear);
  box.choose = choose;
  box.show = (customer) => {
    text.textContent = customer || all || "Choose a customer";
    clear.hidden = !customer || !all;
  };
  return box;
}

/** The empty state of a list that needs a customer first. */
export function customerWanted(filter) {
  const action = h("button", { type: "button", class: "primary", onclick: filter.choose }, "Choose a customer");
  return { symbol: "building", title: "Whose?", text: "This is shown for one customer at a time.", action };
}

/** Older and newest, for lists that go on and on: `{onOlder(before), onNewest()}`; `show(before, next)`. */
export function olderNav({ onOlder, onNewest }) {
  let next = "";
  const newest = h("button", { type: "button", onclick: onNewest }, "Newest");
  const older = h("button", { type: "button", onclick: () => onOlder(next) }, "Older", icon("chevron_right"));
  const nav = h("nav", { class: "older", "aria-label": "Older and newer" }, newest, older);
  nav.show = (before, to) => {
    next = to ?? "";
    newest.hidden = !before;
    older.hidden = !next;
    nav.hidden = !before && !next;
  };
  return nav;
}
