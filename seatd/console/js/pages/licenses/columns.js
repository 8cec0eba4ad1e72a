// The columns of the registry: first what everybody looks for, then where a license comes from.

import { h } from "../../core/dom.js";
import { day, growth, minute, number } from "../../core/format.js";
import { session } from "../../core/session.js";
import { href, router } from "../../core/router.js";
import { badge } from "../../elements/badge.js";
import { daysBadge } from "../../elements/days-badge.js";
import { icon } from "../../elements/icon.js";
import { usageBar } from "../../elements/usage-bar.js";

/** `onKey(row)`: the key is to be copied; `onUsers(row)`: the users are to be shown. */
export function licenseColumns({ onKey, onUsers }) {
  return [
    { key: "id", label: "ID", sort: true, always: true, class: "nowrap", render: (row) => idCell(row, onKey) },
    { key: "product", label: "Product", sort: true, always: true, class: "nowrap" },
    { key: "valid_from", label: "Valid from", sort: true, class: "nowrap", render: (row) => day(row.valid_from) },
    { key: "valid_till", label: "Valid till", sort: true, class: "nowrap", render: (row) => day(row.valid_till) },
    {
      key: "used",
      label: "Used",
      sort: true,
      always: true,
      class: "used-cell",
      value: (row) => [row.used, row.limit, row.above_limit],
      render: (row) => usedCell(row, onUsers),
      update: updateUsed,
    },
    { key: "limit", label: "Limit", sort: true, class: "number live", value: (row) => [row.limit, row.overdraft], render: limitText },
    { key: "competitive", label: "Competitive", sort: "kind", render: (row) => (row.competitive ? "true" : "") },
    { key: "status", label: "Status", sort: true, class: "nowrap", value: (row) => [row.status, row.validity], render: daysBadge },
    { key: "type", label: "Type", sort: true, class: "nowrap" },
    { key: "name", label: "Order name", sort: true, class: "nowrap" },
    { key: "customer", label: "Customer", sort: true, class: "nowrap", value: (row) => [row.customer, row.customer_name], render: customerCell },
    { key: "agency", label: "Agency", sort: true, class: "nowrap" },
    { key: "external_id", label: "External ID", sort: true, class: "nowrap" },
    { key: "week", label: "Week over week", sort: true, class: "number nowrap", render: growthCell },
    { key: "created", label: "Created", sort: true, class: "nowrap", render: (row) => minute(row.created) },
  ];
}

function idCell(row, onKey) {
  const copy = session.may("licenses.key")
    ? h("button", { type: "button", class: "icon-button", "aria-label": `Copy the license key of ${row.id}`, title: "Copy the license key", onclick: () => onKey(row) }, icon("copy"))
    : null;
  return h("span", { class: "license-id" }, h("span", {}, row.id), copy);
}

function usedCell(row, onUsers) {
  const label = `Users of ${row.id}`;
  const figure = session.may("licenses.users")
    ? h("button", { type: "button", class: "link used-number", "aria-label": `${label}: ${row.used}`, onclick: () => onUsers(row) }, number(row.used))
    : h("span", { class: "used-number" }, number(row.used));
  const above = h("span", { class: "above" });
  const shell = h("span", { class: "used-shell live" }, h("span", { class: "used-figures" }, figure, above), usageBar(figures(row)));
  showAbove(above, row);
  return shell;
}

function updateUsed(cell, row) {
  const figure = cell.querySelector(".used-number");
  figure.textContent = number(row.used);
  if (figure.hasAttribute("aria-label")) figure.setAttribute("aria-label", `Users of ${row.id}: ${row.used}`);
  cell.querySelector("usage-bar").show(figures(row));
  showAbove(cell.querySelector(".above"), row);
  return true;
}

function showAbove(place, row) {
  const share = row.limit ? `${Math.round((row.used / row.limit) * 100)} %` : "";
  place.replaceChildren(row.above_limit ? badge(`${number(row.above_limit)} above`, "bad") : share);
}

function figures({ id, used, limit }) {
  return { used, limit, label: `Use of ${id}` };
}

function limitText(row) {
  return row.overdraft ? `${number(row.limit)} + ${number(row.overdraft)}` : number(row.limit);
}

function customerCell({ customer, customer_name }) {
  const to = `/customers/${encodeURIComponent(customer)}`;
  const name = customer_name || customer;
  return router.has(to) && session.may("customers.read") ? h("a", { href: href(to), title: customer }, name) : name;
}

/** Use against the week before; more of it is neither good nor bad. */
function growthCell({ week }) {
  return growth(week);
}
