// Charts in SVG: lines and bars, as wide as their place. Every chart is also a table, for those who hear it.
//
// Colours are classes (chart-1 to chart-4, chart-past), so both themes have their own.

import { define, h, s } from "../core/dom.js";
import { decimal } from "../core/format.js";

const [TOP, BOTTOM, RIGHT] = [10, 26, 12];
const LETTER = 7.2; // so wide is a figure of 12 px

class FigureChart extends HTMLElement {
  #options = null;
  #width = 0;
  #watching = new ResizeObserver(() => this.#fit());

  /** See `lineChart` and `barChart`. */
  set(options) {
    this.#options = { format: decimal, onChoose: null, height: 220, ...options };
    const { label, points, series, format } = this.#options;
    this.hint = h("div", { class: "chart-hint", hidden: true, "aria-hidden": "true" });
    this.place = h("div", { class: "chart-place" });
    this.replaceChildren(legend(series), this.place, this.hint, table(label, points, series, format));
    this.#draw();
    return this;
  }

  connectedCallback() {
    this.#watching.observe(this);
  }

  disconnectedCallback() {
    this.#watching.disconnect();
  }

  #fit() {
    const width = Math.round(this.clientWidth);
    if (!width || width === this.#width) return;
    this.#width = width;
    this.#draw();
  }

  #draw() {
    const { kind, label, points, series, format, onChoose, height } = this.#options;
    const width = Math.max(220, this.#width || 640);
    const top = nice(Math.max(1, ...series.flatMap(({ values }) => values.map((value) => value ?? 0))));
    const scale = scaleOf({ kind, width, height, top, count: points.length, left: 14 + LETTER * Math.max(...[0, 0.25, 0.5, 0.75, 1].map((share) => format(top * share).length)) });
    const drawn = series.map((one, at) => (kind === "bar" ? bars(one, at, series.length, scale) : line(one, at, scale, points.length)));
    const mark = s("line", { class: "chart-mark", y1: TOP, y2: height - BOTTOM, visibility: "hidden" });
    const picture = s("svg", { class: onChoose ? "chart choosable" : "chart", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label }, grid(top, scale, format), axis(points, scale), mark, drawn);
    picture.addEventListener("pointermove", (event) => this.#point(nearest(event, picture, scale), scale, mark));
    picture.addEventListener("pointerleave", () => this.#point(-1, scale, mark));
    if (onChoose) picture.addEventListener("click", (event) => onChoose(nearest(event, picture, scale)));
    this.place.replaceChildren(picture);
  }

  /** Shows the figures of the point that the mouse is at. */
  #point(at, scale, mark) {
    const { points, series, format } = this.#options;
    this.hint.hidden = at < 0;
    mark.setAttribute("visibility", at < 0 ? "hidden" : "visible");
    if (at < 0) return;
    const x = scale.x(at);
    mark.setAttribute("x1", x);
    mark.setAttribute("x2", x);
    const rows = series.map(({ name, values, past }, number) => (values[at] === null || values[at] === undefined ? null : h("p", {}, h("span", { class: `swatch ${colour(number, past)}` }), `${name} `, h("strong", {}, format(values[at])))));
    this.hint.replaceChildren(h("p", { class: "chart-when" }, points[at]), ...rows.filter(Boolean));
    const left = x > scale.width / 2 ? x - this.hint.offsetWidth - 12 : x + 12;
    this.hint.style.insetInlineStart = `${Math.max(0, left)}px`;
    this.hint.style.insetBlockStart = `${this.place.offsetTop + TOP}px`;
  }
}

define("figure-chart", FigureChart);

function scaleOf({ kind, width, height, top, count, left }) {
  const inner = width - left - RIGHT;
  const is_bar = kind === "bar";
  return {
    width, height, left, count,
    x: (at) => left + ((at + (is_bar ? 0.5 : 0)) * inner) / Math.max(1, count - (is_bar ? 0 : 1)),
    y: (value) => TOP + (1 - value / top) * (height - TOP - BOTTOM),
    band: inner / Math.max(1, count),
  };
}

/** The next number above that a scale can end with. */
export function nice(value) {
  const step = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 2.5, 3, 4, 5, 6, 8, 10].map((times) => times * step).find((top) => top >= value);
}

function grid(top, { left, width, y }, format) {
  const shares = top <= 2 && !String(format(top / 4)).includes(".") ? [0, 0.5, 1] : [0, 0.25, 0.5, 0.75, 1];
  return shares.map((share) => [
    s("line", { class: "chart-grid", x1: left, x2: width - RIGHT, y1: y(top * share), y2: y(top * share) }),
    s("text", { class: "chart-text", x: left - 8, y: y(top * share) + 4, "text-anchor": "end" }, format(top * share)),
  ]);
}

/** As many of the points' texts as there is room for. */
function axis(points, { x, width, height, left }) {
  const longest = Math.max(1, ...points.map((point) => point.length));
  const room = Math.max(1, Math.floor((width - left - RIGHT) / (longest * LETTER + 14)));
  const every = Math.ceil(points.length / room);
  const half = (longest * LETTER) / 2;
  const anchor = (at) => (x(at) < half ? "start" : x(at) + half > width ? "end" : "middle");
  return points.map((point, at) => (at % every ? null : s("text", { class: "chart-text", x: x(at), y: height - 6, "text-anchor": anchor(at) }, point)));
}

function line({ values, past }, number, { x, y }, count) {
  const known = values.map((value, at) => [at, value]).filter(([, value]) => value !== null && value !== undefined);
  const path = known.map(([at, value], place) => `${place ? "L" : "M"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`).join("");
  const area = number === 0 && !past && known.length > 1 ? `${path}L${x(known.at(-1)[0]).toFixed(1)} ${y(0)}L${x(known[0][0]).toFixed(1)} ${y(0)}Z` : "";
  const dots = count > 40 ? [] : known.map(([at, value]) => s("circle", { class: "chart-dot", cx: x(at), cy: y(value), r: past ? 2.2 : 3.2 }));
  return s("g", { class: colour(number, past) }, area ? s("path", { class: "chart-area", d: area }) : null, s("path", { class: "chart-line", d: path }), dots);
}

function bars({ values, past }, number, count, { x, y, band }) {
  const width = Math.min(28, (band * 0.76) / count);
  return s("g", { class: colour(number, past) }, values.map((value, at) => {
    if (!value) return null;
    const left = x(at) - (width * count) / 2 + width * number;
    const gap = Math.min(1, width / 6);
    return s("rect", { class: "chart-bar", x: left + gap, y: y(value), width: width - 2 * gap, height: Math.max(0, y(0) - y(value)), rx: Math.min(3, width / 4) });
  }));
}

/** The point that an event is nearest to. */
function nearest(event, picture, { x, width, count }) {
  const at = picture.getBoundingClientRect();
  const place = ((event.clientX - at.left) / at.width) * width;
  const distances = Array.from({ length: count }, (_, index) => Math.abs(x(index) - place));
  return distances.indexOf(Math.min(...distances));
}

function colour(number, past) {
  return past ? "chart-past" : `chart-${(number % 4) + 1}`;
}

function legend(series) {
  if (series.length < 2) return "";
  return h("ul", { class: "chart-legend", "aria-hidden": "true" }, series.map(({ name, past }, at) => h("li", {}, h("span", { class: `swatch ${colour(at, past)}` }), name)));
}

function table(label, points, series, format) {
  const head = h("tr", {}, h("td"), series.map(({ name }) => h("th", { scope: "col" }, name)));
  const rows = points.map((point, at) => h("tr", {}, h("th", { scope: "row" }, point), series.map(({ values }) => h("td", {}, values[at] === null || values[at] === undefined ? "" : format(values[at])))));
  const whole = h("table", {}, h("caption", {}, label), h("thead", {}, head), h("tbody", {}, rows));
  return h("div", { class: "visually-hidden" }, whole); // a table by itself would be as wide as its words
}

/**
 * `{label, points, series, format, onChoose, height}`: `points` are the texts below (days, say), `series` `{name, values, past}` with
 * a value per point (null: not known; `past`: the week before, drawn in grey). `onChoose(index)`: somebody has clicked on a point.
 */
export function lineChart(options) {
  return document.createElement("figure-chart").set({ ...options, kind: "line" });
}

/** The same with bars. */
export function barChart(options) {
  return document.createElement("figure-chart").set({ ...options, kind: "bar" });
}
