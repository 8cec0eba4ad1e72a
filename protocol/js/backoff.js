// How long a client waits before it comes back: full jitter, between 0.5 s and a ceiling that doubles from 1 s
// to 30 s. Whoever still has a session to come back to tries several times before its seats are given away.
// Where the server asks for it (40xx, 42xx) the first return is at once; only a connection on which a beat came
// earns that again, so a fault that shows on every node cannot turn into a tight loop.

/** @typedef {import("./codes.js").Action} Action */

export const SHORTEST_S = 0.5;
export const LONGEST_S = 30;
const TRIES_WHILE_KEPT = 4;
const DOUBLINGS = 6; // 0.5 s << 6 is beyond the longest

export class Backoff {
  #random;
  #attempt = 0;

  /** @param {() => number} random answers numbers from 0 to 1 */
  constructor(random) {
    this.#random = random;
  }

  /** A connection has proved to work. */
  settled() {
    this.#attempt = 0;
  }

  /**
   * Seconds to wait before the next attempt; null: do not come back.
   * @param {Action} action
   * @param {number | null} lingerS how long the server keeps the session that is to be resumed; null: there is none
   * @returns {number | null}
   */
  delayS(action, lingerS = null) {
    if (action === "done" || action === "tell" || action === "never") return null;
    const first = this.#attempt === 0;
    this.#attempt = Math.min(this.#attempt + 1, DOUBLINGS);
    if (first && action !== "reconnect") return 0;
    const longestS = lingerS === null ? LONGEST_S : Math.min(LONGEST_S, lingerS / TRIES_WHILE_KEPT);
    const ceilingS = Math.max(SHORTEST_S, Math.min(longestS, SHORTEST_S * 2 ** this.#attempt));
    return SHORTEST_S + this.#random() * (ceilingS - SHORTEST_S);
  }
}
