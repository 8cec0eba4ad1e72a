// Invoice statements of a customer: those that were issued, and what one would say now.

import { api, isAborted, part } from "../../core/api.js";
import { h } from "../../core/dom.js";
import { second } from "../../core/format.js";
import { addressedDialog } from "../../elements/addressed-dialog.js";
import { badge } from "../../elements/badge.js";
import { dataTable } from "../../elements/data-table.js";
import { field } from "../../elements/field.js";
import { formDialog } from "../../elements/form-dialog.js";
import { icon } from "../../elements/icon.js";
import { button } from "../../elements/page-head.js";
import { mayWhole } from "./standing.js";
import { draftDialog, METERED, statementDialog } from "./statement-dialog.js";

/** An element with `follow(query)` and `close()`. */
export function invoicesTab({ customer, query, signal, setQuery }) {
  const wanted = { page: 0, size: 50 };
  const path = `/customers/${part(customer.id)}/invoices`;
  const table = dataTable({
    label: "Invoice statements",
    columns: columns((number) => setQuery({ invoice: number })),
    rowKey: (row) => row.number,
    empty: { symbol: "scroll", title: "No statement has been issued yet", text: "A draft says what one would say now." },
    onPage: ({ page, size }) => setQuery({ page: page === 1 ? "" : page, size: size === 50 ? "" : size }),
  });
  const draft = button({ label: "Draft …", symbol: icon("scroll"), onclick: () => chooseDraft() });
  const issue = mayWhole(customer, "invoices.issue") ? button({ label: "Issue statement …", kind: "primary", onclick: () => issueOne() }) : null;

  const load = async () => {
    table.loading();
    try {
      table.show(await api.get(path, wanted, { signal }));
    } catch (error) {
      if (!isAborted(error)) table.fail(error, load);
    }
  };
  const chooseDraft = async () => {
    const [from, to] = thisMonth();
    const fields = periodFields(from, to);
    const period = await formDialog({ title: "Draft of a statement", text: "Nothing is issued by it.", fields, action: "Show draft", submit: async (given) => ({ given, draft: await api.get(`${path}/draft`, given) }) });
    if (period) draftDialog(customer.id, period.given, period.draft);
  };
  const issueOne = async () => {
    const fields = periodFields(...lastMonth());
    const done = await formDialog({ title: "Issue a statement", text: "From then on it is never changed, and the billing system reads it.", fields, action: "Issue statement", submit: (given) => api.post(path, given) });
    if (!done) return;
    await load();
    setQuery({ invoice: done.number });
  };
  const statements = addressedDialog((number) => statementDialog(customer.id, number, signal), () => setQuery({ invoice: "" }));

  const element = h("div", {}, h("div", { class: "toolbar" }, h("span", { class: "end" }), draft, issue), table);
  element.follow = (given) => {
    if (given.get("tab") !== "invoices") return statements.show("");
    const asked = { page: Number(given.get("page")) || 1, size: Number(given.get("size")) || 50 };
    if (asked.page !== wanted.page || asked.size !== wanted.size) {
      Object.assign(wanted, asked);
      load();
    }
    return statements.show(given.get("invoice"));
  };
  element.close = statements.close;
  element.follow(query);
  return element;
}

function columns(onOpen) {
  return [
    { key: "number", label: "Number", class: "nowrap", render: ({ number }) => h("button", { type: "button", class: "link", onclick: () => onOpen(number) }, number) },
    { key: "from", label: "From", class: "nowrap" },
    { key: "to", label: "To", class: "nowrap" },
    { key: "total", label: "Total", class: "number nowrap", render: ({ total, currency }) => `${total} ${currency}` },
    { key: "metering", label: "Metered", render: ({ metering }) => badge(...METERED[metering.state]) },
    { key: "issued", label: "Issued (UTC)", class: "nowrap", render: ({ issued }) => second(issued) },
  ];
}

function periodFields(from, to) {
  return { from: field({ label: "From", type: "date", value: from, required: true }), to: field({ label: "To", type: "date", value: to, required: true, hint: "This day belongs to it. All days are in UTC." }) };
}

function thisMonth(now = new Date()) {
  const today = now.toISOString().slice(0, 10);
  return [`${today.slice(0, 7)}-01`, today];
}

function lastMonth(now = new Date()) {
  const text = (month, day) => new Date(Date.UTC(now.getUTCFullYear(), month, day)).toISOString().slice(0, 10);
  return [text(now.getUTCMonth() - 1, 1), text(now.getUTCMonth(), 0)];
}
