// Choosing a grant: a role, and where it counts.

import { h } from "../core/dom.js";
import { words } from "../core/format.js";
import { session } from "../core/session.js";
import { field } from "./field.js";

const ROLES = ["operator", "agency", "owner", "admin", "supervisor", "auditor"];
const ABOUT = {
  operator: "Everything, everywhere.",
  agency: "The customers of an agency, as far as each permits.",
  owner: "Answers for customers, also for their administrators and API tokens.",
  admin: "The daily work of customers.",
  supervisor: "Sees, and forces out, people of some domains.",
  auditor: "Sees, changes nothing.",
};
const NEEDS = { agency: ["agency"], owner: ["customers", "domains"], admin: ["customers", "domains"], supervisor: ["customers", "domains"], auditor: ["customers", "domains"] };

/** `grantFields(grant)`: an element with `value` (as the API takes it) and `check()`. */
export function grantFields(grant = {}) {
  const own = session.profile.grant;
  const is_everywhere = own.role === "operator";
  const roles = is_everywhere ? ROLES : ["owner", "admin", "supervisor", "auditor"];
  const role = field({ label: "Role", type: "select", options: roles.map((name) => [name, words(name)]), value: grant.role ?? (is_everywhere ? "operator" : "admin"), hint: " " });
  const agency = field({ label: "Agency", value: grant.agency ?? "", check: (text) => (role.value === "agency" && !text.trim() ? "Say which agency." : "") });
  const customers = field({
    label: "Customers",
    hint: " ",
    value: (grant.customers ?? own.customers).join(", "),
    check: (text) => (needsCustomers() && !text.trim() ? "Say which customers." : ""),
  });
  const domains = field({
    label: "Domains",
    hint: "Only these domains, with commas between; empty: all",
    value: (grant.domains ?? []).join(", "),
    check: (text) => (role.value === "supervisor" && !text.trim() ? "Say which domains." : ""),
  });
  const needsCustomers = () => ["owner", "admin", "supervisor"].includes(role.value);
  const show = () => {
    const needed = NEEDS[role.value] ?? [];
    agency.hidden = !needed.includes("agency");
    customers.hidden = domains.hidden = !needed.includes("customers");
    const all = is_everywhere && role.value === "auditor" ? "; empty: all of them" : "";
    customers.querySelector(".field-hint").textContent = `Their ids, with commas between${all}`;
    role.querySelector(".field-hint").textContent = ABOUT[role.value];
  };
  role.control.addEventListener("change", show);
  show();
  const element = h("fieldset", { class: "grant" }, h("legend", { class: "visually-hidden" }, "Grant"), role, agency, customers, domains);
  Object.defineProperty(element, "value", {
    get: () => ({
      role: role.value,
      ...(agency.hidden ? {} : { agency: agency.value.trim() }),
      ...(customers.hidden ? {} : { customers: listed(customers.value), domains: listed(domains.value) }),
    }),
  });
  element.check = () => [agency, customers, domains].every((one) => one.hidden || one.check());
  return element;
}

function listed(text) {
  return text.split(/[\s,;]+/).filter(Boolean);
}
