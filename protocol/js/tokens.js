// Where a client's tokens come from, and when it needs a new one.

/** @typedef {string | (() => string | Promise<string>)} TokenSource a JWT, or a function that gets a fresh one */

/** A token that ends sooner than this is not worth saying hello with: clocks differ, and networks take time. */
const MARGIN_S = 30;

export class Tokens {
  #source;
  #clock;
  #token;
  #untilS = -Infinity;

  /** @param {TokenSource} source @param {() => number} clock */
  constructor(source, clock) {
    this.#source = source;
    this.#clock = clock;
    this.#token = typeof source === "string" ? source : "";
  }

  /** Whether a new token can be had without asking the person. */
  get renewable() {
    return typeof this.#source === "function";
  }

  /** A token for `hello`: the one at hand while it is known to last, else a new one. */
  async current() {
    return this.#clock() < this.#untilS - MARGIN_S ? this.#token : await this.fresh();
  }

  /** A new token. Throws whatever the source throws. A text that was given is all there is. */
  async fresh() {
    if (typeof this.#source === "function") this.#token = await this.#source();
    return this.#token;
  }

  /** A new token from the application; how long it lasts is not known here. @param {string} token */
  given(token) {
    this.#token = token;
    this.#untilS = -Infinity;
  }

  /** The server accepted the token, and says how long it lasts. @param {number} ttlS */
  lasts(ttlS) {
    this.#untilS = this.#clock() + ttlS;
  }

  /** The server asks for a new one. */
  spent() {
    this.#untilS = -Infinity;
  }
}
