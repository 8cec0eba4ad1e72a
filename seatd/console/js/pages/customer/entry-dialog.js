// An entry of the audit trail, with what it changed: field by field, and as JSON line by line.

import { api, isAborted } from "../../core/api.js";
import { h } from "../../core/dom.js";
import { second } from "../../core/format.js";
import { factList } from "../../elements/card.js";
import { openDialog } from "../../elements/dialog.js";
import { emptyState, errorState } from "../../elements/message.js";
import { lineDifference } from "./line-difference.js";

const SHOWN = 50;

/** Opens it; `{id, close(), closed}`. `entry`: as the page has it, if it has. */
export function entryDialog(id, { customer, entry, signal }) {
  const content = h("div", { class: "entry" }, h("p", { class: "muted" }, "Loading …"));
  const close = h("button", { type: "button", class: "primary", onclick: () => dialog.close(), autofocus: true }, "Close");
  const dialog = openDialog({ title: "Difference", wide: true, body: content, actions: [close] });
  const load = async () => {
    try {
      const found = await one(id, customer, signal);
      content.replaceChildren(...(found ? shown(found) : [emptyState({ symbol: "search", title: "There is no such entry" })]));
    } catch (error) {
      if (!isAborted(error)) content.replaceChildren(errorState(error, load));
    }
  };
  if (entry) content.replaceChildren(...shown(entry));
  else load();
  return { id, close: () => dialog.element.isConnected && dialog.close(), closed: dialog.closed };
}

/** The trail is asked for what comes before the id that follows. */
async function one(id, customer, signal) {
  const [made_ms, place] = id.split("-");
  const following = `${made_ms}-${BigInt(place || 0) + 1n}`;
  const { items } = await api.get("/audit", { customer, before: following, size: 1 }, { signal });
  return items.find((entry) => entry.id === id) ?? null;
}

function shown({ id, at, by, action, target, changes, detail }) {
  const facts = factList([
    ["When", `${second(at)} UTC`],
    ["By", [by.name, by.role && `(${by.role})`, by.address && `from ${by.address}`].filter(Boolean).join(" ")],
    ["Action", h("code", {}, action)],
    ["Of", target],
    ["Entry", h("code", {}, id)],
    ...Object.entries(detail).map(([name, value]) => [name, json(value)]),
  ]);
  const rest = changes.length > SHOWN ? h("p", { class: "muted" }, `and ${changes.length - SHOWN} more changes: the export has all of them.`) : null;
  const none = changes.length ? null : h("p", { class: "muted" }, "No field was changed by it.");
  return [facts, ...changes.slice(0, SHOWN).map(change), rest, none].filter(Boolean);
}

function change({ place, field, before, after, difference }) {
  const name = place === "account" ? field : `${place}: ${field}`;
  const is_deep = [before, after].some((value) => value !== null && typeof value === "object");
  const is_whole = is_deep && difference.every(({ path }) => !path); // a list, or all of a record: its lines say it better
  return h("section", { class: "change" }, h("h3", {}, name), is_whole ? null : fieldTable(name, difference), is_deep ? lines(name, before, after) : null);
}

function fieldTable(name, difference) {
  const row = ({ path, before, after }) =>
    h("tr", {}, h("th", { scope: "row" }, path || "value"), h("td", {}, was(before, "del")), h("td", {}, was(after, "ins")));
  return h("div", { class: "plain-table", tabindex: "0", role: "region", "aria-label": `Fields of ${name}` },
    h("table", {}, h("thead", {}, h("tr", {}, ["Field", "Before", "After"].map((text) => h("th", { scope: "col" }, text)))), h("tbody", {}, difference.map(row))));
}

function was(value, tag) {
  if (value === null) return h("span", { class: "muted" }, "–");
  return h(tag, { class: "value" }, typeof value === "string" ? value : json(value));
}

/** Both as JSON, line by line: what went is red with a minus, what came green with a plus. */
function lines(name, before, after) {
  const texts = [before, after].map((value) => (value === null ? [] : JSON.stringify(value, null, 2).split("\n")));
  const marked = { "-": "del", "+": "ins", " ": "span" };
  const spoken = { "-": "removed: ", "+": "added: ", " ": "" };
  const line = ([mark, text]) => h(marked[mark], { class: "code-line" }, h("span", { class: "mark", "aria-hidden": "true" }, mark), h("span", { class: "visually-hidden" }, spoken[mark]), text);
  return h("div", { class: "json-difference", tabindex: "0", role: "region", "aria-label": `${name} as JSON` }, lineDifference(...texts).map(line));
}

function json(value) {
  return typeof value === "string" ? value : JSON.stringify(value);
}
