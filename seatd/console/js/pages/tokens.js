// API tokens: made for programs, shown once, taken back.

import { api, part } from "../core/api.js";
import { define, h } from "../core/dom.js";
import { day } from "../core/format.js";
import { ListPage } from "../core/list-page.js";
import { grantText, session } from "../core/session.js";
import { badge } from "../elements/badge.js";
import { dataTable } from "../elements/data-table.js";
import { field } from "../elements/field.js";
import { formDialog } from "../elements/form-dialog.js";
import { grantFields } from "../elements/grant-fields.js";
import { icon } from "../elements/icon.js";
import { button, pageHead } from "../elements/page-head.js";
import { secretDialog } from "../elements/secret-dialog.js";
import { toast } from "../elements/toast.js";

const LASTS = [["30", "30 days"], ["90", "90 days"], ["365", "One year"], ["", "Until it is taken back"]];
const SOON_MS = 14 * 86_400_000;

class TokensPage extends ListPage {
  path = "/tokens";

  build() {
    const may = session.may("tokens.change");
    this.table = dataTable({
      label: "API tokens",
      columns: [
        { key: "name", label: "Name", class: "nowrap" },
        { key: "grant", label: "May do", render: ({ grant }) => grantText(grant) },
        { key: "created", label: "Made", class: "nowrap", render: ({ created }) => day(created) },
        { key: "created_by", label: "By", class: "nowrap", render: ({ created_by }) => created_by || h("span", { class: "muted" }, "this deployment") },
        { key: "expires", label: "Ends", class: "nowrap", render: endsCell },
        { key: "id", label: "ID", class: "nowrap", render: ({ id }) => h("code", {}, id) },
        ...(may ? [{ key: "revoke", label: "Take back", class: "action-cell", value: ({ id }) => id, render: (row) => this.#revokeButton(row) }] : []),
      ],
      rowKey: (row) => row.id || row.name,
      empty: { symbol: "key", title: "No API tokens", text: may ? "Make one for each program that calls the REST API." : "" },
      onPage: this.paged,
    });
    const create = may ? button({ label: "Create token", symbol: icon("plus"), kind: "primary", onclick: () => this.setQuery({ create: "1" }) }) : null;
    this.append(pageHead({ title: "API tokens", about: "For programs that call the REST API. What a token may do is said when it is made.", actions: [create] }), this.table);
  }

  async show() {
    await super.show();
    if (this.query.get("create") && !this.creating) await this.#create();
  }

  async #create() {
    this.creating = true;
    const name = field({ label: "Name", hint: "What it is for, so that others know it", required: true, maxlength: 100 });
    const grant = grantFields({ role: "auditor" });
    const days = field({ label: "Lasts", type: "select", options: LASTS, value: "90" });
    const made = await formDialog({
      title: "Create token",
      fields: [name, grant, days],
      action: "Create token",
      submit: () => api.post("/tokens", { name: name.value.trim(), grant: grant.value, days: days.value ? Number(days.value) : null }),
    });
    this.creating = false;
    if (this.isConnected) this.setQuery({ create: "" }, { replace: true });
    if (!made) return;
    await secretDialog({ title: "The new token", text: `${made.name}: ${grantText(made.grant)}`, label: "Token", secret: made.token });
    if (this.isConnected) await this.load();
  }

  #revokeButton(row) {
    if (!row.id) return h("span", { class: "muted", title: "It stands in a node's data folder" }, "a node's own");
    return h("button", { type: "button", "aria-label": `Take back ${row.name}`, onclick: () => this.#revoke(row) }, icon("trash"), h("span", { class: "wide-only" }, "Take back"));
  }

  async #revoke(row) {
    const done = await formDialog({
      title: `Take back ${row.name}?`,
      text: "Programs that use it are refused within five seconds. It cannot be undone.",
      action: "Take back",
      danger: true,
      submit: () => api.delete(`/tokens/${part(row.id)}`),
    });
    if (!done) return;
    toast(`${row.name} was taken back.`, "good");
    await this.load();
  }
}

function endsCell({ expires }) {
  if (!expires) return h("span", { class: "muted" }, "never");
  const left_ms = Date.parse(expires) - Date.now();
  if (left_ms < 0) return badge("Over", "bad");
  return left_ms < SOON_MS ? badge(day(expires), "warn") : day(expires);
}

define("tokens-page", TokensPage);

export default TokensPage;
