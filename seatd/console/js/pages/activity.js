// Activity: what was in use and refused over some days, as charts, against the same time before.

import { isAborted } from "../core/api.js";
import { define, h } from "../core/dom.js";
import { day } from "../core/format.js";
import { Page } from "../core/page.js";
import { href } from "../core/router.js";
import { session } from "../core/session.js";
import { lineChart, barChart } from "../elements/chart.js";
import { dataTable } from "../elements/data-table.js";
import { dateRange, daysIn, isRange, lastDays, later } from "../elements/date-range.js";
import { emptyState, errorState } from "../elements/message.js";
import { pageHead } from "../elements/page-head.js";
import { segments } from "../elements/segments.js";
import { growthText, stat } from "../elements/stat.js";
import { allUsage, byName, byTime, grown, MEASURES, sum } from "./activity/figures.js";
import { scopeBar, scopeOf } from "./usage/scope-bar.js";

const MOST_HOURLY_DAYS = 20; // twice that many are all hours that are kept
const MOST_DAYS = 400;
const SHOWN = 4;

class ActivityPage extends Page {
  #asked = new AbortController();
  #wanted = null;

  build() {
    this.resolution = segments({ label: "Resolution", options: [["day", "Days"], ["hour", "Hours"]], onChoose: (resolution) => this.setQuery({ resolution: resolution === "day" ? "" : resolution }) });
    this.scope = scopeBar({ signal: this.signal, onChange: (changes) => this.setQuery(changes) });
    this.range = dateRange({ onChange: (range) => this.setQuery(range) });
    this.measure = segments({ label: "Figure", options: Object.entries(MEASURES).map(([name, { text }]) => [name, text]), onChoose: (measure) => this.setQuery({ measure: measure === "seat_hours" ? "" : measure }) });
    this.content = h("div", { class: "activity" });
    const head = pageHead({ title: "Activity", about: "In UTC, against the same number of days before. A peak is the highest of any one row.", crumbs: [["Dashboard", href("/dashboard")]] });
    this.append(head, h("div", { class: "toolbar" }, this.resolution, this.scope, this.range), h("div", { class: "toolbar" }, this.measure), this.content);
  }

  async show(query) {
    const wanted = this.#ask(query);
    const { measure, ...data } = wanted;
    const { measure: _before, ...before } = this.#wanted ?? {};
    const is_other = JSON.stringify(data) !== JSON.stringify(before);
    this.#wanted = wanted;
    this.resolution.show(wanted.resolution);
    this.scope.show(wanted);
    this.range.show(wanted);
    this.measure.show(measure);
    if (is_other) await this.#load();
    else if (this.figures) this.#place();
  }

  #ask(query) {
    const given = { from: query.get("from"), to: query.get("to") };
    const range = isRange(given) && daysIn(given) <= MOST_DAYS ? given : lastDays(7);
    const is_hourly = query.get("resolution") === "hour" && daysIn(range) <= MOST_HOURLY_DAYS;
    const measure = Object.hasOwn(MEASURES, query.get("measure") ?? "") ? query.get("measure") : "seat_hours";
    return { ...range, ...scopeOf(query), resolution: is_hourly ? "hour" : "day", measure };
  }

  async #load() {
    this.#asked.abort();
    this.#asked = new AbortController();
    const signal = AbortSignal.any([this.signal, this.#asked.signal]);
    this.toggleAttribute("data-loading", true);
    if (!this.figures) this.content.replaceChildren(h("div", { class: "card chart-card skeleton", "aria-hidden": "true" }, h("span", { class: "bone" })));
    const { from, to, resolution, by, customer, product } = this.#wanted;
    const before = later(from, -daysIn({ from, to }));
    const query = { resolution, by, customer, product, from: `${before}T00:00:00Z`, to: `${later(to, 1)}T00:00:00Z` };
    try {
      const rows = await allUsage(query, { signal });
      this.figures = { now: rows.filter((row) => day(row.from) >= from), before: rows.filter((row) => day(row.from) < from) };
      this.#place();
    } catch (error) {
      if (isAborted(error)) return;
      this.figures = null;
      this.content.replaceChildren(h("div", { class: "card" }, errorState(error, () => this.#load())));
    } finally {
      if (!signal.aborted) this.removeAttribute("data-loading");
    }
  }

  #place() {
    const { now, before } = this.figures;
    if (!now.length) {
      this.content.replaceChildren(h("div", { class: "card" }, emptyState({ symbol: "activity", title: "Nothing was in use", text: "Choose other days, or another customer." })));
      return;
    }
    const chart = h("section", { class: "card chart-card" }, h("div", { class: "card-head" }, h("h2", {}, `${MEASURES[this.#wanted.measure].text} by ${this.#wanted.by}`)), h("div", { class: "card-body" }, this.#chart()));
    const whole = h("section", { class: "card chart-card" }, h("div", { class: "card-head" }, h("h2", {}, `${MEASURES[this.#wanted.measure].text}, all together`)), h("div", { class: "card-body" }, this.#whole()));
    this.content.replaceChildren(this.#tiles(sum(now), sum(before)), whole, chart, this.#table());
  }

  #tiles(now, before) {
    const days = daysIn(this.#wanted);
    const against = days === 7 ? "the week before" : days === 1 ? "the day before" : `the ${days} days before`;
    return h("div", { class: "stats" }, Object.entries(MEASURES).map(([name, { text, format, is_bad }]) =>
      stat({ label: text, value: format(now[name]), about: growthText(grown(now[name], before[name]), { is_bad, against }) })));
  }

  /** Everything, against the days before. */
  #whole() {
    const { measure } = this.#wanted;
    const [now, before] = [byTime(this.figures.now), byTime(this.figures.before)].map((times) => [...times.entries()].sort().map(([, rows]) => sum(rows)[measure]));
    const times = [...byTime(this.figures.now).keys()].sort();
    return lineChart({
      label: `${MEASURES[measure].text}, against the days before`,
      points: times.map((time) => this.#when(time)),
      series: [{ name: "These days", values: now }, { name: "Before", values: times.map((_, at) => before[at] ?? null), past: true }],
      format: MEASURES[measure].format,
      height: 240,
      onChoose: this.#wanted.resolution === "day" ? (at) => this.#openDay(day(times[at])) : null,
    });
  }

  /** What had the most of it, side by side. */
  #chart() {
    const { by, measure, resolution } = this.#wanted;
    const groups = [...byName(this.figures.now, by)].sort(([, one], [, other]) => sum(other)[measure] - sum(one)[measure]);
    const times = [...byTime(this.figures.now).keys()].sort();
    const series = groups.slice(0, SHOWN).map(([name, rows]) => {
      const found = byTime(rows);
      return { name, values: times.map((time) => sum(found.get(time) ?? [])[measure]) };
    });
    const make = resolution === "day" && times.length <= 31 ? barChart : lineChart;
    const more = groups.length > SHOWN ? h("p", { class: "muted" }, `The ${SHOWN} with the most, of ${groups.length}; the others stand below.`) : null;
    const chart = make({ label: `${MEASURES[measure].text} by ${by}`, points: times.map((time) => this.#when(time)), series, format: MEASURES[measure].format, height: 240, onChoose: resolution === "day" ? (at) => this.#openDay(day(times[at])) : null });
    return [chart, more].filter(Boolean);
  }

  #when(time) {
    return this.#wanted.resolution === "day" ? time.slice(5, 10) : `${time.slice(5, 10)} ${time.slice(11, 16)}`;
  }

  #openDay(at) {
    this.setQuery({ from: at, to: at, resolution: "hour" });
  }

  #table() {
    const { by, measure } = this.#wanted;
    const before = byName(this.figures.before, by);
    const items = [...byName(this.figures.now, by)].map(([name, rows]) => {
      const [now, then] = [sum(rows), sum(before.get(name) ?? [])];
      return { name, ...now, growth: grown(now[measure], then[measure]) };
    }).sort((one, other) => other[measure] - one[measure]);
    const figures = Object.entries(MEASURES).map(([key, { text, format }]) => ({ key, label: text, class: "number", render: (row) => format(row[key]) }));
    const table = dataTable({
      label: `Activity by ${by}`,
      columns: [
        { key: "name", label: by[0].toUpperCase() + by.slice(1), always: true, render: (row) => this.#link(row.name) },
        ...figures,
        { key: "growth", label: `${MEASURES[measure].text} growth`, class: "number", render: (row) => growthText(row.growth, MEASURES[measure]) },
      ],
      rowKey: (row) => row.name,
    });
    table.show({ items, total: items.length });
    return table;
  }

  /** A customer's row leads to its products, a product's to its licenses or domains in usage. */
  #link(name) {
    if (this.#wanted.by !== "customer" || session.customer) return name;
    const { from, to } = this.#wanted;
    return h("a", { href: href(`/activity?${new URLSearchParams({ from, to, by: "product", customer: name })}`) }, name);
  }
}

define("activity-page", ActivityPage);

export default ActivityPage;
