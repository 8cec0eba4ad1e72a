// Usage added up: by time, and by what it is about. The peak of several rows is the highest of any one of them.

import { api } from "../../core/api.js";
import { decimal, number } from "../../core/format.js";
import { nameOf } from "../usage/columns.js";

const SIZE = 500;
const MOST_PAGES = 20;

/** What charts show: `{name, text, format, is_bad}`; `is_bad`: less of it is better. */
export const MEASURES = {
  seat_hours: { text: "Seat-hours", format: decimal },
  peak: { text: "Peak", format: number },
  grants: { text: "Grants", format: number },
  denied: { text: "Denied", format: number, is_bad: true },
  true_denials: { text: "True denials", format: number, is_bad: true },
};

/** Thrown when more rows are asked for than a page should fetch. */
export class TooMuch extends Error {
  constructor(total) {
    super(`That would be ${number(total)} rows. Choose a customer, a product or a shorter time.`);
  }
}

/** All rows of usage that a query means. */
export async function allUsage(query, options) {
  const first = await api.get("/usage", { ...query, size: SIZE }, options);
  const pages = Math.ceil(first.total / SIZE);
  if (pages > MOST_PAGES) throw new TooMuch(first.total);
  const items = [...first.items];
  for (let page = 2; page <= pages; page += 1) items.push(...(await api.get("/usage", { ...query, size: SIZE, page }, options)).items);
  return items;
}

/** Rows as one. */
export function sum(rows) {
  const total = { seat_hours: 0, peak: 0, grants: 0, denied: 0, true_denials: 0 };
  for (const row of rows) {
    total.peak = Math.max(total.peak, row.peak);
    for (const name of ["seat_hours", "grants", "denied", "true_denials"]) total[name] += row[name];
  }
  return total;
}

/** By how many percent it has grown; null when there was nothing before. */
export function grown(now, before) {
  return before ? (100 * (now - before)) / before : null;
}

/** Rows by what they are about: a customer, a product, a domain, a license. */
export function byName(rows, by) {
  return grouped(rows, (row) => row[by] ?? nameOf(row));
}

/** Rows by when their time began. */
export function byTime(rows) {
  return grouped(rows, (row) => row.from);
}

function grouped(rows, key_of) {
  const groups = new Map();
  for (const row of rows) {
    const key = key_of(row);
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(row);
  }
  return groups;
}
