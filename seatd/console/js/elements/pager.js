// Pages of a list: which rows are shown, of how many, and the way to the others.

import { freshId, h } from "../core/dom.js";
import { number } from "../core/format.js";
import { icon } from "./icon.js";

const SIZES = [25, 50, 100, 250, 500];

/** Fills `place` for `{page, size, total}`; `onPage({page, size})`. The focus stays where it was. */
export function pager(place, { page, size, total }, onPage) {
  const last = Math.max(1, Math.ceil(total / size));
  const state = `${page} ${size} ${total}`;
  if (place.dataset.state === state && place.hasChildNodes()) return;
  place.dataset.state = state;
  const focused = place.contains(document.activeElement) ? document.activeElement.dataset.to : null;
  const first_row = total ? (page - 1) * size + 1 : 0;
  const range = h("span", { class: "muted" }, `${number(first_row)}–${number(Math.min(page * size, total))} of ${number(total)}`);
  const step = (to, label, symbol, name) =>
    h("button", { type: "button", class: "icon-button", "aria-label": label, "data-to": name, disabled: to < 1 || to > last, onclick: () => onPage({ page: to, size }) }, icon(symbol));
  const numbers = around(page, last).map((to) => (to === null ? h("span", { class: "gap", "aria-hidden": "true" }, "…") : numbered(to, page, size, onPage)));
  const pages = h(
    "nav",
    { class: "pages", "aria-label": "Pages" },
    step(page - 1, "Previous page", "chevron_left", "previous"),
    ...numbers,
    step(page + 1, "Next page", "chevron_right", "next"),
  );
  place.replaceChildren(range, sizes(size, onPage), last > 1 ? pages : "");
  if (focused) (place.querySelector(`[data-to="${focused}"]:not([disabled])`) ?? place.querySelector("[aria-current]"))?.focus();
}

function numbered(to, page, size, onPage) {
  const current = to === page;
  return h(
    "button",
    { type: "button", class: "page-number", "aria-label": `Page ${to}`, "data-to": String(to), "aria-current": current ? "page" : null, onclick: () => !current && onPage({ page: to, size }) },
    number(to),
  );
}

function sizes(size, onPage) {
  const id = freshId("size");
  const options = [...new Set([...SIZES, size])].sort((one, other) => one - other);
  const select = h("select", { id, onchange: () => onPage({ page: 1, size: Number(select.value) }) });
  select.append(...options.map((each) => h("option", { value: each, selected: each === size }, String(each))));
  return h("span", { class: "sizes" }, h("label", { for: id, class: "muted" }, "Rows"), select);
}

/** The first, the last and those around the present page; null for what is left out. */
function around(page, last) {
  const wanted = [1, page - 1, page, page + 1, last].filter((to) => to >= 1 && to <= last);
  const pages = [...new Set(wanted)].sort((one, other) => one - other);
  return pages.flatMap((to, at) => (at && to - pages[at - 1] > 1 ? [null, to] : [to]));
}
