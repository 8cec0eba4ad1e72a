// A dialog with a form that does something: it stays open until the API has taken what was filled in.

import { h } from "../core/dom.js";
import { openDialog } from "./dialog.js";
import { problemBox } from "./message.js";

/**
 * `{title, text, fields, body, action, danger, wide, submit(values)}`. `fields`: an object of `field(...)`s, or a list of them and of
 * other nodes; `body`: nodes that are put instead of them. What `submit` answers; null when it was cancelled. A refusal stands in the
 * dialog, at the field that the API names.
 */
export async function formDialog({ title, text, fields = {}, body = null, action = "Save", danger = false, wide = false, submit }) {
  const problem = problemBox();
  const cancel = h("button", { type: "button", onclick: () => dialog.close() }, "Cancel");
  const parts = Object.values(fields);
  const is_question = !body && !parts.length;
  const act = h("button", { type: "submit", class: danger ? "danger" : "primary", autofocus: is_question }, action);
  const values = () => Object.fromEntries(Object.entries(fields).map(([name, one]) => [name, one.value]));
  const told = (error) => {
    for (const { path, message } of error.errors ?? []) if (fields[path]) fields[path].error = message;
    problem.show(error);
  };
  const submitted = () => {
    if (act.disabled || !parts.every((one) => one.check?.() ?? true)) return;
    problem.show(null);
    dialog.during(async () => (await submit(values())) ?? true, told);
  };
  const dialog = openDialog({ title, description: text, wide, body: [body ?? parts, problem], actions: [cancel, act], onSubmit: submitted });
  return (await dialog.closed) ?? null;
}
