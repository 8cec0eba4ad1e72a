// Who changed what of a customer, the newest first; each entry opens with its difference.

import { address, api, isAborted } from "../../core/api.js";
import { h } from "../../core/dom.js";
import { counted, number, second } from "../../core/format.js";
import { addressedDialog } from "../../elements/addressed-dialog.js";
import { dataTable } from "../../elements/data-table.js";
import { searchField } from "../../elements/field.js";
import { icon } from "../../elements/icon.js";
import { button } from "../../elements/page-head.js";
import { entryDialog } from "./entry-dialog.js";

const SIZE = 50;
const ACTIONS = [["", "Any action"], ["customers", "Customer"], ["users", "Users"], ["licenses", "Licenses"], ["provisioning", "Provisioning"], ["domains", "Domains"], ["resources", "Resources"], ["invoices", "Invoice statements"], ["logout", "Forced logouts"], ["webhooks", "Webhooks"]];

/** An element with `follow(query)` and `close()`. */
export function auditTab({ customer, query, signal, setQuery }) {
  let wanted = null;
  let items = [];
  let next = null;
  const table = dataTable({
    label: "Audit trail",
    columns: columns((entry) => setQuery({ entry: entry.id })),
    rowKey: (entry) => entry.id,
    empty: () => (wanted.actor || wanted.action ? { symbol: "search", title: "No entry found" } : { symbol: "scroll", title: "Nothing has been changed yet" }),
  });
  const actor = searchField({ label: "By whom", placeholder: "By whom (the exact name) …", onSearch: (text) => setQuery({ actor: text }) });
  const action = h("select", { class: "filter", "aria-label": "Action", onchange: () => setQuery({ action: action.value }) }, ACTIONS.map(([value, text]) => h("option", { value }, text)));
  const older = h("button", { type: "button", hidden: true, onclick: () => load(true) }, "Show older entries");
  const download = h("a", { class: "button", download: "audit.csv" }, icon("download"), h("span", {}, "Export CSV"));
  const refresh = button({ label: "Refresh", symbol: icon("refresh"), compact: true, onclick: () => load(false) });

  const load = async (is_more) => {
    const asked = wanted;
    older.disabled = true;
    table.loading();
    try {
      const answer = await api.get("/audit", { ...asked, size: SIZE, before: is_more ? next : "" }, { signal });
      if (asked !== wanted) return;
      items = is_more ? [...items, ...answer.items] : answer.items;
      next = answer.next;
      table.show({ items, total: items.length });
    } catch (error) {
      if (!isAborted(error) && asked === wanted) table.fail(error, () => load(is_more));
    }
    older.disabled = false;
    older.hidden = !next;
  };
  const entries = addressedDialog(
    (id) => entryDialog(id, { customer: customer.id, entry: items.find((entry) => entry.id === id), signal }),
    () => setQuery({ entry: "" }),
  );

  const element = h("div", {}, h("div", { class: "toolbar" }, actor, action, h("span", { class: "end" }), download, refresh), table, h("div", { class: "below-table" }, older));
  element.follow = (given) => {
    if (given.get("tab") !== "audit") return entries.show("");
    const filter = { customer: customer.id, actor: given.get("actor") ?? "", action: given.get("action") ?? "" };
    if (JSON.stringify(filter) !== JSON.stringify(wanted)) {
      wanted = filter;
      actor.show(filter.actor);
      action.value = filter.action;
      download.href = address("/audit/export", filter);
      load(false);
    }
    return entries.show(given.get("entry"));
  };
  element.close = entries.close;
  element.follow(query);
  return element;
}

function columns(onOpen) {
  return [
    { key: "at", label: "When (UTC)", class: "nowrap", render: ({ at }) => h("time", { datetime: at }, second(at)) },
    { key: "by", label: "By", class: "nowrap", value: ({ by }) => by, render: ({ by }) => h("span", { class: "two-lines" }, by.name, h("small", { class: "muted" }, [by.role, by.address].filter(Boolean).join(", "))) },
    { key: "action", label: "Action", class: "nowrap", render: ({ action }) => h("code", {}, action) },
    { key: "target", label: "Of" },
    { key: "changes", label: "Changed", value: ({ changes }) => changes.length, render: changedFields },
    { key: "id", label: "Difference", class: "nowrap", render: (entry) => h("button", { type: "button", "aria-label": `View the difference of ${entry.action}, ${second(entry.at)}`, onclick: () => onOpen(entry) }, "View difference") },
  ];
}

function changedFields({ changes }) {
  const fields = [...new Set(changes.flatMap(({ place, field }) => (place === "account" ? field : `${place} ${field}`)))];
  if (!fields.length) return h("span", { class: "muted" }, "–");
  const rest = fields.length > 3 ? ` and ${number(fields.length - 3)} more` : "";
  return h("span", { title: counted(changes.length, "change") }, fields.slice(0, 3).join(", ") + rest);
}
