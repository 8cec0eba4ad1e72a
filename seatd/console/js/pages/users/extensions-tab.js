// The extensions of a customer: provisioned one after another or from a file, given to users, with add-ons.

import { api, isAborted, part } from "../../core/api.js";
import { h } from "../../core/dom.js";
import { poll } from "../../core/live.js";
import { href } from "../../core/router.js";
import { addressedDialog } from "../../elements/addressed-dialog.js";
import { badge } from "../../elements/badge.js";
import { dataTable } from "../../elements/data-table.js";
import { field, searchField } from "../../elements/field.js";
import { formDialog } from "../../elements/form-dialog.js";
import { icon } from "../../elements/icon.js";
import { button } from "../../elements/page-head.js";
import { rowMenu } from "../../elements/row-menu.js";
import { mayAt, mayWhole } from "../customer/standing.js";
import { bulkDialog } from "./bulk-dialog.js";
import { assignUser, manageAddOns, provision } from "./extension-dialogs.js";

const EVERY_S = 5;

/** An element with `follow(query)` and `close()`. */
export function extensionsTab({ customer, signal, liveness, setQuery, is_shown }) {
  const path = `/customers/${part(customer.id)}/extensions`;
  const may_change = mayAt(customer, "provisioning.change");
  const may_make = mayWhole(customer, "provisioning.change");
  let wanted = null;
  let asked = new AbortController();
  const table = dataTable({
    label: "Extensions",
    columns: columns(may_change, { assign: (one) => done(assignUser(customer, one)), addOns: (one) => done(manageAddOns(customer, one)), remove: (one) => done(remove(one)) }),
    rowKey: (row) => row.extension,
    remember: "extensions",
    empty: () => empty(),
    onPage: ({ page, size }) => setQuery({ page: page === 1 ? "" : page, size: size === 50 ? "" : size }),
  });
  const search = searchField({ label: "Search extensions", placeholder: "Extension, number, user, add-on …", onSearch: (text) => setQuery({ search: text, page: "" }) });
  const free = field({ label: "Only without a user", type: "checkbox", onchange: () => setQuery({ free: free.value ? "true" : "", page: "" }) });
  const buttons = may_make
    ? [button({ label: "From CSV …", symbol: icon("upload"), onclick: () => setQuery({ bulk: "open" }) }), button({ label: "Provision …", symbol: icon("plus"), kind: "primary", onclick: () => done(provision(customer)) })]
    : [];

  const load = async () => {
    asked.abort();
    asked = new AbortController();
    table.loading();
    try {
      table.show(await api.get(path, wanted, { signal: AbortSignal.any([signal, asked.signal]) }));
      liveness.set("live");
    } catch (error) {
      if (!isAborted(error)) table.fail(error, load);
    }
  };
  const look = async (of) => {
    const before = wanted;
    if (!wanted || !is_shown() || table.hasAttribute("data-loading")) return;
    const listing = await api.get(path, wanted, { signal: of, background: true });
    if (before === wanted && !table.hasAttribute("data-loading")) table.refresh(listing);
  };
  const done = async (deed) => {
    if (await deed) load();
  };
  const remove = (one) =>
    formDialog({
      title: `Remove extension ${one.extension}`,
      text: `Its base license and add-ons are free again${one.user ? `, and ${one.user} loses what was given for it` : ""}.`,
      action: "Remove extension",
      danger: true,
      submit: () => api.delete(`${path}/${part(one.extension)}`),
    });
  const empty = () => {
    if (wanted?.search || wanted?.free) return { symbol: "search", title: "No extension found" };
    if (!customer.number_blocks.length) {
      const action = h("a", { class: "button", href: href(`/customers/${part(customer.id)}`) }, "To the customer");
      return { symbol: "phone", title: "No number blocks yet", text: "Extensions can be provisioned once the customer has internal number blocks.", action };
    }
    return { symbol: "phone", title: "No extensions yet", text: may_make ? "Provision some in a row, or many from a CSV file." : "" };
  };
  const bulk = addressedDialog(() => bulkDialog(customer, { signal, onCreated: load }), () => setQuery({ bulk: "" }));

  const element = h("div", {}, h("div", { class: "toolbar" }, search, free, h("span", { class: "end" }), table.columnMenu(), ...buttons), table);
  element.follow = (query) => {
    const of = (name) => query.get(name) ?? "";
    const now = { search: of("search"), free: of("free"), page: Number(of("page")) || 1, size: Number(of("size")) || 50 };
    if (JSON.stringify(now) !== JSON.stringify(wanted)) {
      wanted = now;
      search.show(now.search);
      free.value = now.free === "true";
      load();
    }
    bulk.show(may_make && of("bulk") === "open" ? "open" : "");
  };
  element.close = bulk.close;
  poll(look, { every_s: EVERY_S, liveness, signal });
  return element;
}

function columns(may_change, { assign, addOns, remove }) {
  const found = [
    { key: "extension", label: "Extension", always: true, class: "nowrap" },
    { key: "number", label: "Number", class: "nowrap" },
    { key: "user", label: "User", render: (one) => one.user || (may_change ? h("button", { type: "button", "aria-label": `Assign extension ${one.extension}`, onclick: () => assign(one) }, "Assign …") : h("span", { class: "muted" }, "nobody")) },
    { key: "base", label: "Base license", class: "nowrap", hidden: true },
    { key: "add_ons", label: "Add-ons", render: ({ add_ons }) => h("span", { class: "badges" }, grouped(add_ons)) },
    { key: "assigned", label: "Given for it", hidden: true, render: ({ assigned }) => assigned.join(", ") },
  ];
  if (!may_change) return found;
  const items = (one) => [
    { text: one.user ? "User and number …" : "Assign …", symbol: icon("user"), onclick: () => assign(one) },
    { text: "Manage add-ons …", symbol: icon("list"), onclick: () => addOns(one) },
    { text: "Remove …", symbol: icon("trash"), onclick: () => remove(one) },
  ];
  const menu = (one) => rowMenu({ label: `Actions for extension ${one.extension}`, items: () => items(one) });
  return [...found, { key: "actions", label: "Actions", always: true, value: (one) => one, render: menu }];
}

/** An add-on that stands there twice is shown once, with how often. */
function grouped(add_ons) {
  const counts = new Map();
  for (const name of add_ons) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, count]) => badge(count > 1 ? `${count} × ${name}` : name));
}
