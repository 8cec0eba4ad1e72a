// How long how many seats were in use: a histogram, how many seats would do, and why others were refused.

import { h } from "../../core/dom.js";
import { decimal, minute, number, words } from "../../core/format.js";
import { barChart } from "../../elements/chart.js";
import { openDialog } from "../../elements/dialog.js";
import { emptyState } from "../../elements/message.js";
import { nameOf } from "./columns.js";

const MOST_BARS = 40;

/** Opens it for a row of usage. */
export function detailsDialog(row) {
  const until = row.in_use === null ? minute(row.to) : "now";
  const dialog = openDialog({
    title: `Seats in use: ${nameOf(row)}`,
    description: `${row.customer}, ${minute(row.from)} to ${until} (UTC)`,
    wide: true,
    body: [suggestion(row), histogram(row), facts(row), denials(row)],
  });
  dialog.element.querySelector(".dialog-body").tabIndex = 0; // there is nothing else in it that a keyboard could scroll by
  return dialog;
}

function suggestion(row) {
  if (row.suggested_seats === null) return null;
  const why = row.true_denials
    ? `${number(row.true_denials)} times somebody got no seat, so the peak of ${number(row.peak)} was not enough.`
    : "So many suffice for 99 % of the time in which anything was in use, and nobody was truly denied.";
  return h("div", { class: "suggestion" }, h("p", { class: "suggestion-figure" }, h("strong", {}, number(row.suggested_seats)), " suggested seats"), h("p", { class: "muted" }, why));
}

function histogram(row) {
  const groups = grouped(row.shares);
  if (!groups.length) return emptyState({ symbol: "bars", title: "Nothing was in use" });
  const chart = barChart({
    label: "Percent of the time by seats in use",
    points: groups.map(({ name }) => name),
    series: [{ name: "% of the time", values: groups.map(({ percent }) => percent) }],
    format: (value) => `${decimal(value)} %`,
    height: 240,
  });
  return h("figure", { class: "histogram" }, h("figcaption", {}, "Percent of the time with so many seats in use"), chart);
}

/** One bar per number of seats; where they are many, some numbers together. */
function grouped(shares) {
  if (!shares.length) return [];
  const [first, last] = [shares[0].seats, shares.at(-1).seats];
  const width = Math.ceil((last - first + 1) / MOST_BARS);
  const groups = Array.from({ length: Math.floor((last - first) / width) + 1 }, (_, at) => {
    const from = first + at * width;
    return { name: width === 1 ? String(from) : `${from}–${Math.min(last, from + width - 1)}`, percent: 0 };
  });
  for (const { seats, percent } of shares) groups[Math.floor((seats - first) / width)].percent += percent;
  return groups;
}

function facts(row) {
  const pairs = [["Peak", number(row.peak)], ["Average", decimal(row.average)], ["Seat-hours", decimal(row.seat_hours)], ["Grants", number(row.grants)], ["Denied", number(row.denied)], ["of these healed", number(row.healed)]];
  return h("dl", { class: "fact-row" }, pairs.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

function denials(row) {
  const codes = Object.entries(row.denials).sort(([, one], [, other]) => other - one);
  if (!codes.length) return null;
  const lines = codes.map(([code, times]) => h("tr", {}, h("th", { scope: "row" }, words(code)), h("td", { class: "number" }, number(times))));
  return h("div", { class: "plain-table" }, h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Denied because"), h("th", { scope: "col", class: "number" }, "Times"))), h("tbody", {}, lines)));
}
