// The registry: every license with its use now.

import { api, isAborted, part } from "../core/api.js";
import { copy } from "../core/clipboard.js";
import { define, h } from "../core/dom.js";
import { follow, Liveness, poll } from "../core/live.js";
import { Page } from "../core/page.js";
import { session } from "../core/session.js";
import { addressedDialog } from "../elements/addressed-dialog.js";
import { dataTable } from "../elements/data-table.js";
import { searchField } from "../elements/field.js";
import { icon } from "../elements/icon.js";
import { liveBadge } from "../elements/live-badge.js";
import { button, pageHead } from "../elements/page-head.js";
import { toast } from "../elements/toast.js";
import { importDialog } from "./licenses/import-dialog.js";
import { licenseColumns } from "./licenses/columns.js";
import { usersDialog } from "./licenses/users-dialog.js";

const EVERY_S = 2;
const NEWS = "usage,license_imported,license_withdrawn";

class LicensesPage extends Page {
  #fresh = new Map(); // licenses that this page has imported: they stand first until somebody goes elsewhere
  #users = addressedDialog(
    (id) => usersDialog(id, { row: this.table.items.find((row) => row.id === id), signal: this.signal }),
    () => this.setQuery({ users: "" }),
  );
  #asked = new AbortController();
  #watching = new AbortController();
  #watched = null; // the customer whose stream it is; "" when there is none

  build() {
    this.liveness = new Liveness();
    this.search = searchField({ label: "Search licenses", placeholder: "Product, ID, order, customer, agency …", onSearch: (search) => this.setQuery({ search, page: "" }) });
    this.table = dataTable({
      label: "Licenses",
      columns: licenseColumns({ onKey: (row) => this.#copyKey(row), onUsers: (row) => this.setQuery({ users: row.id }) }),
      rowKey: (row) => row.id,
      remember: "licenses",
      empty: () => this.#empty(),
      onSort: (sort) => this.setQuery({ sort, page: "" }),
      onPage: ({ page, size }) => this.setQuery({ page: page === 1 ? "" : page, size: size === 50 ? "" : size }),
    });
    const add = session.may("licenses.import") ? button({ label: "Add license", symbol: icon("plus"), kind: "primary", onclick: () => this.#import() }) : null;
    const refresh = button({ label: "Refresh", symbol: icon("refresh"), compact: true, onclick: () => this.#load(true) });
    this.append(
      pageHead({ title: "Licenses", live: liveBadge(this.liveness, this.signal), actions: [add] }),
      h("div", { class: "toolbar" }, this.search, h("span", { class: "end" }), this.table.columnMenu(), refresh),
      this.table,
    );
  }

  async show(query) {
    const wanted = this.#wanted();
    const is_other = JSON.stringify(wanted) !== JSON.stringify(this.wanted);
    this.search.show(wanted.search);
    this.table.sort = wanted.sort;
    if (is_other) {
      this.wanted = wanted;
      await this.#load(this.#fresh.size > 0);
    }
    this.#users.show(query.get("users"));
  }

  #wanted() {
    return {
      search: this.query.get("search") ?? "",
      customer: this.query.get("customer") ?? "",
      agency: this.query.get("agency") ?? "",
      domain: this.query.get("domain") ?? "",
      sort: this.query.get("sort") ?? "product",
      page: Number(this.query.get("page")) || 1,
      size: Number(this.query.get("size")) || 50,
    };
  }

  /** Fetches what the address asks for, because somebody wants it. */
  async #load(forget) {
    if (forget) this.#fresh.clear();
    this.#asked.abort();
    this.#asked = new AbortController();
    this.table.loading();
    try {
      const signal = AbortSignal.any([this.signal, this.#asked.signal]);
      this.table.show(this.#withFresh(await api.get("/licenses", this.wanted, { signal })), new Set(this.#fresh.keys()));
      this.liveness.set("live");
    } catch (error) {
      if (!isAborted(error)) this.table.fail(error, () => this.#load(false));
    }
    this.#watch();
  }

  /** One customer has a stream, which tells at once; of several the page is asked for again and again. */
  #watch() {
    const customers = new Set(this.table.items.map((row) => row.customer));
    const one = session.customer || (customers.size === 1 && this.wanted.customer) || "";
    const customer = session.may("events.read") ? one : "";
    if (customer === this.#watched) return;
    this.#watched = customer;
    this.#watching.abort();
    this.#watching = new AbortController();
    const watching = { liveness: this.liveness, signal: AbortSignal.any([this.signal, this.#watching.signal]) };
    const look = () => this.#look(watching.signal).catch((error) => isAborted(error) || this.liveness.set("stale"));
    if (!customer) poll((signal) => this.#look(signal), { ...watching, every_s: EVERY_S });
    else follow(customer, { ...watching, types: NEWS, onGap: look, onEvent: ({ type, data }) => (type === "usage" ? this.#use(data) : look()) });
  }

  /** What the stream says of the licenses that are shown. */
  #use({ licenses }) {
    const now = new Map(licenses.map((license) => [license.id, license]));
    for (const row of this.table.items) {
      const use = now.get(row.id);
      if (use) this.table.update(Object.assign(row, use, row.resources === null && { above_limit: Math.max(0, use.used - use.limit) }));
    }
  }

  /** Looks again, because time has passed. */
  async #look(signal) {
    const wanted = this.wanted;
    if (this.table.hasAttribute("data-loading")) return;
    const listing = await api.get("/licenses", wanted, { signal, background: true });
    if (wanted === this.wanted && !this.table.hasAttribute("data-loading")) this.table.refresh(this.#withFresh(listing));
  }

  #withFresh(listing) {
    const first = [...this.#fresh.keys()].map((id) => listing.items.find((row) => row.id === id) ?? this.#fresh.get(id));
    return { ...listing, items: [...first, ...listing.items.filter((row) => !this.#fresh.has(row.id))] };
  }

  async #import() {
    const done = await importDialog();
    if (!done) return;
    this.#fresh.clear();
    await this.#fetchFresh([...done.added, ...done.replaced].slice(0, 50)).catch(() => {}); // the list says what does not work
    await this.#load(false);
    this.table.rowElement([...this.#fresh.keys()][0])?.scrollIntoView({ block: "nearest" });
  }

  async #fetchFresh(ids) {
    for (const id of ids) this.#fresh.set(id, await api.get(`/licenses/${part(id)}`, {}, { signal: this.signal }));
  }

  async #copyKey(row) {
    try {
      const { key } = await api.get(`/licenses/${part(row.id)}/key`, {}, { signal: this.signal });
      await copy(key);
    } catch (error) {
      if (!isAborted(error)) toast(error.message, "bad");
    }
  }

  #empty() {
    if (this.wanted?.search) return { symbol: "search", title: "No license found", text: `Nothing fits “${this.wanted.search}”.` };
    const may = session.may("licenses.import");
    return { symbol: "key", title: "No licenses yet", text: may ? "Add the license key that you got from your vendor." : "" };
  }

  leave() {
    super.leave();
    this.#users.close();
  }
}

define("licenses-page", LicensesPage);

export default LicensesPage;
