// From one day to another (UTC, both belong to it), and ranges that are often wanted.

import { h, freshId } from "../core/dom.js";
import { icon } from "./icon.js";
import { menuButton } from "./menu.js";

const DAY_MS = 86_400_000;

/** "2026-01-31" of milliseconds since 1970. */
export function dayOf(ms) {
  return new Date(ms).toISOString().slice(0, 10);
}

/** The day so many days later. */
export function later(day, days) {
  return dayOf(Date.parse(day) + days * DAY_MS);
}

/** How many days, both counted. */
export function daysIn({ from, to }) {
  return Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS) + 1;
}

/** The last so many whole days. */
export function lastDays(days) {
  const to = later(dayOf(Date.now()), -1);
  return { from: later(to, 1 - days), to };
}

/** Whether it is one that can be asked for. */
export function isRange({ from, to }) {
  return Boolean(Date.parse(from)) && Boolean(Date.parse(to)) && from <= to;
}

/** `{onChange({from, to})}`; `show({from, to})` says which it is. */
export function dateRange({ onChange }) {
  const [from_id, to_id] = [freshId("from"), freshId("to")];
  const changed = () => {
    const range = { from: from.value, to: to.value };
    if (!isRange(range)) {
      if (range.from && range.to) to.setCustomValidity("Ends before it begins");
      return;
    }
    to.setCustomValidity("");
    onChange(range);
  };
  const from = h("input", { type: "date", id: from_id, onchange: changed });
  const to = h("input", { type: "date", id: to_id, onchange: changed });
  const quick = menuButton({ label: "Ranges", content: [icon("clock"), h("span", { class: "wide-only" }, "Ranges")], items: () => ranges().map(([text, range]) => ({ text, onclick: () => onChange(range) })) });
  const box = h("div", { class: "date-range" }, h("label", { for: from_id }, "From"), from, h("label", { for: to_id }, "to"), to, quick);
  box.show = (range) => {
    if (from !== document.activeElement || isRange({ from: from.value, to: to.value })) from.value = range.from;
    to.value = range.to;
  };
  return box;
}

function ranges() {
  const today = dayOf(Date.now());
  const month = `${today.slice(0, 8)}01`;
  const last_of_month_before = later(month, -1);
  return [
    ["Today", { from: today, to: today }],
    ["Yesterday", lastDays(1)],
    ["Last 7 days", lastDays(7)],
    ["Last 14 days", lastDays(14)],
    ["Last 30 days", lastDays(30)],
    ["This month", { from: month, to: today }],
    ["Last month", { from: `${last_of_month_before.slice(0, 8)}01`, to: last_of_month_before }],
    ["Last 12 months", { from: `${Number(today.slice(0, 4)) - 1}${today.slice(4, 8)}01`, to: today }],
  ];
}
