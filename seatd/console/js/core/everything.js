// A list of several pages as one.

import { api } from "./api.js";

const SIZE = 500;
const MOST_PAGES = 4;

/** `{items, total}`; of a very long list only the first ones: there are `total`. */
export async function everything(path, query, options) {
  const items = [];
  let total = 0;
  for (let page = 1; page <= MOST_PAGES; page += 1) {
    const listing = await api.get(path, { ...query, page, size: SIZE }, options);
    total = listing.total;
    items.push(...listing.items);
    if (items.length >= total || !listing.items.length) break;
  }
  return { items, total };
}
