// What is going on now: sessions by device and node, seats by product, denials of today, licenses that end soon, checks.

import { api } from "../../core/api.js";
import { session } from "../../core/session.js";
import { dayOf } from "../../elements/date-range.js";

const SIZE = 500;
const MOST_PAGES = 4;
const SOON_DAYS = 60;
const ENDING = 8;

/** Everything that the role may see; what it may not is null. */
export async function lookNow(options) {
  const [sessions, nodes, products, denials] = await Promise.all([
    session.may("sessions.read") ? sessionsNow(options) : null,
    session.may("deployment.read") ? nodesNow(options) : null,
    session.may("licenses.read") ? productsNow(options) : null,
    session.may("usage.read") ? denialsToday(options) : null,
  ]);
  return { sessions, nodes, products, denials };
}

/** What does not change by the second. */
export async function lookSometimes(options) {
  const [ending, checks] = await Promise.all([
    session.may("licenses.read") ? endingSoon(options) : null,
    session.may("deployment.read") ? api.get("/checks", {}, options) : null,
  ]);
  return { ending, checks };
}

/** `{total, looked_at, devices, nodes, states}`; of very many only the first ones are counted by device and node. */
async function sessionsNow(options) {
  const rows = [];
  let total = 0;
  for (let page = 1; page <= MOST_PAGES; page += 1) {
    const listing = await api.get("/sessions", { page, size: SIZE }, options);
    total = listing.total;
    rows.push(...listing.items);
    if (rows.length >= total) break;
  }
  return { total, looked_at: rows.length, devices: tally(rows, (row) => row.device.kind), nodes: tally(rows, (row) => row.node), states: tally(rows, (row) => row.state) };
}

/** `[{node, state, sessions}]` of all nodes, also those that have no session. */
async function nodesNow(options) {
  return (await api.get("/nodes", {}, options)).items;
}

/** `[{product, used, limit}]`, of all customers together, the most used first. */
async function productsNow(options) {
  const totals = await everything("/licenses/totals", options);
  const products = new Map();
  for (const { product, used, limit } of totals) {
    const known = products.get(product) ?? { product, used: 0, limit: 0 };
    products.set(product, { product, used: known.used + used, limit: known.limit + limit });
  }
  return [...products.values()].sort((one, other) => other.used - one.used || one.product.localeCompare(other.product));
}

/** `{denied, true_denials, healed, codes: [[code, times]]}` since midnight (UTC). */
async function denialsToday(options) {
  const rows = await everything("/usage", options, { resolution: "day", from: `${dayOf(Date.now())}T00:00:00Z` });
  const codes = new Map();
  for (const row of rows) for (const [code, times] of Object.entries(row.denials)) codes.set(code, (codes.get(code) ?? 0) + times);
  const sum = (name) => rows.reduce((total, row) => total + row[name], 0);
  return { denied: sum("denied"), true_denials: sum("true_denials"), healed: sum("healed"), codes: [...codes].sort(([, one], [, other]) => other - one) };
}

/** Licenses that are not over and end within weeks, the next first. */
async function endingSoon(options) {
  const { items } = await api.get("/licenses", { sort: "valid_till", size: SIZE }, options);
  return items.filter(({ validity, status }) => validity !== "expired" && status <= SOON_DAYS).slice(0, ENDING);
}

async function everything(path, options, query = {}) {
  const items = [];
  for (let page = 1; page <= MOST_PAGES; page += 1) {
    const listing = await api.get(path, { ...query, page, size: SIZE }, options);
    items.push(...listing.items);
    if (items.length >= listing.total) break;
  }
  return items;
}

function tally(rows, name_of) {
  const counts = new Map();
  for (const row of rows) counts.set(name_of(row), (counts.get(name_of(row)) ?? 0) + 1);
  return [...counts].sort(([one_name, one], [other_name, other]) => other - one || one_name.localeCompare(other_name));
}
