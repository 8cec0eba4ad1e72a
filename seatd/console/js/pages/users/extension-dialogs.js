// Provisioning extensions, giving one to a user, and choosing its add-ons.

import { api, freshKey, part } from "../../core/api.js";
import { freshId, h, settled } from "../../core/dom.js";
import { counted } from "../../core/format.js";
import { field } from "../../elements/field.js";
import { formDialog } from "../../elements/form-dialog.js";
import { toast } from "../../elements/toast.js";

const BASE = "phone_system";
const MOST = 1000;

/** Consecutive extensions; null when it was cancelled. */
export function provision(customer) {
  const key = freshKey();
  const [block] = customer.number_blocks;
  const blocks = customer.number_blocks.map(({ first, last }) => `${first}–${last}`).join(", ");
  const start = field({ label: "First extension", inputmode: "numeric", maxlength: 5, required: true, value: block?.first ?? "", hint: blocks ? `Within ${blocks}` : "The customer has no number blocks yet." });
  const count = field({ label: "How many", type: "number", min: 1, max: MOST, value: 1, check: (value) => (value >= 1 && value <= MOST ? "" : `From 1 to ${MOST}.`) });
  const add_ons = addOnFields(customer, []);
  return formDialog({
    title: "Provision extensions",
    text: "Each gets a base license, and the add-ons that you choose.",
    action: "Provision",
    body: [start, count, add_ons.element],
    fields: { start, count, ...add_ons.fields },
    submit: async () => {
      const body = { start: start.value.trim(), count: Number(count.value), add_ons: add_ons.chosen() };
      const { extensions } = await api.post(`/customers/${part(customer.id)}/provision`, body, { key });
      toast(`${counted(extensions.length, "extension")} made.`, "good");
      return extensions;
    },
  });
}

/** The extension with its user and number. */
export function assignUser(customer, one) {
  const list = h("datalist", { id: freshId("users") });
  const user = field({ label: "User", value: one.user, list: list.id, maxlength: 254, autocomplete: "off", spellcheck: "false", hint: "name@domain. Empty: nobody." });
  const number = field({ label: "Number", value: one.number, type: "tel", maxlength: 20, hint: "By which it is reached from outside." });
  const look = settled(async () => {
    const { items } = await api.get(`/customers/${part(customer.id)}/users`, { search: user.value.trim(), size: 20 }).catch(() => ({ items: [] })); // they only help
    list.replaceChildren(...items.filter(({ extension }) => !extension).map((found) => h("option", { value: found.user }, found.name)));
  });
  user.control.addEventListener("input", () => look());
  look();
  return formDialog({
    title: one.user ? `Extension ${one.extension}` : `Assign extension ${one.extension}`,
    text: "Where the licenses that it takes are nominal, the user is given them.",
    action: one.user ? "Save" : "Assign",
    body: [user, list, number],
    fields: { user, number },
    submit: (values) => changed(customer, one, { user: values.user.trim(), number: values.number.trim() }),
  });
}

/** The extension with other add-ons. */
export function manageAddOns(customer, one) {
  const add_ons = addOnFields(customer, one.add_ons);
  return formDialog({
    title: `Add-ons of extension ${one.extension}`,
    text: one.user ? `Its user is ${one.user}.` : "It has no user yet.",
    body: [add_ons.element],
    fields: add_ons.fields,
    submit: () => changed(customer, one, { add_ons: add_ons.chosen() }),
  });
}

async function changed(customer, one, fields) {
  const after = await api.patch(`/customers/${part(customer.id)}/extensions/${part(one.extension)}`, fields);
  toast("Saved.", "good");
  return after;
}

/** A field for each add-on that was bought, or that the extension has: a check mark, or how many devices. */
function addOnFields(customer, has) {
  const bought = customer.products.filter(({ base }) => base === BASE);
  const gone = [...new Set(has)].filter((name) => !bought.some(({ product }) => product === name));
  const offers = [...bought, ...gone.map((product) => ({ product, limit: 0, per_extension: 1 }))];
  const fields = Object.fromEntries(offers.map((offer) => [offer.product, addOnField(offer, has.filter((name) => name === offer.product).length)]));
  const none = h("p", { class: "muted" }, "No add-ons were bought.");
  const element = h("div", { class: "add-on-list", role: "group", "aria-label": "Add-ons" }, offers.length ? Object.values(fields) : none);
  const times = (one) => (one.control.type === "checkbox" ? Number(one.value) : Number(one.value) || 0);
  return { element, fields, chosen: () => Object.entries(fields).flatMap(([name, one]) => Array(times(one)).fill(name)) };
}

function addOnField({ product, limit, per_extension }, count) {
  const hint = `${limit} bought`;
  if (per_extension === 1 && count < 2) return field({ label: product, type: "checkbox", value: count > 0, hint });
  const most = per_extension ?? Math.min(limit, 99);
  const check = (value) => (Number.isInteger(Number(value)) && value >= 0 && value <= Math.max(most, count) ? "" : `From 0 to ${most}.`);
  return field({ label: product, type: "number", min: 0, max: most, value: count, hint: `${hint}; so many devices may be on at once`, check });
}
