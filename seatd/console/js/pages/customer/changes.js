// Changing what is settled with a customer. Each dialog answers the customer as it is then, or null.

import { api, part } from "../../core/api.js";
import { session } from "../../core/session.js";
import { field } from "../../elements/field.js";
import { formDialog } from "../../elements/form-dialog.js";
import { rowsEditor } from "../../elements/rows-editor.js";
import { toast } from "../../elements/toast.js";
import { agencyChoices } from "../customers/agencies.js";

const AMOUNT = /^-?[0-9]{1,12}(\.[0-9]{1,4})?$/;

/** Name and external id; the agency, for who may give the customer to another. */
export async function changeAccount(customer) {
  const fields = {
    name: field({ label: "Name", value: customer.name, maxlength: 200 }),
    external_id: field({ label: "External ID", value: customer.external_id, maxlength: 200, hint: "In the system that orders come from." }),
  };
  if (session.may("customers.move")) {
    const agencies = await agencyChoices();
    if (!agencies) return null;
    fields.agency = agencyField(agencies, customer.agency);
  }
  return formDialog({
    title: "Edit account",
    fields,
    submit: async ({ name, external_id, agency }) => {
      const after = await api.patch(path(customer), changed(customer, { name: name.trim(), external_id: external_id.trim() }));
      const is_moved = agency !== undefined && agency !== customer.agency;
      return saved(is_moved ? await api.put(`${path(customer)}/agency`, { agency }) : after);
    },
  });
}

function agencyField(agencies, value) {
  const given = value && !agencies.some(([id]) => id === value) ? [[value, value]] : [];
  return field({ label: "Agency", type: "select", options: [["", "None"], ...agencies, ...given], value });
}

/** Only what is another: the rest stays as the license key says. */
function changed(customer, fields) {
  return Object.fromEntries(Object.entries(fields).filter(([name, value]) => value !== customer[name]));
}

/** Balance and debit limit. */
export function changeMoney(customer) {
  const { balance, debit_limit, currency } = customer.money;
  const check = (value) => (AMOUNT.test(value.trim()) ? "" : "A decimal number, such as 12.50.");
  return formDialog({
    title: "Balance and debit limit",
    fields: {
      balance: field({ label: "Balance", value: balance, inputmode: "decimal", check }),
      debit_limit: field({ label: "Debit limit", value: debit_limit, inputmode: "decimal", check, hint: "How far the balance may go below zero." }),
      currency: field({ label: "Currency", value: currency, maxlength: 3, hint: "Three letters, such as EUR.", check: (value) => (value === currency || /^[A-Z]{3}$/.test(value.trim().toUpperCase()) ? "" : "Three letters, such as EUR.") }),
    },
    submit: async (given) => {
      const after = { balance: given.balance.trim(), debit_limit: given.debit_limit.trim(), currency: given.currency.trim().toUpperCase() };
      return saved(await api.patch(`${path(customer)}/money`, changed(customer.money, after)));
    },
  });
}

/** Whom to turn to. */
export function changeContacts(customer) {
  const rows = rowsEditor({
    what: "contact",
    columns: [
      { key: "name", label: "Name", maxlength: 200, required: true },
      { key: "role", label: "Role", maxlength: 200 },
      { key: "email", label: "E-mail", type: "email", maxlength: 254 },
      { key: "phone", label: "Phone", type: "tel", maxlength: 64 },
    ],
    rows: customer.contacts,
    most: 50,
  });
  return formDialog({
    title: "Contacts",
    wide: true,
    body: [rows],
    submit: async () => saved(await api.patch(path(customer), { contacts: rows.value })),
  });
}

/** Which extensions may be provisioned. */
export function changeBlocks(customer) {
  const digits = { inputmode: "numeric", maxlength: 5, required: true };
  const rows = rowsEditor({
    what: "number block",
    columns: [{ key: "first", label: "First", ...digits }, { key: "last", label: "Last", ...digits }],
    rows: customer.number_blocks,
    most: 200,
  });
  return formDialog({
    title: "Internal number blocks",
    text: "Extensions of 3 to 5 digits that may be provisioned. The first and the last belong to a block.",
    body: [rows],
    submit: async () => saved(await api.patch(path(customer), { number_blocks: rows.value })),
  });
}

function path({ id }) {
  return `/customers/${part(id)}`;
}

function saved(customer) {
  toast("Saved.", "good");
  return customer;
}
