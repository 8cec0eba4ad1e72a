// Customers: what they have bought, and what of it is in use.

import { api, isAborted } from "../core/api.js";
import { define, h } from "../core/dom.js";
import { Liveness, poll } from "../core/live.js";
import { Page } from "../core/page.js";
import { href, router } from "../core/router.js";
import { session } from "../core/session.js";
import { dataTable } from "../elements/data-table.js";
import { searchField } from "../elements/field.js";
import { icon } from "../elements/icon.js";
import { liveBadge } from "../elements/live-badge.js";
import { button, pageHead } from "../elements/page-head.js";
import { customerColumns } from "./customers/columns.js";
import { newCustomer } from "./customers/new-customer.js";

const EVERY_S = 3;
const STATUSES = [["", "Any status"], ["active", "Active"], ["suspended", "Suspended"], ["pending_deletion", "Pending deletion"]];

class CustomersPage extends Page {
  #asked = new AbortController();

  build() {
    this.liveness = new Liveness();
    this.search = searchField({ label: "Search customers", placeholder: "ID, name, agency, external ID …", onSearch: (search) => this.setQuery({ search, page: "" }) });
    this.status = choice("Status", STATUSES, (status) => this.setQuery({ status, page: "" }));
    this.agency = choice("Agency", [["", "All agencies"]], (agency) => this.setQuery({ agency, page: "" }));
    this.agency.hidden = true;
    this.table = dataTable({
      label: "Customers",
      columns: customerColumns({ onAgency: (agency) => this.setQuery({ agency, page: "" }) }),
      rowKey: (row) => row.id,
      remember: "customers",
      empty: () => this.#empty(),
      onSort: (sort) => this.setQuery({ sort, page: "" }),
      onPage: ({ page, size }) => this.setQuery({ page: page === 1 ? "" : page, size: size === 50 ? "" : size }),
    });
    const add = session.may("customers.create") ? button({ label: "Add customer", symbol: icon("plus"), kind: "primary", onclick: () => this.#add() }) : null;
    const refresh = button({ label: "Refresh", symbol: icon("refresh"), compact: true, onclick: () => this.#load() });
    this.append(
      pageHead({ title: "Customers", live: liveBadge(this.liveness, this.signal), actions: [add] }),
      h("div", { class: "toolbar" }, this.search, this.agency, this.status, h("span", { class: "end" }), this.table.columnMenu(), refresh),
      this.table,
    );
    this.#agencies();
    poll((signal) => this.#look(signal), { every_s: EVERY_S, liveness: this.liveness, signal: this.signal });
  }

  async show(query) {
    const wanted = {
      search: query.get("search") ?? "",
      agency: query.get("agency") ?? "",
      status: query.get("status") ?? "",
      sort: query.get("sort") ?? "id",
      page: Number(query.get("page")) || 1,
      size: Number(query.get("size")) || 50,
    };
    if (JSON.stringify(wanted) === JSON.stringify(this.wanted)) return;
    this.wanted = wanted;
    this.search.show(wanted.search);
    this.status.show(wanted.status);
    this.agency.show(wanted.agency);
    this.agency.hidden &&= !wanted.agency;
    this.table.sort = wanted.sort;
    await this.#load();
  }

  async #load() {
    this.#asked.abort();
    this.#asked = new AbortController();
    this.table.loading();
    try {
      this.table.show(await api.get("/customers", this.wanted, { signal: AbortSignal.any([this.signal, this.#asked.signal]) }));
      this.liveness.set("live");
    } catch (error) {
      if (!isAborted(error)) this.table.fail(error, () => this.#load());
    }
  }

  async #look(signal) {
    const wanted = this.wanted;
    if (this.table.hasAttribute("data-loading")) return;
    const listing = await api.get("/customers", wanted, { signal, background: true });
    if (wanted === this.wanted && !this.table.hasAttribute("data-loading")) this.table.refresh(listing);
  }

  /** The agencies to choose from, for whom they are there. */
  async #agencies() {
    if (!session.may("agencies.read")) return;
    try {
      const { items } = await api.get("/agencies", { size: 500, sort: "name" }, { signal: this.signal });
      this.agency.fill([["", "All agencies"], ...items.map(({ id, name }) => [id, name || id])]);
      this.agency.show(this.wanted?.agency ?? "");
      this.agency.hidden = !items.length;
    } catch (error) {
      if (!isAborted(error)) this.agency.hidden = true;
    }
  }

  async #add() {
    const made = await newCustomer();
    if (made) router.go(`/customers/${encodeURIComponent(made.id)}`);
  }

  #empty() {
    const { search, agency, status } = this.wanted ?? {};
    const everything = h("a", { class: "button", href: href("/customers") }, "Show all customers");
    if (search || agency || status) return { symbol: "search", title: "No customer found", text: search ? `Nothing fits “${search}”.` : "None is like that.", action: everything };
    return { symbol: "building", title: "No customers yet", text: "A license key makes the customer that it names." };
  }
}

/** A select beside a search box: `show(value)`, `fill(options)`. */
function choice(label, options, onChoose) {
  const select = h("select", { "aria-label": label, class: "filter", onchange: () => onChoose(select.value) });
  select.fill = (given) => select.replaceChildren(...given.map(([value, text]) => h("option", { value }, text)));
  select.show = (value) => {
    if (value && ![...select.options].some((option) => option.value === value)) select.append(h("option", { value }, value));
    select.value = value;
  };
  select.fill(options);
  return select;
}

define("customers-page", CustomersPage);

export default CustomersPage;
