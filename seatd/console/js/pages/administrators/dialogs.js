// Making an administrator, and changing the grants of one.

import { api, part } from "../../core/api.js";
import { h } from "../../core/dom.js";
import { field } from "../../elements/field.js";
import { formDialog } from "../../elements/form-dialog.js";
import { grantFields } from "../../elements/grant-fields.js";
import { icon } from "../../elements/icon.js";

const SHORTEST = 12;

/** The administrator that was made; null when it was cancelled. */
export function createDialog() {
  const name = field({ label: "Name", hint: "Plain, or like an e-mail address", required: true, autocomplete: "off", spellcheck: "false" });
  const grant = grantFields();
  const password = field({
    label: "Password",
    type: "password",
    autocomplete: "new-password",
    hint: `At least ${SHORTEST} characters. Empty: you get a link that signs in once.`,
    check: (text) => (text && text.length < SHORTEST ? `At least ${SHORTEST} characters are needed.` : ""),
  });
  const must_totp = field({ label: "A one-time code must be set up before anything else", type: "checkbox" });
  return formDialog({
    title: "Add administrator",
    fields: [name, grant, password, must_totp],
    action: "Add administrator",
    submit: () => api.post("/administrators", { name: name.value.trim(), grants: [grant.value], password: password.value, must_totp: must_totp.value }),
  });
}

/** The administrator with other grants; null when it was cancelled. */
export function grantsDialog(row) {
  const list = h("div", { class: "grants" });
  const place = (grant) => {
    const fields = grantFields(grant);
    const remove = h("button", { type: "button", class: "link", onclick: () => (card.remove(), number()) }, "Remove this grant");
    const card = h("div", { class: "grant-card" }, fields, remove);
    card.fields = fields;
    list.append(card);
    number();
  };
  const number = () => {
    const cards = [...list.children];
    cards.forEach((card, at) => {
      card.fields.querySelector("legend").textContent = `Grant ${at + 1}`;
      card.lastChild.hidden = cards.length < 2;
    });
  };
  row.grants.forEach(place);
  const add = h("button", { type: "button", onclick: () => place({ role: "auditor" }) }, icon("plus"), "Another grant");
  const body = h("div", { class: "grants-body" }, list, add);
  body.check = () => [...list.children].every((card) => card.fields.check());
  return formDialog({
    title: `Grants of ${row.name}`,
    text: "Somebody may have several, acts with one of them, and switches. All sessions end when they change.",
    fields: [body],
    action: "Save",
    submit: () => api.patch(`/administrators/${part(row.name)}`, { grants: [...list.children].map((card) => card.fields.value) }),
  });
}
