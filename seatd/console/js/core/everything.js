// A list of several pages as one.

import { api } from "./api.js";

const SIZE = 500;
const MOST_PAGES = 4;

/** `{items, total}`; of a very long list only the first ones: there are `total`. */
export async function everything(path, query, options) {
  const items = [];
  for (let page = 1; ; page += 1) {
    const listing = await api.get(path, { ...query, page, size: SIZE }, options);
    items.push(...listing.items);
    const is_all = listing.items.length < SIZE || items.length >= listing.total; // the list may change meanwhile
    if (is_all || page === MOST_PAGES) return { items, total: is_all ? items.length : listing.total };
  }
}
