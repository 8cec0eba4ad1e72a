// Adding a license: paste a key, see what it would change, import it.

import { api, freshKey, isAborted } from "../../core/api.js";
import { h, settled } from "../../core/dom.js";
import { counted, day, number } from "../../core/format.js";
import { badge } from "../../elements/badge.js";
import { openDialog } from "../../elements/dialog.js";
import { field } from "../../elements/field.js";
import { problemBox } from "../../elements/message.js";
import { toast } from "../../elements/toast.js";

const CHANGES = { added: ["New", "good"], replaced: ["Replaced", "warn"], unchanged: ["Unchanged", ""] };
const SERIOUS = new Set(["expired", "holders_above_limit"]);

/** What the API has answered to the import; null when it was cancelled. */
export async function importDialog() {
  const text = field({ label: "License key", type: "textarea", class: "key-text", spellcheck: "false", autocomplete: "off", hint: "Paste all of it. What it changes is shown before anything is done." });
  const problem = problemBox();
  const preview = h("div", { class: "preview", "aria-live": "polite" });
  const add = h("button", { type: "submit", class: "primary", disabled: true }, "Add license");
  const cancel = h("button", { type: "button", onclick: () => dialog.close() }, "Cancel");
  const dialog = openDialog({ title: "Add license", wide: true, body: [text, problem, preview], actions: [cancel, add], onSubmit: () => submit() });
  let asked = new AbortController();

  const told = (error) => {
    text.control.setAttribute("aria-invalid", String(Boolean(error)));
    problem.show(error);
  };
  const look = settled(async () => {
    const key = text.value.trim();
    if (!key || !dialog.element.open) return;
    asked = new AbortController();
    try {
      preview.replaceChildren(...shown(await api.post("/licenses?dry_run=true", { key }, { signal: asked.signal })));
      told(null);
    } catch (error) {
      if (!isAborted(error)) told(error);
    }
  }, 300);
  text.control.addEventListener("input", () => {
    asked.abort();
    add.disabled = !text.value.trim();
    preview.replaceChildren();
    told(null);
    look();
  });

  let repeat = { key: "", id: "" };
  const submit = () => {
    const key = text.value.trim();
    if (!key || add.disabled) return;
    if (repeat.key !== key) repeat = { key, id: freshKey() };
    dialog.during(async () => {
      const done = await api.post("/licenses", { key }, { key: repeat.id });
      toast(said(done), "good");
      return done;
    }, told);
  };
  return (await dialog.closed) ?? null;
}

function said({ status, added, replaced }) {
  if (status === "already_imported") return "This key has been imported before: nothing has changed.";
  const parts = [added.length && `${counted(added.length, "license")} added`, replaced.length && `${counted(replaced.length, "license")} replaced`];
  return parts.filter(Boolean).join(", ") || "Nothing has changed.";
}

/** The answer of a dry run. */
function shown({ status, customer, domains, licenses, notices, affected }) {
  const already = status === "already_imported" ? h("p", {}, badge("Imported before", "info"), " Nothing would change.") : null;
  const facts = h("dl", { class: "facts" }, h("dt", {}, "Customer"), h("dd", {}, customer), h("dt", {}, "Domains"), h("dd", {}, domains.join(", ")));
  return [already, facts, table(licenses), ...told(notices), ...affected.map(whom)].filter(Boolean);
}

function table(licenses) {
  const head = ["License", "Product", "Kind", "Limit", "Valid from", "Valid till", "Change"];
  const row = (one) => {
    const [text, kind] = CHANGES[one.change];
    const cells = [one.product, one.kind, number(one.limit), day(one.valid_from), day(one.valid_till)];
    return h("tr", {}, h("th", { scope: "row" }, one.id), cells.map((cell) => h("td", {}, cell)), h("td", {}, badge(text, kind)));
  };
  return h(
    "div",
    { class: "plain-table", tabindex: "0", role: "region", "aria-label": "Licenses of this key" },
    h("table", {}, h("thead", {}, h("tr", {}, head.map((name) => h("th", { scope: "col" }, name)))), h("tbody", {}, licenses.map(row))),
  );
}

function told(notices) {
  if (!notices.length) return [];
  const line = ({ code, license, message }) => h("li", {}, badge(license, SERIOUS.has(code) ? "bad" : "warn"), h("span", {}, message));
  return [h("ul", { class: "notices", "aria-label": "To be known" }, notices.map(line))];
}

/** Who would lose by it. */
function whom({ license, above_limit, not_covered, domains_lost, assignments_lost }) {
  const group = (title, { number: count, users }) => {
    if (!count) return null;
    const rest = count > users.length && users.length ? ` and ${number(count - users.length)} more` : "";
    return [h("dt", {}, title), h("dd", {}, users.length ? users.join(", ") + rest : counted(count, "user"))];
  };
  return h("section", { class: "affected" }, h("h3", {}, `${license}: who would lose by it`), h("dl", { class: "facts" },
    group("Above the limit", above_limit),
    group("Not covered any more", not_covered),
    group("Assignments lost", assignments_lost),
    domains_lost.length ? [h("dt", {}, "Domains lost"), h("dd", {}, domains_lost.join(", "))] : null,
  ));
}
