// Administrators: who may sign in here, with which grants, and the way in for who has lost it.

import { api, part } from "../core/api.js";
import { define, h } from "../core/dom.js";
import { day } from "../core/format.js";
import { ListPage } from "../core/list-page.js";
import { grantText, session } from "../core/session.js";
import { badge } from "../elements/badge.js";
import { dataTable } from "../elements/data-table.js";
import { searchField } from "../elements/field.js";
import { formDialog } from "../elements/form-dialog.js";
import { icon } from "../elements/icon.js";
import { menuButton } from "../elements/menu.js";
import { button, pageHead } from "../elements/page-head.js";
import { secretDialog } from "../elements/secret-dialog.js";
import { toast } from "../elements/toast.js";
import { createDialog, grantsDialog } from "./administrators/dialogs.js";

class AdministratorsPage extends ListPage {
  path = "/administrators";

  build() {
    const may = session.may("administrators.change");
    this.filters = { search: searchField({ label: "Search administrators", placeholder: "Name …", onSearch: this.filtered("search") }) };
    this.table = dataTable({
      label: "Administrators",
      columns: [
        { key: "name", label: "Name", class: "nowrap", render: nameCell },
        { key: "grants", label: "Grants", render: ({ grants }) => h("span", { class: "two-lines" }, grants.map((grant) => h("span", {}, grantText(grant)))) },
        { key: "way", label: "Signs in with", value: ({ has_password, totp, must_totp }) => [has_password, totp, must_totp], render: wayCell },
        { key: "disabled", label: "State", render: ({ disabled }) => (disabled ? badge("Disabled", "bad") : badge("Enabled", "good")) },
        { key: "created", label: "Made", class: "nowrap", render: ({ created }) => day(created) },
        { key: "created_by", label: "By", class: "nowrap" },
        ...(may ? [{ key: "do", label: "Change", class: "action-cell", value: (row) => row, render: (row) => this.#menu(row) }] : []),
      ],
      rowKey: (row) => row.name,
      empty: () => (this.query?.get("search") ? { symbol: "search", title: "No such administrator" } : { symbol: "shield", title: "No administrators" }),
      onPage: this.paged,
    });
    const create = may ? button({ label: "Add administrator", symbol: icon("plus"), kind: "primary", onclick: () => this.setQuery({ create: "1" }) }) : null;
    this.append(pageHead({ title: "Administrators", actions: [create] }), h("div", { class: "toolbar" }, this.filters.search), this.table);
  }

  async show() {
    await super.show();
    if (this.query.get("create") && !this.creating) await this.#create();
  }

  async #create() {
    this.creating = true;
    const made = await createDialog();
    this.creating = false;
    if (this.isConnected) this.setQuery({ create: "" }, { replace: true });
    if (!made) return;
    if (!made.has_password) await this.#link(made);
    if (this.isConnected) await this.load();
  }

  #menu(row) {
    const is_self = row.name === session.profile.name;
    const change = (body, said) => ({ onclick: () => this.#change(row, body, said) });
    const items = () => [
      { text: "Sign-in link …", symbol: icon("key"), disabled: row.disabled, onclick: () => this.#link(row) },
      { text: "Grants …", symbol: icon("edit"), onclick: () => this.#grants(row) },
      null,
      row.must_totp
        ? { text: "Require no one-time code", disabled: is_self, ...change({ must_totp: false }, "needs no one-time code") }
        : { text: "Require a one-time code", disabled: is_self, ...change({ must_totp: true }, "must set up a one-time code") },
      { text: "Take the one-time code away …", disabled: is_self || !row.totp, onclick: () => this.#ask(row, { totp: "off" }, "Take the one-time code away", "For somebody who has lost the phone. All sessions end.", "has no one-time code any more") },
      null,
      row.disabled
        ? { text: "Enable", ...change({ disabled: false }, "is enabled") }
        : { text: "Disable …", disabled: is_self, onclick: () => this.#ask(row, { disabled: true }, "Disable", "Nobody signs in with this name any more, and all sessions end.", "is disabled") },
      { text: "Remove …", symbol: icon("trash"), disabled: is_self, onclick: () => this.#remove(row) },
    ];
    return menuButton({ label: `Change ${row.name}`, content: [icon("more")], items, kind: "icon-button" });
  }

  async #link(row) {
    try {
      const { path } = await api.post("/sign-in-links", { name: row.name });
      await secretDialog({ title: `Sign-in link for ${row.name}`, text: "It signs in once, within ten minutes. A one-time code is needed all the same.", label: "Link", secret: new URL(path, location.origin).href });
    } catch (error) {
      toast(error.message, "bad");
    }
  }

  async #grants(row) {
    const done = await grantsDialog(row);
    if (done) this.#said(row, "has other grants");
  }

  async #change(row, body, said) {
    try {
      await api.patch(`/administrators/${part(row.name)}`, body);
      this.#said(row, said);
    } catch (error) {
      toast(error.message, "bad");
    }
  }

  async #ask(row, body, action, text, said) {
    const done = await formDialog({ title: `${action}: ${row.name}`, text, action, danger: true, submit: () => api.patch(`/administrators/${part(row.name)}`, body) });
    if (done) this.#said(row, said);
  }

  async #remove(row) {
    const text = "All sessions end. API tokens that this administrator has made stay: take them back as well.";
    const done = await formDialog({ title: `Remove ${row.name}?`, text, action: "Remove", danger: true, submit: () => api.delete(`/administrators/${part(row.name)}`) });
    if (done) this.#said(row, "was removed");
  }

  #said(row, text) {
    toast(`${row.name} ${text}.`, "good");
    return this.load();
  }
}

function nameCell({ name }) {
  return h("span", { class: "badges" }, name, name === session.profile.name ? badge("You", "info") : null);
}

function wayCell({ has_password, totp, must_totp }) {
  const code = totp ? badge("One-time code", "good") : must_totp ? badge("Code required", "warn") : null;
  return h("span", { class: "badges" }, has_password ? badge("Password") : badge("Link only", "warn"), code);
}

define("administrators-page", AdministratorsPage);

export default AdministratorsPage;
