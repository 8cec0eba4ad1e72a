// Rows of a few fields each, in a form: they are added and taken away.

import { h } from "../core/dom.js";
import { field } from "./field.js";
import { icon } from "./icon.js";

/**
 * `{what, columns, rows, most}`. `columns`: `{key, label, ...as of a field}`; `what`: what a row is, for its name. `value`: the rows as
 * they are now, without spaces around; those with nothing in them are left out.
 */
export function rowsEditor({ what, columns, rows, most = 100 }) {
  const list = h("div", { class: "editor-rows" });
  const made = [];
  const add_button = h("button", { type: "button", onclick: () => add({}).querySelector("input").focus() }, icon("plus"), `Add ${what}`);
  const add = (row) => {
    const fields = columns.map(({ key, label, ...rest }) => [key, field({ label, value: row[key] ?? "", autocomplete: "off", ...rest })]);
    const remove = h("button", { type: "button", class: "icon-button", "aria-label": `Remove this ${what}`, title: "Remove", onclick: () => gone(entry) }, icon("trash"));
    const element = h("fieldset", { class: "editor-row" }, h("legend", { class: "visually-hidden" }, what), fields.map(([, one]) => one), remove);
    const entry = { fields, element };
    made.push(entry);
    list.append(element);
    told();
    return element;
  };
  const gone = (entry) => {
    made.splice(made.indexOf(entry), 1);
    entry.element.remove();
    told();
    (made.at(-1)?.element.querySelector("input") ?? add_button).focus();
  };
  const none = h("p", { class: "muted" }, `No ${what} yet.`);
  const told = () => {
    none.hidden = made.length > 0;
    add_button.disabled = made.length >= most;
  };
  rows.forEach(add);
  told();
  const editor = h("div", { class: "rows-editor" }, none, list, add_button);
  Object.defineProperty(editor, "value", {
    get: () => made.map(({ fields }) => Object.fromEntries(fields.map(([key, one]) => [key, one.value.trim()]))).filter((row) => Object.values(row).some(Boolean)),
  });
  return editor;
}
