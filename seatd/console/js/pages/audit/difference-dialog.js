// One entry of the audit trail: what was, what is, and as JSON all that stands in it.

import { copy } from "../../core/clipboard.js";
import { h } from "../../core/dom.js";
import { second } from "../../core/format.js";
import { openDialog } from "../../elements/dialog.js";
import { icon } from "../../elements/icon.js";
import { tabSet } from "../../elements/tabs.js";

/** Opens it; `{close(), closed}`. */
export function differenceDialog(entry) {
  const tabs = tabSet({
    label: "Entry",
    tabs: [
      { name: "difference", text: "Difference", build: () => difference(entry) },
      { name: "json", text: "JSON", build: () => whole(entry) },
    ],
  });
  const dialog = openDialog({ title: entry.action, description: `${second(entry.at)} UTC · ${entry.by.name}${entry.target ? ` · ${entry.target}` : ""}`, wide: true, body: tabs });
  return { close: () => dialog.element.isConnected && dialog.close(), closed: dialog.closed };
}

function difference({ changes, detail }) {
  const found = changes.map((change) => {
    const rows = (change.difference.length ? change.difference : [{ path: "", before: change.before, after: change.after }]).flatMap(fields);
    return h("section", { class: "difference" }, h("h3", {}, `${change.place} `, h("code", {}, change.field)), table(change, rows));
  });
  const facts = Object.entries(detail);
  const details = facts.length ? h("section", { class: "difference" }, h("h3", {}, "Detail"), h("dl", { class: "facts" }, facts.map(([name, value]) => [h("dt", {}, name), h("dd", {}, text(value))]))) : null;
  if (!found.length && !details) return h("p", { class: "muted" }, "It changed no record.");
  return [...found, details].filter(Boolean);
}

/** What is new or gone as a whole, field by field. */
function fields(row) {
  const sides = [row.before, row.after].filter((side) => side !== null && side !== undefined);
  if (row.path || sides.length !== 1 || typeof sides[0] !== "object" || Array.isArray(sides[0])) return [row];
  return Object.keys(sides[0]).map((path) => ({ path, before: row.before?.[path], after: row.after?.[path] }));
}

function table({ place, field }, rows) {
  const side = (value, kind) => h("td", {}, value === null || value === undefined ? h("span", { class: "muted" }, "nothing") : h("code", { class: kind }, text(value)));
  const row = ({ path, before, after }) => h("tr", {}, h("th", { scope: "row" }, path || "all of it"), side(before, "was"), side(after, "is"));
  return h(
    "div",
    { class: "plain-table", tabindex: "0", role: "region", "aria-label": `Difference of ${place} ${field}` },
    h("table", {}, h("thead", {}, h("tr", {}, ["Field", "Before", "After"].map((name) => h("th", { scope: "col" }, name)))), h("tbody", {}, rows.map(row))),
  );
}

function whole(entry) {
  const shown = JSON.stringify(entry, null, 2);
  const copied = h("button", { type: "button", onclick: () => copy(shown) }, icon("copy"), "Copy");
  return [h("div", { class: "form-actions" }, copied), h("pre", { class: "json", tabindex: "0", role: "region", "aria-label": "JSON" }, shown)];
}

function text(value) {
  return typeof value === "string" ? value : JSON.stringify(value);
}
