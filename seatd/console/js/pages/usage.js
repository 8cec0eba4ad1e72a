// Usage: what was in use and refused, now or by hour, day and month, as a sheet of figures.

import { address, api, isAborted } from "../core/api.js";
import { define, h, settled } from "../core/dom.js";
import { follow, Liveness, poll } from "../core/live.js";
import { Page } from "../core/page.js";
import { session } from "../core/session.js";
import { addressedDialog } from "../elements/addressed-dialog.js";
import { dataSheet } from "../elements/data-sheet.js";
import { dateRange, dayOf, isRange, later } from "../elements/date-range.js";
import { icon } from "../elements/icon.js";
import { liveBadge } from "../elements/live-badge.js";
import { pageHead } from "../elements/page-head.js";
import { pager } from "../elements/pager.js";
import { segments } from "../elements/segments.js";
import { keyOf, nameOf, usageColumns, when } from "./usage/columns.js";
import { detailsDialog } from "./usage/details-dialog.js";
import { scopeBar, scopeOf } from "./usage/scope-bar.js";

const RESOLUTIONS = [["live", "Live"], ["hour", "Hours"], ["day", "Days"], ["month", "Months"]];
const EVERY_S = { live: 2, hour: 15, day: 15, month: 30 };
const MEANWHILE_S = 10;
const USUAL_DAYS = { hour: 1, day: 30, month: 365 };
const SIZE = 100;

class UsagePage extends Page {
  #asked = new AbortController();
  #details = addressedDialog(
    (key) => {
      const row = this.sheet.rows.find((one) => keyOf(one) === key);
      return row ? detailsDialog(row) : null;
    },
    () => this.setQuery({ details: "" }),
  );
  #wanted = null;

  build() {
    this.liveness = new Liveness();
    this.resolution = segments({ label: "Resolution", options: RESOLUTIONS, onChoose: (resolution) => this.setQuery({ resolution: resolution === "live" ? "" : resolution, page: "", from: "", to: "", details: "" }) });
    this.scope = scopeBar({ signal: this.signal, onChange: (changes) => this.setQuery({ ...changes, page: "", details: "" }) });
    this.range = dateRange({ onChange: ({ from, to }) => this.setQuery({ from, to, page: "", details: "" }) });
    this.export = h("a", { class: "button", download: "" }, icon("download"), h("span", {}, "Export CSV"));
    this.sheet = dataSheet({
      label: "Usage",
      columns: [],
      rowKey: keyOf,
      name: (row) => `${nameOf(row)}, ${when(row, this.#wanted.resolution)}`,
      empty: { symbol: "bars", title: "Nothing was ever in use", text: "What somebody has had a seat of stands here from then on." },
      action: "Details",
      onOpen: (row) => this.setQuery({ details: keyOf(row) }),
    });
    this.pages = h("div", { class: "table-foot" });
    this.append(
      pageHead({ title: "Usage", live: liveBadge(this.liveness, this.signal), actions: [this.export] }),
      h("div", { class: "toolbar" }, this.resolution, this.scope, this.range),
      h("div", { class: "sheet-card" }, this.sheet, this.pages),
    );
  }

  async show(query) {
    const wanted = this.#ask(query);
    const is_other = JSON.stringify(wanted) !== JSON.stringify(this.#wanted);
    this.#wanted = wanted;
    this.#showControls();
    if (is_other) await this.#load();
    else this.#showDetails();
  }

  #ask(query) {
    const given = query.get("resolution");
    const resolution = RESOLUTIONS.some(([name]) => name === given) ? given : "live";
    const today = dayOf(Date.now());
    const usual = resolution === "live" ? {} : { from: later(today, 1 - USUAL_DAYS[resolution]), to: today };
    const range = { from: query.get("from"), to: query.get("to") };
    return {
      resolution,
      ...scopeOf(query),
      ...(resolution !== "live" && isRange(range) ? range : usual),
      page: Number(query.get("page")) || 1,
      size: Number(query.get("size")) || SIZE,
    };
  }

  /** As the API is asked: until before the day after the last one. */
  #query() {
    const { from, to, ...rest } = this.#wanted;
    return from ? { ...rest, from: `${from}T00:00:00Z`, to: `${later(to, 1)}T00:00:00Z` } : rest;
  }

  #showControls() {
    const { resolution, from, to } = this.#wanted;
    this.resolution.show(resolution);
    this.scope.show(this.#wanted);
    this.range.hidden = resolution === "live";
    if (from) this.range.show({ from, to });
    const { page: _page, size: _size, ...whole } = this.#query();
    this.export.href = address("/usage", { ...whole, format: "csv" });
  }

  /** Fetches what the address asks for, and goes on as long as it may change. */
  async #load() {
    this.#asked.abort();
    this.#asked = new AbortController();
    const signal = AbortSignal.any([this.signal, this.#asked.signal]);
    this.sheet.columns = usageColumns(this.#wanted);
    this.sheet.loading();
    try {
      this.#place(await api.get("/usage", this.#query(), { signal }));
      this.liveness.set("live");
      this.#showDetails();
    } catch (error) {
      if (isAborted(error)) return;
      this.pages.replaceChildren();
      this.sheet.fail(error, () => this.#load());
      return;
    }
    this.#watch(signal);
  }

  /** One customer has a stream, which tells at once that figures have changed; for the others they are asked for again and again. */
  #watch(signal) {
    const { resolution, to, customer } = this.#wanted;
    if (to && to < dayOf(Date.now())) return; // what is over does not change
    const look = async (attempt) => this.#place(await api.get("/usage", this.#query(), { signal: attempt, background: true }));
    const one = session.customer || customer;
    if (resolution !== "live" || !one || !session.may("events.read")) {
      poll(look, { every_s: EVERY_S[resolution], liveness: this.liveness, signal });
      return;
    }
    const soon = settled(() => signal.aborted || look(signal).catch((error) => isAborted(error) || this.liveness.set("stale")), 100);
    follow(one, { types: "usage", onEvent: soon, onGap: soon, liveness: this.liveness, signal });
    poll(look, { every_s: MEANWHILE_S, liveness: new Liveness(), signal }); // averages grow without an event
  }

  #place(listing) {
    this.sheet.show(listing.items);
    pager(this.pages, listing, ({ page, size }) => this.setQuery({ page: page === 1 ? "" : page, size: size === SIZE ? "" : size }));
    this.pages.hidden = !listing.total;
  }

  #showDetails() {
    this.#details.show(this.query.get("details"));
  }

  leave() {
    super.leave();
    this.#details.close();
  }
}

define("usage-page", UsagePage);

export default UsagePage;
