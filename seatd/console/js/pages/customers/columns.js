// The columns of the list of customers.

import { h } from "../../core/dom.js";
import { counted, growth, minute, number } from "../../core/format.js";
import { href } from "../../core/router.js";
import { usageBar } from "../../elements/usage-bar.js";
import { statusBadges } from "../customer/standing.js";

const SHOWN = 4;

/** `onAgency(id)`: the customers of an agency are to be shown. */
export function customerColumns({ onAgency }) {
  return [
    { key: "id", label: "Customer", sort: true, always: true, value: (row) => [row.id, row.name], render: nameCell },
    { key: "name", label: "Name", sort: true, hidden: true },
    { key: "agency", label: "Agency", sort: true, class: "nowrap", render: ({ agency }) => agencyCell(agency, onAgency) },
    { key: "external_id", label: "External ID", sort: true, class: "nowrap" },
    { key: "status", label: "Status", sort: true, class: "nowrap", value: (row) => [row.status, row.delete_at], render: (row) => h("span", { class: "badges" }, statusBadges(row)) },
    { key: "products", label: "Limits", class: "limits-cell", value: limitsValue, render: limitsCell },
    { key: "in_use", label: "In use now", class: "number nowrap", render: ({ in_use }) => h("span", { class: "live", title: counted(in_use.sessions, "session") }, counted(in_use.seats, "seat")) },
    { key: "week", label: "Week over week", class: "number nowrap", render: ({ week }) => growth(week) },
    { key: "created", label: "Created", sort: true, class: "nowrap", render: (row) => minute(row.created) },
  ];
}

function nameCell({ id, name }) {
  const link = h("a", { href: href(`/customers/${encodeURIComponent(id)}`) }, name || id);
  return h("span", { class: "two-lines" }, link, name ? h("small", { class: "muted" }, id) : null);
}

function agencyCell(agency, onAgency) {
  if (!agency) return "";
  return h("button", { type: "button", class: "link", title: `Only customers of ${agency}`, onclick: () => onAgency(agency) }, agency);
}

function limitsValue({ products }) {
  return products.map(({ product, used, limit }) => [product, used, limit]);
}

/** What was bought, added up per product, with what of it is used; the fullest first. */
function limitsCell({ products }) {
  if (!products.length) return "";
  const share = ({ used, limit }) => (limit ? used / limit : used ? 2 : 0);
  const fullest = [...products].sort((one, other) => share(other) - share(one));
  const rest = fullest.slice(SHOWN);
  const line = ({ product, used, limit }) =>
    h("li", {}, h("span", { class: "limit-name" }, product), h("span", { class: "limit-figures" }, `${number(used)} / ${number(limit)}`), usageBar({ used, limit, label: `Use of ${product}` }));
  const more = rest.length ? h("li", { class: "muted", title: rest.map(({ product, used, limit }) => `${product} ${used} / ${limit}`).join("\n") }, `and ${rest.length} more`) : null;
  return h("ul", { class: "limits live" }, fullest.slice(0, SHOWN).map(line), more);
}
