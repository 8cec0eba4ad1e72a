// Who was refused a seat, and why; and how much of it was healed within seconds.

import { address, isAborted } from "../core/api.js";
import { define, h } from "../core/dom.js";
import { everything } from "../core/everything.js";
import { number, words } from "../core/format.js";
import { ListPage } from "../core/list-page.js";
import { session } from "../core/session.js";
import { badge } from "../elements/badge.js";
import { momentCell } from "../elements/cells.js";
import { dataTable } from "../elements/data-table.js";
import { searchField } from "../elements/field.js";
import { beginOf, customerWanted, filterCustomer, filterDay, filterSelect, olderNav } from "../elements/filters.js";
import { icon } from "../elements/icon.js";
import { liveBadge } from "../elements/live-badge.js";
import { pageHead } from "../elements/page-head.js";

const EVERY_S = 3;
const FOR_WANT_OF_A_SEAT = new Set(["no_seat", "queue_full", "wait_timeout"]);
const CODES = {
  no_seat: "All seats are taken",
  queue_full: "All seats are taken, and so are the places in the queue",
  wait_timeout: "The wait is over, and no seat came free",
  not_licensed: "The customer has no license for the product",
  not_assigned: "The license is not assigned to this user",
  not_entitled: "The token does not allow the product",
  license_expired: "The license has ended",
  license_not_yet_valid: "The license has not begun",
  base_missing: "An add-on without its base license",
  device_not_allowed: "The product is not for this kind of device",
  cooldown: "The user was forced out a short while ago",
  suspended: "The customer is suspended",
  unavailable: "The store was away",
  recovering: "The store was recovering",
  overloaded: "The server took no more for the moment",
};

class DenialsPage extends ListPage {
  path = "/denials";

  build() {
    this.filters = {
      customer: filterCustomer({ onChange: this.filtered("customer") }),
      code: filterSelect({ label: "Code", options: [["", "All codes"], ...Object.keys(CODES).map((code) => [code, words(code)])], onChange: this.filtered("code") }),
      user: searchField({ label: "User", placeholder: "User (name@domain)", onSearch: this.filtered("user") }),
      from: filterDay({ label: "From", onChange: this.filtered("from") }),
      to: filterDay({ label: "To", onChange: this.filtered("to") }),
      product: { show() {} },
      license: { show() {} },
    };
    if (!session.may("events.read")) this.filters.user.hidden = true; // who may see no people cannot look for one
    this.table = dataTable({
      label: "Denials",
      columns: [
        { key: "at", label: "When (UTC)", class: "nowrap", render: ({ at }) => momentCell(at) },
        { key: "code", label: "Why", class: "nowrap", render: codeCell },
        { key: "product", label: "Product", class: "nowrap" },
        { key: "user", label: "User", class: "nowrap" },
        { key: "times", label: "Times", class: "number", render: ({ times }) => number(times) },
        { key: "license", label: "License", class: "nowrap" },
        { key: "domain", label: "Domain", class: "nowrap" },
      ],
      rowKey: (row) => row.seq,
      empty: () => this.#empty(),
    });
    this.older = olderNav({ onOlder: (before) => this.setQuery({ before }), onNewest: () => this.setQuery({ before: "" }) });
    this.older.hidden = true;
    this.figures = h("div", { class: "figures", hidden: true });
    this.download = h("a", { class: "button", download: true }, icon("download"), h("span", {}, "CSV"));
    const { customer, code, user, from, to } = this.filters;
    this.append(
      pageHead({ title: "Denials", live: liveBadge(this.liveness, this.signal), actions: [this.download] }),
      this.figures,
      h("div", { class: "toolbar" }, customer, code, user, from, to),
      this.table,
      this.older,
    );
    this.watch(EVERY_S);
  }

  get wanted() {
    const { page, to, from, ...query } = super.wanted;
    return query.customer ? { ...query, from: beginOf(from), to: beginOf(to, 1) } : null;
  }

  listing(answer) {
    this.older.show(this.query.get("before"), answer.next);
    const wanted = this.wanted;
    this.download.hidden = !wanted;
    if (wanted) this.download.href = address("/denials", { ...wanted, before: "", format: "csv" });
    return answer;
  }

  async ask(wanted, options) {
    const [answer] = await Promise.all([super.ask(wanted, options), this.#day(wanted, options)]);
    return answer;
  }

  /**
   * The last 24 hours in figures: what was healed within five seconds hurt nobody. By itself the API tells of the customer, or of the
   * domains that somebody has a right to. The list is there without them, too.
   */
  async #day({ customer }, options) {
    try {
      const { items, total } = await everything("/usage", { resolution: "hour", customer }, options);
      this.figures.replaceChildren(...figures(items));
      this.figures.hidden = items.length < total;
    } catch (error) {
      if (isAborted(error)) throw error;
      this.figures.hidden = true;
      if (error.status === 401 || error.code === "offline") throw error;
    }
  }

  #empty() {
    if (!this.wanted) return customerWanted(this.filters.customer);
    if (this.query.get("code") || this.query.get("user") || this.query.get("from") || this.query.get("to")) return { symbol: "search", title: "No such denial" };
    return { symbol: "check", title: "Nobody was refused" };
  }
}

function figures(rows) {
  const sum = (name) => rows.reduce((total, row) => total + row[name], 0);
  const one = (title, value, about, kind) => h("div", { class: `figure ${kind}` }, h("h2", {}, title), h("strong", { class: "live" }, number(value)), h("small", {}, about));
  const true_denials = sum("true_denials");
  return [
    one("Refused", sum("denied"), "in the last 24 hours, for whatever reason", ""),
    one("Healed", sum("healed"), "refused for want of a seat, and granted within 5 seconds", ""),
    one("True denials", true_denials, "there was no seat, and none came within seconds", true_denials ? "bad" : ""),
  ];
}

function codeCell({ code }) {
  return badge(words(code), FOR_WANT_OF_A_SEAT.has(code) ? "bad" : "warn", { title: CODES[code] ?? code });
}

define("denials-page", DenialsPage);

export default DenialsPage;
