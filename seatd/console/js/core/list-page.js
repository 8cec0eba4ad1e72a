// A page that is one list: what its filters say stands in the address, is fetched when that changes, and is looked at again.
//
//     class QueuePage extends ListPage {
//       path = "/queue";
//       build() { this.filters = { product: filterSelect(...) }; this.table = dataTable(...); ... this.watch(2); }
//     }

import { api, isAborted } from "./api.js";
import { Liveness, poll } from "./live.js";
import { Page } from "./page.js";
import { session } from "./session.js";

export class ListPage extends Page {
  liveness = new Liveness();
  filters = {}; // by the name of the query parameter; each has `show(value)`
  #asked = new AbortController();
  #wanted = null;

  /** Whose list it is; "" when nobody has said so. */
  get customer() {
    return this.query.get("customer") || session.customer;
  }

  /** What is asked for; null: nothing, for something has to be chosen first. */
  get wanted() {
    const query = {};
    for (const name of [...Object.keys(this.filters), "page", "size", "before"]) query[name] = this.query.get(name) ?? "";
    return "customer" in this.filters ? { ...query, customer: this.customer } : query;
  }

  /** Fetches it. */
  ask(wanted, options) {
    return api.get(this.path, wanted, options);
  }

  /** What has come, as the table takes it. */
  listing(answer) {
    return answer;
  }

  /** For a filter: `onChange: this.filtered("state")`. */
  filtered(name) {
    return (value) => this.setQuery({ [name]: value, page: "", before: "" });
  }

  /** For the table's pager. */
  get paged() {
    return ({ page, size }) => this.setQuery({ page: page === 1 ? "" : page, size: size === 50 ? "" : size });
  }

  async show() {
    for (const [name, filter] of Object.entries(this.filters)) filter.show(name === "customer" ? this.customer : (this.query.get(name) ?? ""));
    const wanted = JSON.stringify(this.wanted);
    if (wanted === this.#wanted) return;
    this.#wanted = wanted;
    await this.load();
  }

  /** Fetches what the address asks for, because somebody wants it. */
  async load() {
    this.#asked.abort();
    this.#asked = new AbortController();
    const wanted = this.wanted;
    this.querySelector("live-badge")?.toggleAttribute("hidden", !wanted);
    if (!wanted) return this.table.show(this.listing({ items: [], total: 0 }));
    this.table.loading();
    try {
      const signal = AbortSignal.any([this.signal, this.#asked.signal]);
      this.table.show(this.listing(await this.ask(wanted, { signal })));
      this.liveness.set("live");
    } catch (error) {
      if (!isAborted(error)) this.table.fail(error, () => this.load());
    }
  }

  /** Looks again every so often. */
  watch(every_s) {
    poll((signal) => this.look(signal), { every_s, liveness: this.liveness, signal: this.signal });
  }

  /** Looks again, because time has passed. */
  async look(signal) {
    const wanted = this.wanted;
    const before = this.#wanted;
    if (!wanted || this.table.hasAttribute("data-loading")) return;
    const answer = await this.ask(wanted, { signal, background: true });
    if (before === this.#wanted && !this.table.hasAttribute("data-loading")) this.table.refresh(this.listing(answer));
  }
}
