// What a client believes to hold, and until when: its session, its seats, its lease. All of its beliefs change here and
// nowhere else, each by one fact, and each change can be observed.

import { ClientLease } from "./lease.js";

/** @typedef {import("./messages.js").Seat} Seat */
/** @typedef {import("./messages.js").Resume} Resume */

/**
 * What is believed from `atS` on, until the next record, and in any case not beyond `untilS` (null: no seats).
 * @typedef {{atS: number, what: string, session: string | null, seats: readonly Seat[], untilS: number | null}} Belief
 */

export class Holding {
  /** What proves the session in the next `hello`; null: there is none. @type {Resume | null} */
  resume = null;
  /** @type {readonly Seat[]} */
  seats = [];
  /** @type {readonly string[]} */
  sections = [];
  /** @type {number | null} */
  beatS = null;
  lease = new ClientLease();
  /** Products of which a `release` is under way. @type {Set<string>} */
  #giving = new Set();
  #lingerS = 0;
  #keptUntilS = -Infinity;
  #clock;
  #observe;

  /** @param {() => number} clock @param {(belief: Belief) => void} observe */
  constructor(clock, observe) {
    this.#clock = clock;
    this.#observe = observe;
  }

  /** Until when the seats may be used; null: not now. */
  get untilS() {
    return this.seats.length > 0 && this.lease.valid(this.#clock()) ? this.lease.untilS : null;
  }

  /** How long the server keeps the session without a connection; null: there is none, or it may be gone by now. */
  get lingerS() {
    return this.resume !== null && this.#clock() < this.#keptUntilS ? this.#lingerS : null;
  }

  /** Call before `hello` leaves. What is held goes on meanwhile, to the end of its lease. */
  helloSent() {
    this.lease.helloSent(this.#clock());
    this.#note("hello");
  }

  /** A session, new or resumed; it says all that is held. @param {import("./messages.js").Welcome} welcome */
  welcomed({ session, secret, ticket, seats, sections, beat_s, lease_s, linger_s }) {
    this.resume = { session, secret, ...(ticket === undefined ? {} : { ticket }) };
    this.seats = seats;
    this.sections = sections;
    this.#giving.clear();
    this.beatS = beat_s;
    this.lease.welcomed(lease_s);
    this.#lingerS = linger_s;
    this.#kept(lease_s);
    this.#note("welcome");
  }

  /**
   * It waits for its first seats: the session that had others, if there was one, is gone. The lease of this connection
   * runs, for when its turn comes.
   */
  queued() {
    this.seats = [];
    this.sections = [];
    this.#note("queued");
  }

  /** There is no session, but there may be one without seats: then what this connection's hello proves counts for it. */
  denied() {
    this.resume = null;
    this.seats = [];
    this.sections = [];
    this.beatS = null;
    this.lease.end();
    this.#note("denied");
  }

  /**
   * The lease runs on. The `alive` that answers counts from now, before it is sent.
   * @param {import("./messages.js").Beat} beat
   */
  beatReceived({ n, lease_s, ticket }) {
    const nowS = this.#clock();
    this.lease.beatReceived(n, lease_s, nowS);
    this.lease.aliveSent(n, nowS);
    if (ticket !== undefined && this.#giving.size === 0) this.#keepTicket(ticket);
    this.#kept(lease_s);
    this.#note("beat");
  }

  /** Further seats, or the same product's seat on another license. @param {import("./messages.js").Granted} granted */
  granted({ seats, sections }) {
    const anew = new Set(seats.map((seat) => seat.product));
    this.seats = [...this.seats.filter((seat) => !anew.has(seat.product)), ...seats];
    this.#without(this.#giving);
    this.sections = sections;
    this.#note("granted");
  }

  /** All that is held, as it stands now. @param {import("./messages.js").Changed} changed */
  changed({ seats, sections }) {
    this.seats = seats;
    this.#without(this.#giving);
    this.sections = sections;
    this.#keepTicket(undefined);
    this.#note("changed");
  }

  /**
   * Call before `release` leaves: the seat may be another's before the answer is here. Until then no message that has
   * crossed it brings the products back, nor a ticket that names them.
   * @param {readonly string[]} products
   */
  givingBack(products) {
    for (const product of products) this.#giving.add(product);
    this.#without(this.#giving);
    this.#keepTicket(undefined);
    this.#note("release");
  }

  /** The server has them back. @param {import("./messages.js").Released} released */
  released({ products, sections }) {
    this.givenBack(products);
    this.#without(new Set(products));
    this.sections = sections;
    this.#note("released");
  }

  /** Call when `release` has had its answer, or can have none any more. @param {readonly string[]} products */
  givenBack(products) {
    for (const product of products) this.#giving.delete(product);
  }

  /** The session is over: nothing is held, nothing can be resumed. @param {string} why */
  ended(why) {
    this.resume = null;
    this.seats = [];
    this.sections = [];
    this.beatS = null;
    this.lease = new ClientLease();
    this.#note(why);
  }

  /** @param {ReadonlySet<string>} products */
  #without(products) {
    this.seats = this.seats.filter((seat) => !products.has(seat.product));
  }

  /**
   * The linger begins when a node lets go of the session: one that dies, when its own lease has run out.
   * @param {number} leaseS
   */
  #kept(leaseS) {
    this.#keptUntilS = this.#clock() + leaseS + this.#lingerS;
  }

  /**
   * The newest ticket; none when the last one names more than is held now: a later beat brings another.
   * @param {string | undefined} ticket
   */
  #keepTicket(ticket) {
    if (this.resume === null) return;
    const { session, secret } = this.resume;
    this.resume = { session, secret, ...(ticket === undefined ? {} : { ticket }) };
  }

  /** @param {string} what */
  #note(what) {
    this.#observe({
      atS: this.#clock(),
      what,
      session: this.resume?.session ?? null,
      seats: this.seats,
      untilS: this.seats.length > 0 ? this.lease.untilS : null,
    });
  }
}
