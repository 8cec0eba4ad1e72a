// What happens to seats, as it happens. Pause to read.

import { address, api, isAborted } from "../core/api.js";
import { define, h } from "../core/dom.js";
import { minute, words } from "../core/format.js";
import { ListPage } from "../core/list-page.js";
import { follow } from "../core/live.js";
import { badge } from "../elements/badge.js";
import { momentCell } from "../elements/cells.js";
import { dataTable } from "../elements/data-table.js";
import { searchField } from "../elements/field.js";
import { customerWanted, filterCustomer, filterSelect, olderNav } from "../elements/filters.js";
import { icon } from "../elements/icon.js";
import { liveBadge } from "../elements/live-badge.js";
import { pageHead } from "../elements/page-head.js";

const KINDS = {
  granted: "good", freed: "", restored: "", denied: "bad", queued: "info", logout: "warn", expiring: "warn",
  limit_reached: "warn", license_imported: "info", license_withdrawn: "warn", recounted: "",
};
const SHOWN = 100;
const KEPT = 500;

class EventsPage extends ListPage {
  path = "/events";
  #rows = [];
  #following = new AbortController();
  #is_paused = false;

  build() {
    this.filters = {
      customer: filterCustomer({ onChange: this.filtered("customer") }),
      type: filterSelect({ label: "Type", options: [["", "All events"], ...Object.keys(KINDS).map((type) => [type, words(type)])], onChange: this.filtered("type") }),
      user: searchField({ label: "User", placeholder: "User (name@domain)", onSearch: this.filtered("user") }),
      product: searchField({ label: "Product", onSearch: this.filtered("product") }),
    };
    this.table = dataTable({ label: "Events", columns: columns(), rowKey: (row) => row.seq, remember: "events", empty: () => this.#empty() });
    this.pause = h("button", { type: "button", "aria-pressed": "false", onclick: () => this.#toggle() }, "Pause");
    this.download = h("a", { class: "button", download: true }, icon("download"), h("span", {}, "CSV"));
    this.older = olderNav({ onOlder: (before) => this.setQuery({ before }), onNewest: () => this.setQuery({ before: "" }) });
    this.older.hidden = true;
    const { customer, type, user, product } = this.filters;
    this.append(
      pageHead({ title: "Events", about: "What happens to seats, as it happens.", live: liveBadge(this.liveness, this.signal), actions: [this.pause, this.download] }),
      h("div", { class: "toolbar" }, customer, type, user, product, h("span", { class: "end" }, this.table.columnMenu())),
      this.table,
      this.older,
    );
  }

  get wanted() {
    const { page, ...query } = super.wanted;
    return query.customer ? { ...query, size: SHOWN } : null;
  }

  listing(answer) {
    this.#rows = [...answer.items];
    this.older.show(this.query.get("before"), answer.next);
    const wanted = this.wanted;
    this.pause.hidden = !wanted || Boolean(wanted.before);
    this.download.hidden = !wanted;
    if (wanted) this.download.href = address("/events", { ...wanted, before: "", size: "", format: "csv" });
    return { items: [...answer.items] };
  }

  async load() {
    this.#following.abort();
    await super.load();
    this.#follow();
  }

  #follow() {
    this.#following.abort();
    const wanted = this.wanted;
    if (!wanted || wanted.before || this.#is_paused) return this.liveness.set("paused");
    this.#following = new AbortController();
    const signal = AbortSignal.any([this.signal, this.#following.signal]);
    const again = () => this.look(signal).catch((error) => isAborted(error) || this.liveness.set("stale"));
    follow(wanted.customer, { liveness: this.liveness, signal, types: wanted.type || Object.keys(KINDS).join(","), onGap: again, onEvent: ({ data }) => this.#add(data, wanted) });
    return again(); // what has happened between the list and the stream
  }

  #add(event, { user, product }) {
    if ((user && user !== event.user) || (product && product !== event.product)) return;
    if (this.#rows.some(({ seq }) => seq === event.seq)) return;
    this.#rows.unshift(event);
    if (this.#rows.length > KEPT) {
      this.#rows.length = KEPT;
      this.older.show("", this.#rows.at(-1).seq); // what has gone is the first of the older ones
    }
    this.table.refresh({ items: [...this.#rows] });
  }

  async #toggle() {
    this.#is_paused = !this.#is_paused;
    this.pause.setAttribute("aria-pressed", String(this.#is_paused));
    this.pause.textContent = this.#is_paused ? "Go on" : "Pause";
    if (!this.#is_paused) return this.load();
    this.#following.abort();
    return this.liveness.set("paused");
  }

  ask(wanted, options) {
    return api.get(this.path, wanted, options);
  }

  #empty() {
    if (!this.wanted) return customerWanted(this.filters.customer);
    return { symbol: "activity", title: "Nothing has happened yet", text: "What happens to seats appears here at once." };
  }
}

function columns() {
  return [
    { key: "at", label: "When (UTC)", always: true, class: "nowrap", render: ({ at }) => momentCell(at) },
    { key: "type", label: "Event", always: true, class: "nowrap", render: ({ type }) => badge(words(type), KINDS[type] ?? "") },
    { key: "user", label: "User", class: "nowrap" },
    { key: "product", label: "Product", class: "nowrap" },
    { key: "detail", label: "Detail", value: (row) => row.seq, render: detail },
    { key: "license", label: "License", class: "nowrap" },
    { key: "domain", label: "Domain", class: "nowrap", hidden: true },
    { key: "session", label: "Session", class: "nowrap", hidden: true, render: ({ session }) => (session ? h("code", {}, session) : "") },
    { key: "seq", label: "Sequence", class: "nowrap", hidden: true },
  ];
}

function detail({ code, times, by, reason, until, overdraft }) {
  const parts = [
    code && words(code),
    times > 1 && `${times} times`,
    by && `by ${by}`,
    reason && `“${reason}”`,
    until && `until ${minute(until)}`,
    overdraft && "in the overdraft",
  ];
  return parts.filter(Boolean).join(" · ");
}

define("events-page", EventsPage);

export default EventsPage;
