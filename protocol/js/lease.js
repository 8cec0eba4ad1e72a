// Until when a client may use its seats.

/**
 * A client's right to use its seats, counted from moments before its own messages left, on its own clock.
 *
 * `beat n` says that `alive n-1` has arrived, so the lease runs to the moment that was sent + C. The first beat,
 * and `welcome`, say that `hello` has arrived. A lease never shortens. Time is passed in.
 */
export class ClientLease {
  /** C as far as it is known; `welcome` and every `beat` bring the current one. */
  leaseS = 0;
  untilS = -Infinity;
  /** @type {number | null} */
  #helloS = null;
  /** @type {{n: number, sentS: number} | null} */
  #alive = null;

  /** A new connection begins: what was sent on an older one says nothing about this one. @param {number} nowS */
  helloSent(nowS) {
    this.#helloS = nowS;
    this.#alive = null;
  }

  /** `welcome` has come: the hello has arrived. @param {number} leaseS */
  welcomed(leaseS) {
    if (this.#helloS !== null) this.#run(this.#helloS, leaseS);
  }

  /** `alive n` leaves; `nowS` is taken before. This alone extends nothing. @param {number} n @param {number} nowS */
  aliveSent(n, nowS) {
    this.#alive = { n, sentS: nowS };
  }

  /**
   * `beat n` has come: the `alive` of the beat before, or the hello, has arrived.
   * @param {number} n
   * @param {number} leaseS
   * @param {number} nowS
   */
  beatReceived(n, leaseS, nowS) {
    const sentS = this.#confirmedBy(n);
    if (sentS !== null && sentS <= nowS) this.#run(sentS, leaseS);
  }

  /** It is over at once. What is said on this connection from now on may begin it anew. */
  end() {
    this.untilS = -Infinity;
  }

  /** Whether the seats may be used at `nowS`. @param {number} nowS */
  valid(nowS) {
    return nowS < this.untilS;
  }

  /** @param {number} n */
  #confirmedBy(n) {
    if (this.#alive === null) return this.#helloS;
    return this.#alive.n === n - 1 ? this.#alive.sentS : null;
  }

  /** @param {number} fromS @param {number} leaseS */
  #run(fromS, leaseS) {
    this.leaseS = leaseS;
    this.untilS = Math.max(this.untilS, fromS + leaseS);
  }
}
