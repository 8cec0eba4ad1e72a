// What a customer lets its agency do: one switch each.

import { api, part } from "../../core/api.js";
import { h } from "../../core/dom.js";
import { card } from "../../elements/card.js";
import { switchButton } from "../../elements/switch.js";
import { toast } from "../../elements/toast.js";
import { mayWhole } from "./standing.js";

const PERMISSIONS = [
  ["see", "See", "the customer, its domains, licenses and usage"],
  ["licenses", "Licenses", "add license keys, copy and withdraw them"],
  ["people", "People", "users, assignments, sessions and the audit trail"],
  ["provisioning", "Provisioning", "extensions, add-ons, and resources"],
  ["logout", "Force out", "sign users out"],
  ["billing", "Billing", "balance, statements, suspending"],
];

/** A card with `show(customer)`. */
export function permissionsCard(onChange) {
  return card({
    title: "Partner permission",
    of: ({ agency, permissions }) => [agency, permissions],
    render: (customer) => [
      h("p", { class: "muted" }, customer.agency ? `What the agency ${customer.agency} may do here.` : "This customer has no agency: nobody makes use of it."),
      h("ul", { class: "permissions" }, PERMISSIONS.map((one) => line(one, customer, onChange))),
    ],
  });
}

function line([permission, title, about], customer, onChange) {
  const is_on = customer.permissions.includes(permission);
  const may = mayWhole(customer, "customers.permit");
  const control = switchButton({
    label: `${title}: ${about}`,
    checked: is_on,
    disabled: !may,
    hint: may ? "" : "Only the customer's owner says this.",
    onToggle: (wanted) => set(customer, permission, wanted, onChange),
  });
  return h("li", {}, h("span", { class: "two-lines" }, h("span", {}, title), h("small", { class: "muted" }, about)), control);
}

async function set({ id, permissions }, permission, wanted, onChange) {
  const after = wanted ? [...permissions, permission] : permissions.filter((name) => name !== permission);
  try {
    onChange(await api.put(`/customers/${part(id)}/permissions`, { permissions: after }));
    document.querySelector(`[role=switch][aria-label^="${PERMISSIONS.find(([name]) => name === permission)[1]}:"]`)?.focus();
  } catch (error) {
    toast(error.message, "bad");
  }
}
