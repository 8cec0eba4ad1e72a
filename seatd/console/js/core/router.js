// Addresses and pages: real paths under /console, so that deep links, the back button and "open in a new tab" work.

import { session } from "./session.js";

export const BASE = "/console";

/** `"/licenses?search=call"` as the browser sees it. */
export function href(to) {
  return BASE + to;
}

class Router extends EventTarget {
  #routes = [];

  /** `routes`: `{path: "/customers/:id", ...}`; the first that fits counts. */
  start(routes) {
    this.#routes = routes.map((route) => ({ ...route, pattern: pattern(route.path) }));
    addEventListener("popstate", () => this.#changed());
    document.addEventListener("click", (event) => this.#clicked(event));
    this.#changed();
  }

  /** Goes to an address within the console. `replace`: instead of the present entry of the history. */
  go(to, { replace = false } = {}) {
    if (href(to) === location.pathname + location.search && !replace) return;
    history[replace ? "replaceState" : "pushState"](null, "", href(to));
    this.#changed();
  }

  /** Changes the query of the present address: `{page: 2, search: ""}`; what is empty goes. */
  query(changes, { replace = false } = {}) {
    const query = new URLSearchParams(location.search);
    for (const [name, value] of Object.entries(changes)) {
      if (value === "" || value === null || value === undefined) query.delete(name);
      else query.set(name, value);
    }
    const text = query.toString();
    this.go(`${this.path}${text ? `?${text}` : ""}`, { replace });
  }

  /** The present path, without the console's own part. */
  get path() {
    return location.pathname.slice(BASE.length) || "/";
  }

  /** `{route, params, query}` of the present address; null: there is no such page. */
  get here() {
    for (const route of this.#routes) {
      const found = route.pattern.exec(this.path);
      if (found) return { route, params: decoded(found.groups), query: new URLSearchParams(location.search) };
    }
    return null;
  }

  /** Pages for the navigation, as far as the role may see them. */
  get menu() {
    return this.#routes.filter((route) => route.title && route.group && session.may(route.action));
  }

  /** Whether there is a page for this path. */
  has(path) {
    return this.#routes.some((route) => route.pattern.test(path));
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }

  /** A click on a link within the console changes the address without loading anything. */
  #clicked(event) {
    const link = event.target.closest?.("a[href]");
    const is_plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (!link || !is_plain || event.defaultPrevented || link.target || link.hasAttribute("download")) return;
    const url = new URL(link.href);
    if (url.origin !== location.origin || !url.pathname.startsWith(`${BASE}/`)) return;
    event.preventDefault();
    this.go(url.pathname.slice(BASE.length) + url.search);
  }
}

function pattern(path) {
  const text = path.replace(/:(\w+)/g, "(?<$1>[^/]+)");
  return new RegExp(`^${text === "/" ? "/" : `${text}/?`}$`);
}

function decoded(groups = {}) {
  return Object.fromEntries(Object.entries(groups).map(([name, value]) => [name, decodeURIComponent(value)]));
}

export const router = new Router();
