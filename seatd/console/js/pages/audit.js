// Who changed what: the audit trail, its differences, its chain, and the way to take it elsewhere.

import { address, api, isAborted } from "../core/api.js";
import { define, h } from "../core/dom.js";
import { counted, words } from "../core/format.js";
import { ListPage } from "../core/list-page.js";
import { session } from "../core/session.js";
import { badge } from "../elements/badge.js";
import { momentCell } from "../elements/cells.js";
import { dataTable } from "../elements/data-table.js";
import { searchField } from "../elements/field.js";
import { beginOf, filterCustomer, filterDay, filterSelect, olderNav } from "../elements/filters.js";
import { icon } from "../elements/icon.js";
import { menuButton } from "../elements/menu.js";
import { pageHead } from "../elements/page-head.js";
import { toast } from "../elements/toast.js";
import { differenceDialog } from "./audit/difference-dialog.js";

const KINDS = ["licenses", "logout", "users", "customers", "domains", "agencies", "resources", "provisioning", "invoices", "webhooks", "token", "administrator", "profile"];

class AuditPage extends ListPage {
  path = "/audit";
  #open = null;

  build() {
    const is_everywhere = !session.profile.grant.customers.length && !session.profile.grant.agency;
    this.filters = {
      customer: filterCustomer({ onChange: this.filtered("customer"), all: is_everywhere ? "The deployment" : "" }),
      action: filterSelect({ label: "Action", options: [["", "All actions"], ...KINDS.map((kind) => [kind, words(kind)])], onChange: this.filtered("action") }),
      actor: searchField({ label: "Who", placeholder: "Who (exact name)", onSearch: this.filtered("actor") }),
      target: searchField({ label: "What", placeholder: "What (exact name)", onSearch: this.filtered("target") }),
      from: filterDay({ label: "From", onChange: this.filtered("from") }),
      to: filterDay({ label: "To", onChange: this.filtered("to") }),
    };
    this.table = dataTable({
      label: "Audit trail",
      columns: [
        { key: "at", label: "When (UTC)", class: "nowrap", render: ({ at }) => momentCell(at) },
        { key: "by", label: "Who", render: ({ by }) => h("span", { class: "two-lines" }, h("span", {}, by.name), h("small", { class: "muted" }, [by.role, by.address].filter(Boolean).join(" · "))) },
        { key: "action", label: "Action", class: "nowrap", render: ({ action }) => h("code", {}, action) },
        { key: "target", label: "What", class: "wrap" },
        { key: "changes", label: "Changes", class: "nowrap", value: ({ id }) => id, render: (entry) => this.#changes(entry) },
      ],
      rowKey: (entry) => entry.id,
      empty: () => this.#empty(),
    });
    this.older = olderNav({ onOlder: (before) => this.setQuery({ before }), onNewest: () => this.setQuery({ before: "" }) });
    this.older.hidden = true;
    this.chain = h("span", { class: "chain", role: "status" });
    this.verify = h("button", { type: "button", onclick: () => this.#verify() }, icon("shield"), h("span", {}, "Verify the chain"));
    const download = menuButton({ label: "Export", content: [icon("download"), h("span", {}, "Export")], items: () => ["csv", "json"].map((format) => ({ text: format.toUpperCase(), onclick: () => this.#export(format) })) });
    const { customer, action, actor, target, from, to } = this.filters;
    this.append(
      pageHead({ title: "Audit", about: "Every change is written together with its entry, or not at all; each entry is chained to those before it.", live: this.chain, actions: [this.verify, download] }),
      h("div", { class: "toolbar" }, customer, action, actor, target, from, to),
      this.table,
      this.older,
    );
  }

  get wanted() {
    const { page, from, to, ...query } = super.wanted;
    return { ...query, from: beginOf(from), to: beginOf(to, 1) };
  }

  listing(answer) {
    this.older.show(this.query.get("before"), answer.next);
    return { items: answer.items };
  }

  async show() {
    const whose = this.customer;
    if (whose !== this.shown_for) this.chain.replaceChildren();
    this.shown_for = whose;
    await super.show();
    await this.#showDifference(this.query.get("entry"));
  }

  #changes(entry) {
    const label = entry.changes.length ? "View difference" : "View details";
    return h("button", { type: "button", class: "link", "aria-label": `${label}: ${entry.action} ${entry.target}`, onclick: () => this.setQuery({ entry: entry.id }) }, label);
  }

  /** The dialog is part of the address. */
  async #showDifference(id) {
    if (this.#open?.id === id) return;
    this.#open?.dialog?.close();
    this.#open = null;
    if (!id) return;
    const mine = { id };
    this.#open = mine;
    const entry = this.table.items.find((one) => one.id === id) ?? (await this.#found(id));
    if (this.#open !== mine) return;
    if (!entry) return this.setQuery({ entry: "" }, { replace: true });
    mine.dialog = differenceDialog(entry);
    mine.dialog.closed.then(() => {
      if (this.#open !== mine) return;
      this.#open = null;
      this.setQuery({ entry: "" });
    });
  }

  /** An entry that is not on this page of the trail; undefined when there is none, or the server does not tell, which is said. */
  async #found(id) {
    const [made, number] = id.split("-");
    try {
      const { items } = await api.get("/audit", { customer: this.customer, before: `${made}-${Number(number) + 1}`, size: 1 }, { signal: this.signal });
      return items.find((one) => one.id === id);
    } catch (error) {
      if (!isAborted(error)) toast(error.message, "bad");
      return undefined;
    }
  }

  #export(format) {
    const { before, size, ...wanted } = this.wanted;
    const link = h("a", { href: address("/audit/export", { ...wanted, format }), download: true });
    this.append(link);
    link.click();
    link.remove();
  }

  /** Follows the whole chain, a part with each call. */
  async #verify() {
    const customer = this.customer;
    let checked = 0;
    let part = { next: "", head: "" };
    this.verify.disabled = true;
    this.chain.replaceChildren(badge("Checking …", "info"));
    try {
      do {
        part = await api.get("/audit/verify", { customer, after: part.next, head: part.head }, { signal: this.signal });
        checked += part.checked;
        if (part.broken || part.changed.length) break;
      } while (part.next !== null);
      this.chain.replaceChildren(verdict(part, checked));
    } catch (error) {
      this.chain.replaceChildren();
      if (!this.signal.aborted) toast(error.message, "bad");
    } finally {
      this.verify.disabled = false;
    }
  }

  #empty() {
    const is_filtered = Object.keys(this.filters).some((name) => name !== "customer" && this.query?.get(name));
    if (is_filtered && !this.older.hidden) return { symbol: "search", title: "Nothing in this part of the trail", text: "There are older entries." };
    return is_filtered ? { symbol: "search", title: "No such entry" } : { symbol: "scroll", title: "Nothing was changed yet" };
  }

  leave() {
    super.leave();
    const open = this.#open;
    this.#open = null;
    open?.dialog?.close();
  }
}

function verdict({ broken, changed }, checked) {
  if (broken) return badge(`The chain is broken at ${broken}`, "bad");
  if (changed.length) return badge(`Statements are not as they were issued: ${changed.join(", ")}`, "bad");
  return badge(`Chain verified: ${counted(checked, "entry", "entries")}`, "good");
}

define("audit-page", AuditPage);

export default AuditPage;
