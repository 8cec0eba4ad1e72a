// What stands in cells of many tables.

import { h } from "../core/dom.js";
import { ago, second } from "../core/format.js";
import { href, router } from "../core/router.js";
import { session } from "../core/session.js";

/** A moment, and how long ago that is. */
export function sinceCell(moment) {
  return moment ? h("time", { datetime: moment, title: `${second(moment)} UTC` }, `${ago(moment)}`) : "";
}

/** A moment to the second. */
export function momentCell(moment) {
  return moment ? h("time", { datetime: moment, title: "UTC" }, second(moment)) : "";
}

/** A device: what it is called, and its kind. */
export function deviceCell({ device }) {
  return h("span", { class: "two-lines" }, h("span", {}, device.kind.replaceAll("_", " ")), h("small", { class: "muted" }, device.name || device.id));
}

/** A customer, with a link to its page where there is one. */
export function customerCell({ customer }) {
  const to = `/customers/${encodeURIComponent(customer)}`;
  return router.has(to) && session.may("customers.read") ? h("a", { href: href(to) }, customer) : customer;
}

/** The column of the customer; none for who has only one. */
export function customerColumn() {
  return session.customer ? [] : [{ key: "customer", label: "Customer", class: "nowrap", render: customerCell }];
}
