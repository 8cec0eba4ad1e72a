// Live sessions: who is signed in, on what, with which seats; and forcing them out.

import { h } from "../core/dom.js";
import { minute } from "../core/format.js";
import { ListPage } from "../core/list-page.js";
import { define } from "../core/dom.js";
import { session } from "../core/session.js";
import { badge } from "../elements/badge.js";
import { customerColumn, deviceCell, sinceCell } from "../elements/cells.js";
import { dataTable } from "../elements/data-table.js";
import { searchField } from "../elements/field.js";
import { filterCustomer, filterSelect } from "../elements/filters.js";
import { forceLogout } from "../elements/force-logout.js";
import { icon } from "../elements/icon.js";
import { liveBadge } from "../elements/live-badge.js";
import { menuButton } from "../elements/menu.js";
import { pageHead } from "../elements/page-head.js";

const EVERY_S = 2;
const STATES = {
  attached: ["Connected", "good", "It has a connection to a node."],
  parked: ["Parked", "warn", "It has lost its connection; its seats are kept for a while."],
  draining: ["Ending", "warn", "It was forced out; its seats are free at the latest when its lease ends."],
  waiting: ["Waiting", "info", "It waits for a seat."],
};
const DEVICES = ["desktop", "web_phone", "mobile", "ip_phone"];

class SessionsPage extends ListPage {
  path = "/sessions";

  build() {
    this.filters = {
      search: searchField({ label: "Search sessions", placeholder: "User, device, node …", onSearch: this.filtered("search") }),
      customer: filterCustomer({ onChange: this.filtered("customer"), all: "All customers" }),
      state: filterSelect({ label: "State", options: [["", "All states"], ...Object.entries(STATES).map(([name, [text]]) => [name, text])], onChange: this.filtered("state") }),
      device: filterSelect({ label: "Device", options: [["", "All devices"], ...DEVICES.map((kind) => [kind, kind.replaceAll("_", " ")])], onChange: this.filtered("device") }),
      domain: { show() {} },
      user: { show() {} },
    };
    this.table = dataTable({
      label: "Sessions",
      columns: this.#columns(),
      rowKey: (row) => row.session,
      remember: "sessions",
      empty: () => this.#empty(),
      onPage: this.paged,
    });
    const { search, customer, state, device } = this.filters;
    this.append(
      pageHead({ title: "Sessions", live: liveBadge(this.liveness, this.signal) }),
      h("div", { class: "toolbar" }, search, customer, state, device, h("span", { class: "end" }, this.table.columnMenu())),
      this.table,
    );
    this.watch(EVERY_S);
  }

  #columns() {
    const end = { key: "end", label: "Force out", always: true, class: "action-cell", value: ({ state }) => state, render: (row) => this.#actions(row) };
    return [
      { key: "user", label: "User", always: true, class: "nowrap" },
      ...customerColumn(),
      { key: "device", label: "Device", render: deviceCell },
      { key: "state", label: "State", value: ({ state, busy, until }) => [state, busy, until], render: stateCell },
      { key: "seats", label: "Seats", render: seatsCell },
      { key: "since", label: "For", class: "nowrap", value: ({ since }) => Math.floor((Date.now() - Date.parse(since)) / 10_000), render: ({ since }) => sinceCell(since) },
      { key: "node", label: "Node", class: "nowrap" },
      { key: "domain", label: "Domain", class: "nowrap", hidden: true },
      { key: "session", label: "Session", class: "nowrap", hidden: true, render: (row) => h("code", {}, row.session) },
      ...(session.may("logout") ? [end] : []),
    ];
  }

  #actions(row) {
    if (row.state === "draining") return "";
    const on = row.device.name || row.device.id;
    const items = () => [
      { text: `Only this device (${on})`, onclick: () => this.#end({ sessions: [row.session] }, row, 1) },
      { text: `${row.user} on all devices`, onclick: () => this.#end({ users: [row.user] }, row, null) },
    ];
    return menuButton({ label: `Force out ${row.user}, ${on}`, content: [icon("logout"), h("span", { class: "wide-only" }, "Force out")], items });
  }

  async #end(targets, row, devices) {
    if (await forceLogout(targets, { who: row.user, devices })) this.load();
  }

  #empty() {
    const is_filtered = Object.keys(this.filters).some((name) => this.query?.get(name));
    if (is_filtered) return { symbol: "search", title: "No such session", text: "Nobody who is signed in fits these filters." };
    return { symbol: "users", title: "Nobody is signed in", text: "Who signs in appears here at once." };
  }
}

function stateCell({ state, busy, until }) {
  const [text, kind, title] = STATES[state];
  const ends = until ? h("small", { class: "muted" }, `until ${minute(until).slice(11)}`) : null;
  return h("span", { class: "badges" }, badge(text, kind, { title }), busy ? badge("In a call", "info") : null, ends);
}

function seatsCell({ seats }) {
  if (!seats.length) return h("span", { class: "muted" }, "none");
  return h("span", { class: "badges" }, seats.map(({ product, license, overdraft }) => badge(overdraft ? `${product} (overdraft)` : product, overdraft ? "warn" : "", { title: license })));
}

define("sessions-page", SessionsPage);

export default SessionsPage;
