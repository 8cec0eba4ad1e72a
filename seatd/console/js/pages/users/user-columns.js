// The columns of the users: who they are, then one per license.

import { h } from "../../core/dom.js";
import { counted, minute, words } from "../../core/format.js";
import { badge } from "../../elements/badge.js";
import { icon } from "../../elements/icon.js";
import { rowMenu } from "../../elements/row-menu.js";

const SHOWN = 8; // licenses; the others are there to be chosen

/** `onAssign(user, license, is_wanted)` answers whether the user has it then; `actions(user)`: of the menu in each row. */
export function userColumns({ customer, licenses, may, onAssign, actions }) {
  const is_provisioned = ({ product }) => customer.products.some((one) => one.product === product && (one.base || isBase(customer, product)));
  const nominal = licenses.filter(({ kind }) => kind === "nominal");
  const competitive = licenses.filter((license) => license.kind === "competitive" && !is_provisioned(license));
  const many = new Set(licenses.map(({ product }) => product).filter((product, at, all) => all.indexOf(product) !== at));
  const columns = [
    { key: "user", label: "User", sort: true, always: true, value: ({ user, name }) => [user, name], render: ({ user, name }) => h("span", { class: "two-lines" }, user, name ? h("small", { class: "muted" }, name) : null) },
    { key: "role", label: "Role", sort: true, class: "nowrap", render: ({ role }) => words(role) },
    { key: "online", label: "Online", render: ({ online }) => (online ? badge("Online", "good") : "") },
    { key: "extension", label: "Extension", sort: true, class: "nowrap" },
    ...nominal.map((license, at) => licenseColumn(license, labelOf(license, many), at >= SHOWN, may, onAssign)),
    ...competitive.map((license, at) => seatColumn(license, labelOf(license, many), nominal.length + at >= SHOWN)),
    ...customer.products.filter(({ base, product }) => base || isBase(customer, product)).map(productColumn),
    { key: "groups", label: "Groups", hidden: true, render: ({ groups }) => groups.join(", ") },
    { key: "created", label: "Created", sort: true, hidden: true, class: "nowrap", render: ({ created }) => minute(created) },
  ];
  if (may.change || may.logout) columns.push({ key: "actions", label: "Actions", always: true, value: ({ online, extension, name, role, groups }) => [online, extension, name, role, groups], render: (user) => rowMenu({ label: `Actions for ${user.user}`, items: () => actions(user) }) });
  return columns;
}

function isBase(customer, product) {
  return customer.products.some(({ base }) => base === product);
}

/** A nominal license: given to a user, or not. */
function licenseColumn(license, label, hidden, may, onAssign) {
  return {
    key: `license ${license.id}`,
    label,
    hidden,
    class: "license-column nowrap",
    value: ({ licenses }) => licenses.includes(license.id),
    render: (user) => check(user, license, label, may, onAssign),
    update: (cell, user) => {
      cell.querySelector("input").checked = user.licenses.includes(license.id);
      return true;
    },
  };
}

/** A competitive license: whoever signs in takes a seat of it, so it is only told who has one now. */
function seatColumn({ id }, label, hidden) {
  const has = ({ seats }) => seats.includes(id);
  return {
    key: `license ${id}`,
    label,
    hidden,
    class: "license-column nowrap",
    value: has,
    render: (user) => (has(user) ? badge("In use", "info") : ""),
  };
}

function labelOf({ product, id }, many) {
  return many.has(product) ? `${product} (${id})` : product;
}

function check(user, license, label, may, onAssign) {
  const covers = license.domains.includes(user.domain);
  const has = user.licenses.includes(license.id);
  const why = !may.assign ? "You may not assign licenses." : !covers && !has ? `${license.id} does not cover ${user.domain}.` : null;
  const box = h("input", {
    type: "checkbox",
    class: "grid-check",
    "aria-label": `${label} for ${user.user}`,
    title: why,
    disabled: Boolean(why),
    onchange: async () => {
      box.setAttribute("aria-busy", "true");
      box.checked = await onAssign(user, license, box.checked);
      box.removeAttribute("aria-busy");
    },
  });
  box.checked = has;
  return box;
}

/** A base or add-on license: it hangs on the user's extension. */
function productColumn({ product }) {
  const times = ({ products }) => products.filter((name) => name === product).length;
  return {
    key: `product ${product}`,
    label: product,
    class: "license-column nowrap",
    value: times,
    render: (user) => mark(times(user), product),
  };
}

function mark(count, product) {
  if (!count) return "";
  const text = h("span", { class: "visually-hidden" }, `${product}: ${counted(count, "license")}`);
  return h("span", { class: "has-product" }, count > 1 ? h("span", { "aria-hidden": "true" }, `${count} ×`) : icon("check"), text);
}
