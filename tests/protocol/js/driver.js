// Clients on behalf of a test: makes them, calls them, tells what they tell. The same in Node and in a page.

import { SeatClient } from "../../../protocol/js/index.js";

export class Driver {
  #clients = new Map();
  #emit;
  #socket;

  constructor(emit, socket) {
    this.#emit = emit;
    this.#socket = socket;
  }

  /** `options.tokens`: handed out one after another, the last one for ever; null: there is none this time; "never": no answer. */
  make(name, { tokens, ...options }) {
    const left = [...(tokens ?? [])];
    const issue = async () => {
      if (left[0] === "never") return new Promise(() => {});
      const token = left.length > 1 ? left.shift() : left[0];
      if (token === null) throw new Error("no token today");
      return token;
    };
    const token = tokens ? issue : options.token;
    const socket = this.#socket ? { socket: this.#socket } : {};
    const observe = (belief) => {
      this.#emit({ client: name, belief });
      throw new Error("an observer that fails");
    };
    const client = new SeatClient({ ...options, ...socket, token, observe });
    client.subscribe(() => {
      throw new Error("a listener that fails");
    });
    client.subscribe((event) => this.#emit({ client: name, event }));
    this.#clients.set(name, client);
  }

  look(name) {
    const { state, session, seats, sections, usable, leaseLeftS } = this.#clients.get(name);
    return { state, session, seats, sections, usable, leaseLeftS };
  }

  async call(name, method, ...args) {
    try {
      return { value: (await this.#clients.get(name)[method](...args)) ?? null };
    } catch (error) {
      return { error: error.name, message: error.message, code: error.closed?.code ?? error.error?.code ?? null };
    }
  }

  async do(verb, ...args) {
    return (await this[verb](...args)) ?? null;
  }
}
