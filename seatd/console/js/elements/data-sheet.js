// A table of figures in which cells are selected as in a spreadsheet: by mouse, with shift, by keyboard.
//
// Arrow keys move, with shift they select; Ctrl+A selects all, Ctrl+Space columns, Shift+Space rows, Ctrl+C copies, Enter
// opens a row. The status line says what the selection comes to.

import { copy } from "../core/clipboard.js";
import { define, h, settled } from "../core/dom.js";
import { counted } from "../core/format.js";
import { icon } from "./icon.js";
import { emptyState, errorState } from "./message.js";
import { button } from "./page-head.js";
import { figuresOf, rectangle, textOf, valuesIn } from "./sheet-range.js";

const FIGURE = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 3 });
const PAGE = 15;
const FROZEN_SHARE = 2 / 3;

class DataSheet extends HTMLElement {
  #options = {};
  #rows = [];
  #cells = []; // per row the elements of its cells
  #anchor = null;
  #focus = null;
  #say = settled((text) => (this.spoken.textContent = text), 400);

  /** See `dataSheet`. */
  set(options) {
    this.#options = options;
    this.#build();
    return this;
  }

  /** Other columns, for what is shown next. Until then nothing can be done with what is there. */
  set columns(columns) {
    this.#options.columns = columns;
    this.#rows = [];
  }

  /** Something is being fetched; what is there stays. */
  loading() {
    this.toggleAttribute("data-loading", true);
    this.shell.setAttribute("aria-busy", "true");
  }

  /** Shows rows. The selection stays when they are the same ones, with other figures perhaps. */
  show(rows) {
    this.removeAttribute("data-loading");
    this.shell.removeAttribute("aria-busy");
    const { rowKey, empty } = this.#options;
    const is_same = rows.length > 0 && rows.length === this.#rows.length && rows.every((row, at) => rowKey(row) === rowKey(this.#rows[at]));
    this.#rows = rows;
    if (is_same) this.#update();
    else this.#place();
    this.#instead(rows.length ? null : emptyState(empty));
  }

  /** Says what went wrong instead. */
  fail(error, onRetry) {
    this.show([]);
    this.#instead(errorState(error, onRetry));
  }

  get rows() {
    return this.#rows;
  }

  // -- making it ---------------------------------------------------------------------------------------

  #build() {
    const { label } = this.#options;
    this.grid = h("table", { role: "grid", "aria-label": label, "aria-multiselectable": "true" });
    this.shell = h("div", { class: "sheet-scroll" }, this.grid);
    this.state = h("div", { class: "table-state", hidden: true });
    this.figures = h("p", { class: "sheet-figures", "aria-hidden": "true" });
    this.spoken = h("p", { class: "visually-hidden", role: "status" });
    const tools = h("div", { class: "sheet-tools" },
      button({ label: "Copy", symbol: icon("copy"), onclick: () => this.copy(false) }),
      button({ label: "Copy with headers", symbol: icon("copy"), onclick: () => this.copy(true) }),
    );
    this.foot = h("div", { class: "sheet-foot" }, this.figures, tools);
    this.replaceChildren(h("div", { class: "table-progress", "aria-hidden": "true" }), this.shell, this.state, this.foot, this.spoken);
    new ResizeObserver(() => this.#freeze()).observe(this.grid);
    this.grid.addEventListener("pointerdown", (event) => this.#pressed(event));
    this.grid.addEventListener("pointerover", (event) => this.#dragged(event));
    this.grid.addEventListener("keydown", (event) => this.#key(event));
    this.#told();
  }

  #place() {
    this.#anchor = this.#focus = null;
    const { columns, action } = this.#options;
    const heads = columns.map((column, at) => h("th", { role: "columnheader", scope: "col", class: column.class, title: column.about ?? null, "data-head": at }, column.label));
    const last = action ? h("th", { role: "columnheader", scope: "col" }, h("span", { class: "visually-hidden" }, action)) : null;
    this.#cells = [];
    const lines = this.#rows.map((row, at) => {
      const cells = columns.map((column, place) => h("td", { role: place ? "gridcell" : "rowheader", class: column.class, tabindex: "-1", "aria-selected": "false", "data-at": `${at} ${place}` }, column.text(row)));
      this.#cells.push(cells);
      const open = action ? h("td", { role: "gridcell", class: "sheet-open" }, h("button", { type: "button", class: "icon-button", tabindex: "-1", "aria-label": `${action}: ${this.#options.name(row)}`, title: action, onclick: () => this.#open(at) }, icon("bars"))) : null;
      return h("tr", { role: "row" }, cells, open);
    });
    this.grid.replaceChildren(h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, heads, last)), h("tbody", { role: "rowgroup" }, lines));
    if (this.#cells[0]) this.#cells[0][0].tabIndex = 0;
    this.#freeze();
    this.#told();
  }

  /** What names a row stays in sight when figures are scrolled to, as long as it leaves room for them. */
  #freeze() {
    const widths = [...this.grid.querySelectorAll("thead .names")].map((head) => head.getBoundingClientRect().width);
    let end = 0;
    let frozen = 0;
    widths.forEach((width, at) => {
      const start = end;
      end += width;
      const fits = end <= FROZEN_SHARE * this.shell.clientWidth;
      this.grid.style.setProperty(`--names-${at + 1}`, fits ? `${start}px` : "auto");
      if (fits) frozen = end;
    });
    this.shell.style.scrollPaddingInlineStart = `${frozen}px`;
  }

  #update() {
    this.#rows.forEach((row, at) => this.#options.columns.forEach((column, place) => {
      const [cell, text] = [this.#cells[at][place], column.text(row)];
      if (cell.textContent !== text) cell.textContent = text;
    }));
    this.#told();
  }

  #instead(node) {
    this.state.hidden = !node;
    this.shell.hidden = this.foot.hidden = Boolean(node);
    this.state.replaceChildren(...(node ? [node] : []));
  }

  // -- selecting ---------------------------------------------------------------------------------------

  #pressed(event) {
    if (event.button !== 0 || event.target.closest("button")) return;
    const head = event.target.closest("[data-head]");
    const cell = event.target.closest("[data-at]");
    if ((!head && !cell) || !this.#rows.length) return;
    if (event.pointerType === "mouse") event.preventDefault(); // no selecting of text; fingers may scroll
    if (head) this.#selectColumn(Number(head.dataset.head), event.shiftKey);
    else this.#select(placeOf(cell), event.shiftKey);
  }

  #dragged(event) {
    const cell = event.target.closest("[data-at]");
    if (cell && this.#rows.length && event.buttons === 1 && event.pointerType === "mouse" && this.#anchor) this.#select(placeOf(cell), true);
  }

  #selectColumn(column, is_more) {
    const from = is_more && this.#anchor ? this.#anchor[1] : column;
    this.#anchor = [0, from];
    this.#select([this.#rows.length - 1, column], true, false);
  }

  /** `is_more`: as far as there, from where it began. */
  #select(place, is_more, scrolls = true) {
    if (!is_more || !this.#anchor) this.#anchor = place;
    this.#focus = place;
    this.#mark();
    const cell = this.#cells[place[0]][place[1]];
    this.grid.querySelector("td[tabindex='0']")?.setAttribute("tabindex", "-1");
    cell.tabIndex = 0;
    cell.focus({ preventScroll: !scrolls });
    this.#told();
  }

  #mark() {
    const area = this.#anchor && rectangle(this.#anchor, this.#focus);
    this.#cells.forEach((cells, row) => cells.forEach((cell, column) => {
      const is_in = Boolean(area) && row >= area.top && row <= area.bottom && column >= area.left && column <= area.right;
      if ((cell.getAttribute("aria-selected") === "true") !== is_in) cell.setAttribute("aria-selected", String(is_in));
    }));
  }

  #key(event) {
    const cell = event.target.closest("[data-at]");
    if (!cell || !this.#rows.length) return;
    const done = this.#keyed(event, placeOf(cell));
    if (done) event.preventDefault();
  }

  #keyed(event, [row, column]) {
    const is_ctrl = event.ctrlKey || event.metaKey;
    const [bottom, right] = [this.#rows.length - 1, this.#options.columns.length - 1];
    const to = moved(event.key, is_ctrl, [row, column], [bottom, right]);
    if (to) {
      if (event.shiftKey && !this.#anchor) this.#anchor = [row, column];
      this.#select(to, event.shiftKey);
    } else if (is_ctrl && event.key.toLowerCase() === "a") this.#all([0, 0], [bottom, right]);
    else if (is_ctrl && event.key.toLowerCase() === "c") this.copy(event.shiftKey);
    else if (is_ctrl && event.key === " ") this.#all([0, column], [bottom, column]);
    else if (event.shiftKey && event.key === " ") this.#all([row, 0], [row, right]);
    else if (event.key === " ") this.#select([row, column], false);
    else if (event.key === "Enter" && this.#options.onOpen) this.#open(row);
    else if (event.key === "Escape" && this.#anchor) this.#none();
    else return false;
    return true;
  }

  #open(at) {
    if (this.#rows[at]) this.#options.onOpen(this.#rows[at]);
  }

  #all(from, to) {
    this.#anchor = from;
    this.#select(to, true, false);
  }

  #none() {
    this.#anchor = this.#focus = null;
    this.#mark();
    this.#told();
  }

  // -- what it comes to ----------------------------------------------------------------------------------

  #values() {
    const whole = [[0, 0], [this.#rows.length - 1, this.#options.columns.length - 1]];
    const area = rectangle(...(this.#anchor ? [this.#anchor, this.#focus] : whole));
    return [area, valuesIn(area, this.#rows, this.#options.columns)];
  }

  #told() {
    for (const tool of this.foot.querySelectorAll("button")) tool.disabled = !this.#anchor;
    if (!this.#anchor) {
      this.figures.replaceChildren(h("span", { class: "muted" }, "Select cells for sum and average."));
      this.#say("");
      return;
    }
    const { cells, count, sum, average, least, most } = figuresOf(this.#values()[1]);
    const known = count ? { Count: count, Sum: sum, Average: average, Min: least, Max: most } : {};
    const pairs = Object.entries(known).map(([name, value]) => h("span", { "data-figure": name.toLowerCase() }, `${name} `, h("strong", {}, FIGURE.format(value))));
    this.figures.replaceChildren(h("span", { class: "muted" }, counted(cells, "cell")), ...pairs);
    this.#say(cells < 2 ? "" : this.figures.textContent && [counted(cells, "cell"), ...Object.entries(known).map(([name, value]) => `${name} ${FIGURE.format(value)}`)].join(", "));
  }

  /** Copies what is selected, with the columns' names when they are wanted. */
  copy(with_headers) {
    if (!this.#anchor || !this.#rows.length) return;
    const [{ left, right }, values] = this.#values();
    const heads = this.#options.columns.slice(left, right + 1).map(({ label }) => label);
    const focused = document.activeElement;
    copy(textOf(with_headers ? [heads, ...values] : values), `${counted(values.length * values[0].length, "cell")} copied`).then(() => focused?.focus?.({ preventScroll: true }));
  }
}

define("data-sheet", DataSheet);

function placeOf(cell) {
  return cell.dataset.at.split(" ").map(Number);
}

/** Where a key leads; null: it is no key that moves. */
function moved(key, is_ctrl, [row, column], [bottom, right]) {
  const inside = (to_row, to_column) => [Math.max(0, Math.min(bottom, to_row)), Math.max(0, Math.min(right, to_column))];
  const far = is_ctrl ? 1e6 : 1;
  switch (key) {
    case "ArrowUp": return inside(row - far, column);
    case "ArrowDown": return inside(row + far, column);
    case "ArrowLeft": return inside(row, column - far);
    case "ArrowRight": return inside(row, column + far);
    case "Home": return inside(is_ctrl ? 0 : row, 0);
    case "End": return inside(is_ctrl ? bottom : row, right);
    case "PageUp": return inside(row - PAGE, column);
    case "PageDown": return inside(row + PAGE, column);
    default: return null;
  }
}

/**
 * `{label, columns, rowKey, name(row), empty, action, onOpen(row)}`. A column is `{key, label, class, about, text(row), value(row)}`:
 * `text` is shown, `value` is reckoned with and copied;
 * the class `names` is for columns, the first ones, that tell what a row is about: they stay when others are scrolled. `action`: the name of the button that opens a row.
 */
export function dataSheet(options) {
  return document.createElement("data-sheet").set(options);
}
