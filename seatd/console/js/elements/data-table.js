// The table of every list: sorting, pages, column choice, loading, empty and error states.
//
// What changes while somebody looks is changed in place. Rows come, go and change places only when neither the mouse nor
// the keyboard is in the table; until then it says that there is something new.

import { define, freshId, h } from "../core/dom.js";
import { counted } from "../core/format.js";
import { recall, remember } from "../core/theme.js";
import { icon } from "./icon.js";
import { menuButton } from "./menu.js";
import { emptyState, errorState } from "./message.js";
import { pager } from "./pager.js";

class DataTable extends HTMLElement {
  #options = {};
  #rows = new Map(); // key -> { row, element, cells: Map(column key -> { cell, value }) }
  #listing = null;
  #sort = "";
  #held_back = null;
  #hidden = new Set();

  /** See `dataTable`. */
  set(options) {
    this.#options = { size: 50, onSort: null, onPage: null, empty: { title: "Nothing here" }, ...options };
    this.#hidden = this.#remembered();
    this.#build();
    return this;
  }

  /** What the rows are sorted by: "used", "-used". */
  set sort(text) {
    this.#sort = text;
    this.#showSort();
  }

  /** Something is being fetched; what is there stays. */
  loading() {
    this.toggleAttribute("data-loading", true);
    this.shell.setAttribute("aria-busy", "true");
    if (!this.#listing) this.#skeleton();
  }

  /** Shows `{items, page, size, total}`, at once. `fresh`: keys of rows to be pointed out. */
  show(listing, fresh = new Set()) {
    this.#idle();
    this.#held_back = null;
    this.#place(listing, fresh);
  }

  /** The same while somebody looks: figures at once, the order when nobody is in the way. */
  refresh(listing) {
    this.#idle();
    const is_same = this.#listing && sameKeys(listing.items, this.#listing.items, this.#options.rowKey);
    if (is_same || !this.#isInUse()) return this.#place(listing, new Set());
    for (const row of listing.items) this.#update(row);
    this.#held_back = listing;
    return this.#showNews();
  }

  /** Says what went wrong instead of the rows; `onRetry` tries again. */
  fail(error, onRetry) {
    this.#idle();
    this.#listing = null;
    this.#rows.clear();
    this.body.replaceChildren();
    this.#instead(errorState(error, onRetry));
    this.#foot(null);
  }

  /** Changes one row that is there. */
  update(row) {
    this.#update(row);
  }

  /** The rows that are shown. */
  get items() {
    return this.#listing?.items ?? [];
  }

  /** The element of a row, by its key. */
  rowElement(key) {
    return this.#rows.get(key)?.element ?? null;
  }

  /** A menu to choose columns with, to be put beside the table's other controls. */
  columnMenu() {
    const items = () => [
      { heading: "Columns" },
      ...this.#options.columns.filter((column) => !column.always).map((column) => ({
        text: column.label,
        checked: !this.#hidden.has(column.key),
        keep: true,
        onclick: () => this.#toggle(column.key),
      })),
    ];
    return menuButton({ label: "Columns", content: [icon("columns"), h("span", { class: "wide-only" }, "Columns")], items, keep: true });
  }

  // -- making it ---------------------------------------------------------------------------------------

  #build() {
    const { label } = this.#options;
    const caption = h("caption", { class: "visually-hidden" }, label);
    this.head = h("thead", { role: "rowgroup" });
    this.body = h("tbody", { role: "rowgroup" });
    const table = h("table", { role: "table" }, caption, this.head, this.body);
    this.shell = h("div", { class: "table-scroll", tabindex: "0", role: "region", "aria-label": label }, table);
    this.notice = h("div", { class: "table-news", role: "status", hidden: true });
    this.state = h("div", { class: "table-state", hidden: true });
    this.footer = h("div", { class: "table-foot" });
    this.replaceChildren(h("div", { class: "table-progress", "aria-hidden": "true" }), this.#sortChoice(), this.notice, this.shell, this.state, this.footer);
    this.#buildHead();
    this.addEventListener("pointerleave", () => this.#release());
    this.addEventListener("focusout", () => setTimeout(() => this.#release()));
  }

  #buildHead() {
    const cells = this.#columns().map((column) => {
      const cell = h("th", { role: "columnheader", scope: "col", class: column.class, "data-key": sortOf(column) });
      if (!column.sort) cell.append(column.label);
      else cell.append(h("button", { type: "button", class: "sort", onclick: () => this.#sorted(sortOf(column)) }, column.label, icon("arrow_down")));
      return cell;
    });
    this.head.replaceChildren(h("tr", { role: "row" }, cells));
    this.#showSort();
  }

  /** Where rows are cards there is no head to click on. */
  #sortChoice() {
    const sortable = this.#options.columns.filter((column) => column.sort);
    if (!sortable.length || !this.#options.onSort) return "";
    const id = freshId("sort");
    const choices = sortable.flatMap((column) => [
      h("option", { value: sortOf(column) }, `${column.label}, ascending`),
      h("option", { value: `-${sortOf(column)}` }, `${column.label}, descending`),
    ]);
    this.choice = h("select", { id, onchange: () => this.#options.onSort(this.choice.value) }, choices);
    return h("div", { class: "narrow-sort" }, h("label", { for: id }, "Sort by"), this.choice);
  }

  #columns() {
    return this.#options.columns.filter((column) => !this.#hidden.has(column.key));
  }

  #showSort() {
    const field = this.#sort.replace(/^-/, "");
    for (const cell of this.head?.querySelectorAll("th") ?? []) {
      const is_it = cell.dataset.key === field;
      if (is_it) cell.setAttribute("aria-sort", this.#sort.startsWith("-") ? "descending" : "ascending");
      else cell.removeAttribute("aria-sort");
    }
    if (this.choice) this.choice.value = this.#sort;
  }

  #sorted(key) {
    this.#options.onSort?.(this.#sort === key ? `-${key}` : key);
  }

  #remembered() {
    const hidden = this.#options.columns.filter((column) => column.hidden).map((column) => column.key);
    const kept = this.#options.remember ? recall(`seatd.columns.${this.#options.remember}`) : null;
    return new Set(kept === null ? hidden : kept.split(",").filter(Boolean));
  }

  #toggle(key) {
    if (!this.#hidden.delete(key)) this.#hidden.add(key);
    if (this.#options.remember) remember(`seatd.columns.${this.#options.remember}`, [...this.#hidden].join(","));
    this.#rows.clear();
    this.body.replaceChildren();
    this.#buildHead();
    if (this.#listing) this.#place(this.#listing, new Set());
  }

  // -- rows --------------------------------------------------------------------------------------------

  #place(listing, fresh) {
    const keys = new Set(listing.items.map(this.#options.rowKey));
    for (const [key, { element }] of this.#rows) {
      if (!keys.has(key)) {
        element.remove();
        this.#rows.delete(key);
      }
    }
    this.body.querySelectorAll(".skeleton").forEach((row) => row.remove());
    listing.items.forEach((row, at) => {
      const element = this.#update(row) ?? this.#add(row);
      element.classList.toggle("fresh", fresh.has(this.#options.rowKey(row)));
      if (this.body.children[at] !== element) this.body.insertBefore(element, this.body.children[at] ?? null);
    });
    this.#listing = listing;
    this.#showNews();
    if (listing.items.length) this.#instead(null);
    else this.#instead(emptyState(typeof this.#options.empty === "function" ? this.#options.empty() : this.#options.empty));
    this.#foot(listing);
  }

  #add(row) {
    const element = h("tr", { role: "row" });
    const cells = new Map();
    this.#columns().forEach((column, at) => {
      const [tag, role] = at === 0 ? ["th", "rowheader"] : ["td", "cell"];
      const cell = h(tag, { role, scope: at === 0 ? "row" : null, class: column.class, "data-label": column.label });
      cell.append(...content(column, row));
      cells.set(column.key, { cell, value: valueOf(column, row) });
      element.append(cell);
    });
    this.#rows.set(this.#options.rowKey(row), { row, element, cells });
    this.#options.onRow?.(element, row);
    return element;
  }

  /** The element of a row that is there, brought up to date; null for another. */
  #update(row) {
    const known = this.#rows.get(this.#options.rowKey(row));
    if (!known) return null;
    known.row = row;
    for (const column of this.#columns()) {
      const kept = known.cells.get(column.key);
      const value = valueOf(column, row);
      if (kept.value === value) continue;
      kept.value = value;
      if (column.update?.(kept.cell, row)) continue;
      kept.cell.replaceChildren(...content(column, row));
    }
    this.#options.onRow?.(known.element, row);
    return known.element;
  }

  // -- what happens while somebody looks ----------------------------------------------------------------

  #isInUse() {
    const focused = document.activeElement;
    return this.matches(":hover") || (this.contains(focused) && focused !== this.shell && !this.footer.contains(focused));
  }

  #release() {
    if (!this.#held_back || this.#isInUse()) return;
    const listing = this.#held_back;
    this.#held_back = null;
    this.#place(listing, new Set());
  }

  #showNews() {
    this.notice.hidden = !this.#held_back;
    if (!this.#held_back) return this.notice.replaceChildren();
    const show = () => {
      const listing = this.#held_back;
      this.#held_back = null;
      this.#place(listing, new Set());
      this.shell.focus();
    };
    return this.notice.replaceChildren("The list has changed.", h("button", { type: "button", class: "link", onclick: show }, "Show"));
  }

  #idle() {
    this.removeAttribute("data-loading");
    this.shell.removeAttribute("aria-busy");
  }

  #instead(node) {
    this.state.hidden = !node;
    this.shell.hidden = Boolean(node);
    this.state.replaceChildren(...(node ? [node] : []));
  }

  #skeleton() {
    this.#instead(null);
    const row = () => h("tr", { class: "skeleton", "aria-hidden": "true" }, this.#columns().map(() => h("td", {}, h("span", { class: "bone" }))));
    this.body.replaceChildren(...Array.from({ length: 8 }, row));
  }

  #foot(listing) {
    if (!listing?.total) return this.footer.replaceChildren();
    if (listing.page === undefined || !this.#options.onPage) {
      return this.footer.replaceChildren(h("span", { class: "muted" }, counted(listing.total ?? listing.items.length, "row")));
    }
    return pager(this.footer, listing, this.#options.onPage);
  }
}

define("data-table", DataTable);

/** By what the API sorts a column. */
function sortOf(column) {
  return typeof column.sort === "string" ? column.sort : column.key;
}

function valueOf(column, row) {
  return JSON.stringify(column.value ? column.value(row) : row[column.key]) ?? "null";
}

function content(column, row) {
  const shown = column.render ? column.render(row) : row[column.key];
  return [shown].flat(Infinity).filter((piece) => piece !== null && piece !== undefined && piece !== "").map((piece) => (piece instanceof Node ? piece : String(piece)));
}

function sameKeys(some, others, key) {
  return some.length === others.length && some.every((row, at) => key(row) === key(others[at]));
}

/**
 * A table: `{label, columns, rowKey, empty, remember, onSort(sort), onPage({page, size}), onRow(element, row)}`.
 *
 * A column is `{key, label, sort, class, render(row), value(row), update(cell, row), always, hidden}`: `sort` is true, or by what the
 * API sorts it; `render` answers nodes or texts; `value` is what it depends on (by itself `row[key]`); `update` changes a cell in place and answers true;
 * `always`: it cannot be hidden; `hidden`: it is, until it is chosen. `remember`: the name under which the choice is kept.
 * `class`: "number" for figures, "nowrap", "wrap".
 */
export function dataTable(options) {
  return document.createElement("data-table").set(options);
}
