// Webhooks of a customer: where its events are sent to, whether that works, and what was given up.

import { api, part } from "../core/api.js";
import { define, h } from "../core/dom.js";
import { day, words } from "../core/format.js";
import { ListPage } from "../core/list-page.js";
import { session } from "../core/session.js";
import { addressedDialog } from "../elements/addressed-dialog.js";
import { badge } from "../elements/badge.js";
import { dataTable } from "../elements/data-table.js";
import { customerWanted, filterCustomer } from "../elements/filters.js";
import { formDialog } from "../elements/form-dialog.js";
import { icon } from "../elements/icon.js";
import { menuButton } from "../elements/menu.js";
import { button, pageHead } from "../elements/page-head.js";
import { secretDialog } from "../elements/secret-dialog.js";
import { switchButton } from "../elements/switch.js";
import { toast } from "../elements/toast.js";
import { lettersDialog } from "./webhooks/letters-dialog.js";
import { webhookDialog } from "./webhooks/webhook-dialog.js";

class WebhooksPage extends ListPage {
  #letters = addressedDialog(
    (id) => lettersDialog(this.#path(id, "dead-letters"), { signal: this.signal }),
    () => this.setQuery({ letters: "" }),
  );

  build() {
    this.filters = { customer: filterCustomer({ onChange: this.filtered("customer") }) };
    const may = session.may("webhooks.change");
    this.table = dataTable({
      label: "Webhooks",
      columns: [
        { key: "url", label: "Address", class: "wrap", render: ({ url }) => h("code", {}, url) },
        { key: "types", label: "Sent when", render: ({ types }) => h("span", { class: "badges" }, types.map((type) => badge(words(type)))) },
        { key: "only", label: "Only", value: ({ product, license }) => [product, license], render: ({ product, license }) => [product, license].filter(Boolean).join(", ") || h("span", { class: "muted" }, "everything") },
        { key: "enabled", label: "On", render: (row) => (may ? switchButton({ label: `Send to ${row.url}`, checked: row.enabled, onToggle: (enabled) => this.#change(row, { enabled }, enabled ? "is on" : "is off") }) : badge(row.enabled ? "On" : "Off")) },
        { key: "created", label: "Made", class: "nowrap", render: ({ created }) => day(created) },
        { key: "do", label: "Do", class: "action-cell", value: (row) => row, render: (row) => this.#actions(row, may) },
      ],
      rowKey: (row) => row.id,
      empty: () => this.#empty(),
      onPage: this.paged,
    });
    this.create = may ? button({ label: "Add webhook", symbol: icon("plus"), kind: "primary", onclick: () => this.#create() }) : "";
    this.append(
      pageHead({ title: "Webhooks", about: "Addresses of yours that get a signed POST when something happens that somebody should know of.", actions: [this.create] }),
      h("div", { class: "toolbar" }, this.filters.customer),
      this.table,
    );
  }

  get wanted() {
    return this.customer ? super.wanted : null;
  }

  #path(...parts) {
    return ["/customers", this.customer, "webhooks", ...parts].map((one, at) => (at ? part(one) : one)).join("/");
  }

  ask({ page, size }, options) {
    return api.get(this.#path(), { page, size }, options);
  }

  async show() {
    if (this.create) this.create.hidden = !this.customer;
    await super.show();
    this.#letters.show(this.customer && this.query.get("letters"));
  }

  #actions(row, may) {
    const test = may ? h("button", { type: "button", "aria-label": `Test ${row.url}`, onclick: (event) => this.#test(row, event.currentTarget) }, icon("bolt"), "Test") : null;
    const items = () => [
      { text: "Dead letters", symbol: icon("alert"), onclick: () => this.setQuery({ letters: row.id }) },
      ...(may
        ? [
            { text: "Edit …", symbol: icon("edit"), onclick: () => this.#edit(row) },
            { text: "New secret …", symbol: icon("key"), onclick: () => this.#newSecret(row) },
            null,
            { text: "Delete …", symbol: icon("trash"), onclick: () => this.#delete(row) },
          ]
        : []),
    ];
    return h("span", { class: "badges" }, test, menuButton({ label: `More for ${row.url}`, content: [icon("more")], items, kind: "icon-button" }));
  }

  async #create() {
    const made = await webhookDialog({ title: "Add webhook", action: "Add webhook", send: (body) => api.post(this.#path(), body) });
    if (!made) return;
    await this.#secret(made);
    await this.load();
  }

  async #edit(row) {
    const done = await webhookDialog({ title: "Edit webhook", action: "Save", row, send: (body) => api.patch(this.#path(row.id), body) });
    if (done) await this.load();
  }

  #secret({ url, secret }) {
    return secretDialog({ title: "The webhook's secret", text: `What is sent to ${url} is signed with it.`, label: "Secret", secret });
  }

  async #newSecret(row) {
    const text = "From now on everything is signed with the new one: the receiver refuses what comes until it has it, too.";
    const made = await formDialog({ title: "Make a new secret?", text, action: "New secret", danger: true, submit: () => api.patch(this.#path(row.id), { new_secret: true }) });
    if (made) await this.#secret(made);
  }

  async #delete(row) {
    const done = await formDialog({ title: "Delete this webhook?", text: `${row.url}: what waits for it goes, too.`, action: "Delete", danger: true, submit: () => api.delete(this.#path(row.id)) });
    if (!done) return;
    toast("The webhook was deleted.", "good");
    await this.load();
  }

  async #change(row, body, said) {
    try {
      await api.patch(this.#path(row.id), body);
      toast(`The webhook ${said}.`, "good");
    } catch (error) {
      toast(error.message, "bad");
    }
    await this.load();
  }

  async #test(row, pressed) {
    pressed.disabled = true;
    try {
      const { delivered, why, took_ms } = await api.post(this.#path(row.id, "test"));
      toast(delivered ? `Delivered in ${took_ms} ms.` : `Not delivered: ${why}`, delivered ? "good" : "bad");
    } catch (error) {
      toast(error.message, "bad");
    } finally {
      pressed.disabled = false;
    }
  }

  #empty() {
    if (!this.customer) return customerWanted(this.filters.customer);
    return { symbol: "hook", title: "No webhooks", text: "Denials, forced logouts, licenses that end and limits that are reached can be sent to an address of yours." };
  }

  leave() {
    super.leave();
    this.#letters.close();
  }
}

define("webhooks-page", WebhooksPage);

export default WebhooksPage;
