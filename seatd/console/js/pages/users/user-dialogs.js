// Making a user, and changing one.

import { api, freshKey, part } from "../../core/api.js";
import { field } from "../../elements/field.js";
import { formDialog } from "../../elements/form-dialog.js";
import { toast } from "../../elements/toast.js";

const ROLES = [["agent", "Agent"], ["supervisor", "Supervisor"], ["admin", "Admin"], ["owner", "Owner"]];

/** The user that was made; null when it was cancelled. */
export function newUser(customer) {
  const key = freshKey();
  const user = field({ label: "User", required: true, maxlength: 254, autocomplete: "off", spellcheck: "false", placeholder: `name@${customer.domains[0] ?? "domain"}`, hint: `name@domain, of ${customer.domains.join(", ") || "a domain of the customer"}` });
  return formDialog({
    title: "Add user",
    action: "Add user",
    fields: { user, ...common({ name: "", role: "agent", groups: [] }) },
    submit: async (values) => {
      const made = await api.post(`/customers/${part(customer.id)}/users`, { ...sent(values), user: values.user.trim() }, { key });
      toast(`${made.user} is there.`, "good");
      return made;
    },
  });
}

/** The user as it is then; null when it was cancelled. */
export function changeUser(customer, user) {
  return formDialog({
    title: `Edit ${user.user}`,
    fields: common(user),
    submit: async (values) => {
      const after = await api.patch(`/customers/${part(customer.id)}/users/${part(user.user)}`, sent(values));
      toast("Saved.", "good");
      return after;
    },
  });
}

function common({ name, role, groups }) {
  return {
    name: field({ label: "Name", value: name, maxlength: 200 }),
    role: field({ label: "Role", type: "select", options: ROLES, value: role, hint: "Owners and admins are supervisors of the contact center; members are agents." }),
    groups: field({ label: "Groups", value: groups.join(", "), hint: "Separated by commas." }),
  };
}

function sent({ name, role, groups }) {
  return { name: name.trim(), role, groups: groups.split(",").map((text) => text.trim()).filter(Boolean) };
}
