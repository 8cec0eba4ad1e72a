// What every page is: an element that the shell puts in place, tells of its address, and takes away.
//
//     class SessionsPage extends Page {
//       build() { ... }          // once, when it is put in place
//       show(query, params) {}   // then, and whenever the address changes
//     }

import { router } from "./router.js";

export class Page extends HTMLElement {
  #gone = new AbortController();
  #is_built = false;

  /** Ends with the page: give it to every call, stream and listener. */
  get signal() {
    return this.#gone.signal;
  }

  /** Called by the shell. */
  enter({ query, params }) {
    this.query = query;
    this.params = params;
    if (!this.#is_built) {
      this.#is_built = true;
      this.build();
    }
    return this.show(query, params);
  }

  /** Called by the shell when another page comes. */
  leave() {
    this.#gone.abort();
  }

  /** Makes what is always there. */
  build() {}

  /** Shows what the address asks for. */
  show() {}

  /** Changes the address's query: the back button undoes it, unless `replace`. */
  setQuery(changes, options) {
    router.query(changes, options);
  }
}
