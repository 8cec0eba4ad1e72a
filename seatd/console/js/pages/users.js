// The users of a customer with their licenses, and its extensions: who has what, and giving it.

import { api, isAborted, part } from "../core/api.js";
import { define, h } from "../core/dom.js";
import { Liveness } from "../core/live.js";
import { Page } from "../core/page.js";
import { href, router } from "../core/router.js";
import { session } from "../core/session.js";
import { chooseCustomer } from "../elements/choose-customer.js";
import { icon } from "../elements/icon.js";
import { liveBadge } from "../elements/live-badge.js";
import { emptyState, errorState } from "../elements/message.js";
import { button, pageHead } from "../elements/page-head.js";
import { tabSet } from "../elements/tabs.js";
import { statusBadges } from "./customer/standing.js";
import { extensionsTab } from "./users/extensions-tab.js";
import { usersTab } from "./users/users-tab.js";

class UsersPage extends Page {
  #part = new AbortController(); // ends with the customer that is shown

  build() {
    this.liveness = new Liveness();
    this.of = h("span", { class: "badges" });
    this.actions = h("span", { class: "page-actions" });
    this.content = h("div", {});
    const head = pageHead({ title: "Users and provisioning", about: " ", live: liveBadge(this.liveness, this.signal), actions: [this.actions] });
    head.querySelector(".page-title > p").replaceChildren(this.of);
    this.append(head, this.content);
  }

  async show(query) {
    const customer = query.get("customer") || session.customer;
    if (customer !== this.shown) await this.#enter(customer);
    else this.#follow(query);
  }

  #follow(query) {
    if (!this.tabs) return;
    this.tabs.choose(query.get("tab") ?? "users");
    this.parts.get(this.tabs.chosen)?.follow(query);
  }

  async #enter(customer) {
    this.shown = customer;
    this.tabs = null;
    this.#part.abort();
    this.#part = new AbortController();
    this.of.replaceChildren();
    this.actions.replaceChildren();
    if (!customer) return this.#ask();
    const signal = AbortSignal.any([this.signal, this.#part.signal]);
    this.content.replaceChildren(h("div", { class: "card", "aria-busy": "true" }, h("div", { class: "card-body skeleton" }, h("span", { class: "bone" }))));
    try {
      const [found, licenses] = await Promise.all([api.get(`/customers/${part(customer)}`, {}, { signal }), licensesOf(customer, signal)]);
      this.#fill(found, licenses, signal);
    } catch (error) {
      if (isAborted(error)) return;
      this.shown = null;
      this.content.replaceChildren(errorState(error, () => this.#enter(customer)));
      this.#other();
    }
  }

  /** Several customers are there, and none was chosen yet. */
  #ask() {
    const choose = h("button", { type: "button", class: "primary", onclick: () => this.#choose() }, "Choose a customer");
    this.content.replaceChildren(h("div", { class: "card" }, emptyState({ symbol: "building", title: "Whose users?", text: "Users and extensions belong to a customer.", action: choose })));
  }

  async #choose() {
    const customer = await chooseCustomer({ title: "Choose a customer" });
    if (customer) router.go(`/users?customer=${part(customer)}`);
  }

  #other() {
    if (session.customer) return;
    this.actions.replaceChildren(button({ label: "Another customer", symbol: icon("building"), onclick: () => this.#choose() }));
  }

  #fill(customer, licenses, signal) {
    const given = { customer, licenses, signal, liveness: this.liveness, setQuery: (changes, options) => this.setQuery(changes, options) };
    this.parts = new Map();
    const tab = (name, text, make) => ({
      name,
      text,
      build: () => {
        const made = make({ ...given, is_shown: () => this.tabs?.chosen === name });
        this.parts.set(name, made);
        return made;
      },
    });
    const tabs = [];
    if (session.may("users.read")) tabs.push(tab("users", "Users", usersTab));
    if (session.may("provisioning.read")) tabs.push(tab("extensions", "Extensions", extensionsTab));
    const chosen = this.query.get("tab") ?? "users";
    this.tabs = tabSet({ label: "Parts", tabs, chosen, onChoose: (name) => this.#go(name) });
    this.of.replaceChildren(h("a", { href: href(`/customers/${part(customer.id)}`) }, customer.name || customer.id), ...(customer.status === "active" ? [] : statusBadges(customer)));
    this.#other();
    this.content.replaceChildren(this.tabs);
    this.parts.get(this.tabs.chosen)?.follow(this.query);
  }

  #go(tab) {
    const query = new URLSearchParams({ ...(this.query.get("customer") && { customer: this.query.get("customer") }), ...(tab !== "users" && { tab }) });
    router.go(`/users${query.size ? `?${query}` : ""}`);
  }

  leave() {
    super.leave();
    for (const each of this.parts?.values() ?? []) each.close?.();
  }
}

/** The licenses of a customer that users have: the nominal ones are given to them, of the others they take a seat. */
async function licensesOf(customer, signal) {
  if (!session.may("licenses.read")) return [];
  const { items } = await api.get("/licenses", { customer, size: 500, sort: "product" }, { signal });
  return items.filter(({ kind, resources, product }) => kind === "competitive" || resources === null || product !== "CHAT");
}

define("users-page", UsersPage);

export default UsersPage;
