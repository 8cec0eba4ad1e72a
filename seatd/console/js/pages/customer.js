// One customer: how it stands, what it uses now, what is settled with it, who changed what, and its invoice statements.

import { api, isAborted, part } from "../core/api.js";
import { define, h } from "../core/dom.js";
import { Liveness, poll } from "../core/live.js";
import { Page } from "../core/page.js";
import { href, router } from "../core/router.js";
import { session } from "../core/session.js";
import { icon } from "../elements/icon.js";
import { liveBadge } from "../elements/live-badge.js";
import { menuButton } from "../elements/menu.js";
import { errorState } from "../elements/message.js";
import { button, pageHead } from "../elements/page-head.js";
import { tabSet } from "../elements/tabs.js";
import { auditTab } from "./customer/audit-tab.js";
import { cancelCustomer, resumeCustomer, suspendCustomer, withdrawCancellation } from "./customer/end.js";
import { invoicesTab } from "./customer/invoices-tab.js";
import { overviewTab } from "./customer/overview.js";
import { mayWhole, statusBadges } from "./customer/standing.js";

const EVERY_S = 2;

class CustomerPage extends Page {
  customer = null;

  build() {
    this.liveness = new Liveness();
    this.status = h("span", { class: "badges" });
    this.actions = h("span", { class: "page-actions" });
    const live = [this.status, liveBadge(this.liveness, this.signal)];
    this.content = h("div", { class: "customer-content" });
    this.append(pageHead({ title: this.params.customer, about: " ", live, actions: [this.actions], crumbs: [["Customers", href("/customers")]] }), this.content);
    this.#load();
  }

  show(query) {
    if (!this.tabs) return;
    this.tabs.choose(this.#tab(query));
    this.invoices?.follow(query);
    this.audit?.follow(query);
  }

  async #load() {
    this.content.replaceChildren(h("div", { class: "cards", "aria-busy": "true" }, [1, 2, 3].map(() => h("div", { class: "card" }, h("div", { class: "card-body skeleton" }, h("span", { class: "bone" }))))));
    try {
      this.customer = await api.get(this.#path(), {}, { signal: this.signal });
    } catch (error) {
      if (!isAborted(error)) this.content.replaceChildren(errorState(error, () => this.#load()));
      return;
    }
    this.#fill();
    this.liveness.set("live");
    poll((signal) => this.#look(signal), { every_s: EVERY_S, liveness: this.liveness, signal: this.signal });
  }

  /** The tabs that whoever looks may see. */
  #fill() {
    const changed = (customer) => this.changed(customer);
    const tabs = [{ name: "overview", text: "Overview", build: () => this.overview }];
    this.overview = overviewTab(this.customer, changed);
    const given = { customer: this.customer, signal: this.signal, setQuery: (changes) => this.setQuery(changes) };
    if (mayWhole(this.customer, "audit.read")) tabs.push({ name: "audit", text: "Audit", build: () => (this.audit = auditTab({ ...given, query: this.query })) });
    if (mayWhole(this.customer, "invoices.read")) tabs.push({ name: "invoices", text: "Invoice statements", build: () => (this.invoices = invoicesTab({ ...given, query: this.query })) });
    this.tabs = tabSet({ label: "Parts", tabs, chosen: this.#tab(this.query), onChoose: (tab) => this.#go(tab) });
    this.content.replaceChildren(this.tabs);
    this.#tell();
  }

  #tab(query) {
    return query.get("tab") ?? "overview";
  }

  #go(tab) {
    router.go(`/customers/${part(this.params.customer)}${tab === "overview" ? "" : `?tab=${tab}`}`);
  }

  #path() {
    return `/customers/${part(this.params.customer)}`;
  }

  async #look(signal) {
    this.changed(await api.get(this.#path(), {}, { signal, background: true }));
  }

  /** The customer is another now. */
  changed(customer) {
    this.customer = customer;
    this.overview.show(customer);
    this.#tell();
  }

  /** What the head says; made anew only where it is another, so that no open menu is lost. */
  #tell() {
    const { id, name, agency, external_id, status, delete_at, permissions } = this.customer;
    const now = JSON.stringify([name, agency, external_id, status, delete_at, permissions]);
    if (now === this.told) return;
    this.told = now;
    document.title = `${name || id} – seatd`;
    this.querySelector("h1").textContent = name || id;
    this.querySelector(".page-title > p").textContent = [name && id, agency && `agency ${agency}`, external_id].filter(Boolean).join(" · ");
    this.status.replaceChildren(...statusBadges(this.customer));
    this.actions.replaceChildren(...this.#buttons().filter(Boolean));
  }

  #buttons() {
    const { id, delete_at } = this.customer;
    const act = (deed) => async () => {
      const after = await deed(this.customer);
      if (after) this.changed(after);
    };
    const link = (label, symbol, to, action) => (router.has(to.split("?")[0]) && session.may(action) ? h("a", { class: "button", href: href(to) }, icon(symbol), label) : null);
    const withdraw = delete_at && mayWhole(this.customer, "customers.end") ? button({ label: "Withdraw cancellation", kind: "primary", onclick: act(withdrawCancellation) }) : null;
    return [
      link("Licenses", "key", `/licenses?customer=${part(id)}`, "licenses.read"),
      link("Users", "users", `/users?customer=${part(id)}`, "users.read"),
      withdraw,
      this.#menu(act),
    ];
  }

  #menu(act) {
    const { status, delete_at } = this.customer;
    const items = [];
    if (mayWhole(this.customer, "customers.suspend")) {
      items.push(status === "suspended" ? { text: "Resume …", onclick: act(resumeCustomer) } : { text: "Suspend …", onclick: act(suspendCustomer) });
    }
    if (mayWhole(this.customer, "customers.end") && !delete_at) items.push({ text: "Cancel subscription …", symbol: icon("trash"), onclick: act(cancelCustomer) });
    return items.length ? menuButton({ label: "More", content: icon("more"), items: () => items, kind: "icon-button bordered" }) : null;
  }

  leave() {
    super.leave();
    this.audit?.close();
    this.invoices?.close();
  }
}

define("customer-page", CustomerPage);

export default CustomerPage;
