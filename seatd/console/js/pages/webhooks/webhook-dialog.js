// Making or changing a webhook.

import { h } from "../../core/dom.js";
import { words } from "../../core/format.js";
import { field } from "../../elements/field.js";
import { formDialog } from "../../elements/form-dialog.js";

const TYPES = {
  denial: "somebody was refused",
  forced_logout: "a session was forced out",
  license_expiring: "a license ends in a day, an hour, five minutes",
  limit_reached: "the last seat of a license was taken",
};

/** What `send(body)` has answered; null when it was cancelled. */
export function webhookDialog({ title, action, row = {}, send }) {
  const url = field({ label: "Address", type: "url", value: row.url ?? "", placeholder: "https://", required: true, hint: "https; what arrives there is signed" });
  const types = Object.entries(TYPES).map(([type, about]) => {
    const box = field({ label: `${words(type)}: ${about}`, type: "checkbox", value: row.types ? row.types.includes(type) : true });
    return Object.assign(box, { type });
  });
  const error = h("p", { class: "field-error", role: "alert", hidden: true }, "Choose at least one.");
  const group = h("fieldset", { class: "grant" }, h("legend", {}, "Sent when"), types, error);
  const chosen = () => types.filter((box) => box.value).map((box) => box.type);
  group.check = () => {
    error.hidden = chosen().length > 0;
    return error.hidden;
  };
  const product = field({ label: "Only this product", value: row.product ?? "", hint: "Empty: all" });
  const license = field({ label: "Only this license", value: row.license ?? "", hint: "Empty: all" });
  const body = () => ({ url: url.value.trim(), types: chosen(), product: product.value.trim(), license: license.value.trim() });
  return formDialog({ title, fields: [url, group, product, license], action, submit: () => send(body()) });
}
