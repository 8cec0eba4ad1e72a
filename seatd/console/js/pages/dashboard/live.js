// What is going on now: sessions by device and node, seats by product, denials of today, licenses that end soon, checks.

import { api } from "../../core/api.js";
import { everything } from "../../core/everything.js";
import { session } from "../../core/session.js";
import { dayOf } from "../../elements/date-range.js";

const SIZE = 500;
const MOST_PAGES = 20;
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

/**
 * `{total, looked_at, devices, nodes, waiting, parked}`; of very many only the first ones are counted by device and node.
 * `waiting` is as long as the queue.
 */
async function sessionsNow(options) {
  const one = { size: 1 };
  const [{ items, total }, queue] = await Promise.all([everything("/sessions", {}, options), api.get("/queue", one, options)]);
  const is_cut = items.length < total;
  const parked = is_cut ? (await api.get("/sessions", { ...one, state: "parked" }, options)).total : items.filter(({ state }) => state === "parked").length;
  return { total, looked_at: items.length, devices: tally(items, (row) => row.device.kind), nodes: tally(items, (row) => row.node), waiting: queue.total, parked };
}

/** `[{node, state, sessions}]` of all nodes, also those that have no session. */
async function nodesNow(options) {
  return (await api.get("/nodes", {}, options)).items;
}

/** `{rows: [{product, used, limit}], total, looked_at}`, of all customers together, the most used first. */
async function productsNow(options) {
  const { items, total } = await everything("/licenses/totals", {}, options);
  const products = new Map();
  for (const { product, used, limit } of items) {
    const known = products.get(product) ?? { product, used: 0, limit: 0 };
    products.set(product, { product, used: known.used + used, limit: known.limit + limit });
  }
  const rows = [...products.values()].sort((one, other) => other.used - one.used || one.product.localeCompare(other.product));
  return { rows, total, looked_at: items.length };
}

/** `{denied, true_denials, healed, codes: [[code, times]], total, looked_at}` since midnight (UTC). */
async function denialsToday(options) {
  const { items: rows, total } = await everything("/usage", { resolution: "day", from: `${dayOf(Date.now())}T00:00:00Z` }, options);
  const codes = new Map();
  for (const row of rows) for (const [code, times] of Object.entries(row.denials)) codes.set(code, (codes.get(code) ?? 0) + times);
  const sum = (name) => rows.reduce((so_far, row) => so_far + row[name], 0);
  return { total, looked_at: rows.length, denied: sum("denied"), true_denials: sum("true_denials"), healed: sum("healed"), codes: [...codes].sort(([, one], [, other]) => other - one) };
}

/** Licenses that are not over and end within weeks, the next first. */
async function endingSoon(options) {
  const found = [];
  for (let page = 1; page <= MOST_PAGES && found.length < ENDING; page += 1) {
    const { items } = await api.get("/licenses", { sort: "valid_till", page, size: SIZE }, options);
    found.push(...items.filter(({ validity, status }) => validity !== "expired" && status <= SOON_DAYS));
    if (items.length < SIZE || items.at(-1).status > SOON_DAYS) break; // those that are over come first
  }
  return found.slice(0, ENDING);
}

function tally(rows, name_of) {
  const counts = new Map();
  for (const row of rows) counts.set(name_of(row), (counts.get(name_of(row)) ?? 0) + 1);
  return [...counts].sort(([one_name, one], [other_name, other]) => other - one || one_name.localeCompare(other_name));
}
