// An invoice statement, or the draft of one: what it charges, and the figures that it is made of.

import { address, api, isAborted, part } from "../../core/api.js";
import { h } from "../../core/dom.js";
import { number, second, words } from "../../core/format.js";
import { badge } from "../../elements/badge.js";
import { factList } from "../../elements/card.js";
import { openDialog } from "../../elements/dialog.js";
import { icon } from "../../elements/icon.js";
import { errorState } from "../../elements/message.js";

/** Text and kind of a badge, by whether all was metered. */
export const METERED = { whole: ["Wholly", "good"], in_part: ["In part", "warn"], not_known: ["Not known", "warn"] };

/** One that was issued; `{number, close(), closed}`. */
export function statementDialog(customer, name, signal) {
  const path = `/customers/${part(customer)}/invoices/${part(name)}`;
  const content = h("div", { class: "entry" }, h("p", { class: "muted" }, "Loading …"));
  const dialog = openDialog({ title: `Statement ${name}`, wide: true, body: content, actions: downloads(path, {}, name) });
  const load = async () => {
    try {
      content.replaceChildren(...shown(await api.get(path, {}, { signal })));
    } catch (error) {
      if (!isAborted(error)) content.replaceChildren(errorState(error, load));
    }
  };
  load();
  return { number: name, close: () => dialog.element.isConnected && dialog.close(), closed: dialog.closed };
}

/** What a statement of these days would say now. */
export function draftDialog(customer, period, draft) {
  openDialog({
    title: `Draft, ${period.from} to ${period.to}`,
    wide: true,
    body: h("div", { class: "entry" }, shown(draft)),
    actions: downloads(`/customers/${part(customer)}/invoices/draft`, period, "draft"),
  });
}

function downloads(path, query, name) {
  const link = (format) => h("a", { class: "button", href: address(path, { ...query, format }), download: `${name}.${format}` }, icon("download"), format.toUpperCase());
  return [link("json"), link("csv")];
}

function shown(statement) {
  const { number: name, issued, issued_by, from, to, currency, total, lines, unpriced, usage, metering } = statement;
  return [
    factList([
      ["Number", name ?? badge("Draft", "info")],
      ["From", from],
      ["To", to],
      ["Total", h("strong", { class: "amount" }, `${total} ${currency}`)],
      ["Metered", badge(...METERED[metering.state])],
      ...(issued ? [["Issued", `${second(issued)} UTC by ${issued_by}`]] : []),
    ]),
    table("What it charges", ["Product", "Item", "Quantity", "Unit price", "Amount"], lines.map((line) => [line.product, words(line.item), line.quantity, line.unit_price, line.amount]), 2),
    unpriced.length ? h("p", { class: "muted" }, `Used, but without a price: ${unpriced.join(", ")}.`) : null,
    table("What was used", ["Product", "License", "Seat hours", "Average", "Peak", "Assigned"], usage.map((one) => [one.product ?? "–", one.license ?? "all", one.seat_hours, one.average, number(one.peak), number(one.assigned)]), 2),
  ].filter(Boolean);
}

/** A small table; from the column `figures` on they are numbers. */
function table(title, head, rows, figures) {
  const kind = (at) => (at >= figures ? "number" : null);
  const row = (cells) => h("tr", {}, cells.map((cell, at) => h(at ? "td" : "th", { scope: at ? null : "row", class: kind(at) }, cell)));
  const body = rows.length ? rows.map(row) : [h("tr", {}, h("td", { colspan: head.length, class: "muted" }, "Nothing"))];
  return h("section", { class: "change" }, h("h3", {}, title),
    h("div", { class: "plain-table", tabindex: "0", role: "region", "aria-label": title },
      h("table", {}, h("thead", {}, h("tr", {}, head.map((name, at) => h("th", { scope: "col", class: kind(at) }, name)))), h("tbody", {}, body))));
}
