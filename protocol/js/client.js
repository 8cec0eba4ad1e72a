// `SeatClient`: signs in, stays signed in, and knows at any moment whether its seats may be used.

import { Alarms } from "./alarms.js";
import { CODECS } from "./codec.js";
import { endpoints, usualSocket } from "./connection.js";
import { Disconnected, RequestRefused } from "./errors.js";
import { Holding } from "./holding.js";
import { clientMessage } from "./messages.js";
import { SignIn } from "./sign_in.js";
import { usualTiming } from "./timing.js";
import { Tokens } from "./tokens.js";

/** @typedef {import("./events.js").Event} Event */
/** @typedef {import("./events.js").Closed} Closed */
/** @typedef {import("./holding.js").Belief} Belief */
/** @typedef {import("./messages.js").Welcome} Welcome */
/** @typedef {import("./messages.js").Denied} Denied */
/** @typedef {import("./messages.js").Granted} Granted */
/** @typedef {import("./messages.js").Released} Released */
/** @typedef {import("./messages.js").Sessions} Sessions */
/** @typedef {import("./messages.js").ServerMessage} ServerMessage */

/**
 * @typedef {object} Options
 * @property {string | readonly string[]} urls one or more nodes (`wss://host:port`), tried in turn
 * @property {import("./tokens.js").TokenSource} token a JWT, or a function that gets a fresh one whenever one is needed
 * @property {import("./messages.js").Device} device its `id` belongs to one running application, see `claimDeviceId`
 * @property {readonly string[]} need products: all of these or none
 * @property {readonly string[]} [want] products: these as far as there is room
 * @property {number} [waitS] how long to queue for what is needed; 0, the default: do not queue
 * @property {boolean} [allowUnseated] if denied, open a session without seats, for emergency calls
 * @property {"seatd.v1.json" | "seatd.v1.msgpack"} [subprotocol] `seatd.v1.msgpack` by default
 * @property {import("./connection.js").SocketMaker} [socket] makes the WebSocket; the platform's own by default
 * @property {(event: Event) => void} [onEvent] the first listener, see `subscribe`
 * @property {(belief: Belief) => void} [observe] told what the client believes to hold whenever that changes
 * @property {Partial<import("./timing.js").Timing>} [timing]
 */

/**
 * One device of one user, signed in at a seatd server.
 *
 * It answers beats, confirms a forced logout at once, and comes back after a broken connection as the close code says,
 * resuming its session.
 */
export class SeatClient {
  /** @type {Set<(event: Event) => void>} */
  #listeners = new Set();
  /** @type {SignIn | null} */
  #signIn = null;
  #common;
  #holding;
  #timing;
  #alarms;
  #ref = 0;
  #lapsed = false;
  #cancelLapse = () => {};

  /** @param {Options} options */
  constructor(options) {
    const { subprotocol = "seatd.v1.msgpack", socket = usualSocket, onEvent, observe, timing } = options;
    if (!Object.hasOwn(CODECS, subprotocol)) {
      throw new TypeError(`unknown sub-protocol; there are ${Object.keys(CODECS).join(", ")}`);
    }
    this.#timing = { ...usualTiming(), ...timing };
    this.#alarms = new Alarms(this.#timing.clock, this.#timing.setTimer);
    this.#holding = new Holding(this.#timing.clock, (belief) => {
      this.#awaitLapse();
      if (observe !== undefined) called(observe, belief);
    });
    this.#common = {
      nextUrl: inTurn(endpoints(options.urls)),
      socket,
      subprotocol,
      wish: wishOf(options),
      tokens: new Tokens(options.token, this.#timing.clock),
      holding: this.#holding,
      alarms: this.#alarms,
      timing: this.#timing,
      tell: this.#tell.bind(this),
    };
    if (onEvent !== undefined) this.subscribe(onEvent);
  }

  // What the client knows

  /** Where the conversation stands; "closed" while there is no connection. */
  get state() {
    return this.#signIn?.state ?? "closed";
  }

  /** The session's id, while there is one; else null. */
  get session() {
    return this.#holding.resume?.session ?? null;
  }

  /** The seats held; whether they may be used is `usable`. */
  get seats() {
    return this.#holding.seats;
  }

  /** The application areas that the seats open. */
  get sections() {
    return this.#holding.sections;
  }

  /** Whether the seats may be used now: ask before each use. It goes on through a broken connection, to the lease's end. */
  get usable() {
    return this.#holding.untilS !== null;
  }

  /** For how many seconds more the seats may be used if nothing more is heard; 0: not now. */
  get leaseLeftS() {
    const { untilS } = this.#holding;
    return untilS === null ? 0 : untilS - this.#timing.clock();
  }

  /**
   * Have a function called with every event: the server's messages but `beat`, the end of each connection (`closed`),
   * and `lapsed` and `usable`. Answers how to stop that. What goes wrong in it is reported and costs nothing else.
   * @param {(event: Event) => void} listener
   */
  subscribe(listener) {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  // From sign-in to the end

  /**
   * Sign in, waiting in the queue and through broken connections as long as it takes. Throws `Stopped` if a close code
   * forbids to go on, or `close` was called meanwhile.
   * @returns {Promise<Welcome | Denied>}
   */
  async connect() {
    if (this.#signIn !== null) throw new Error("already connected");
    const stopListening = this.#timing.onWake(() => this.wake());
    const signIn = (this.#signIn = new SignIn(this.#common));
    void signIn.ended.finally(() => {
      stopListening();
      if (this.#signIn === signIn) this.#signIn = null;
    });
    return signIn.opened;
  }

  /** Sign out cleanly: the seats are free at once. `bye` leaves before this returns, so it may be called as a page ends. */
  async bye() {
    const signIn = this.#signIn;
    signIn?.over();
    if (signIn?.dialog && ["opening", "waiting", "live"].includes(signIn.state)) {
      this.#holding.ended("bye");
      signIn.dialog.tell({ type: "bye" });
      const cancel = this.#alarms.after(this.#timing.byeS, () => signIn.stop());
      await signIn.ended;
      cancel();
    }
    await this.close();
  }

  /** Drop the connection and stop. Without `bye`, the server keeps the seats for its linger time. */
  async close() {
    this.#signIn?.stop();
    await this.#signIn?.ended;
  }

  /** Wait until the client has stopped for good; answers why. @returns {Promise<Closed>} */
  async closed() {
    if (this.#signIn === null) throw new Error("not connected");
    return this.#signIn.ended;
  }

  /** The machine was asleep, or the network is back: do now what is due. A page notices by itself. */
  wake() {
    this.#alarms.check();
  }

  // Requests in a session. All throw `Disconnected` or `RequestRefused`.

  /**
   * Ask for further products. With `waitS` it may queue: `queued` comes as an event meanwhile.
   * @param {readonly string[]} products
   * @param {{waitS?: number}} [more]
   * @returns {Promise<Granted | Denied>}
   */
  async acquire(products, { waitS = 0 } = {}) {
    const answer = await this.#ask({ type: "acquire", ref: ++this.#ref, products, wait_s: waitS });
    if (answer.type === "granted" || answer.type === "denied") return answer;
    throw unexpected(answer);
  }

  /**
   * Give products back. They may not be used from this call on, whatever the answer.
   * @param {readonly string[]} products
   * @returns {Promise<Released>}
   */
  async release(products) {
    this.#live();
    this.#holding.givingBack(products);
    try {
      const answer = await this.#ask({ type: "release", ref: ++this.#ref, products });
      if (answer.type === "released") return answer;
      throw unexpected(answer);
    } finally {
      this.#holding.givenBack(products);
    }
  }

  /**
   * End another session of the same user; answers the sessions that are left.
   * @param {string} session
   * @returns {Promise<Sessions>}
   */
  async takeOver(session) {
    const answer = await this.#ask({ type: "take_over", ref: ++this.#ref, session });
    if (answer.type === "sessions") return answer;
    throw unexpected(answer);
  }

  /** Show a new token of the same user now, and in every `hello` from now on. @param {string} token */
  refresh(token) {
    this.#common.tokens.given(token);
    this.#signIn?.refresh(token);
  }

  /** A call starts or ends. Said again by itself after every `welcome` while it is true. @param {boolean} busy */
  busy(busy) {
    if (this.#signIn === null) return;
    this.#signIn.busy = busy;
    if (this.state === "live") this.#signIn.dialog?.tell({ type: "busy", busy });
  }

  /** @param {import("./dialog.js").Request} request */
  async #ask(request) {
    const answer = await this.#live().ask(request);
    if (answer.type === "error") throw new RequestRefused(answer);
    return answer;
  }

  #live() {
    const dialog = this.#signIn?.dialog;
    if (!dialog || dialog.state !== "live") throw new Disconnected("there is no session");
    return dialog;
  }

  // Telling

  /** @param {Event | import("./messages.js").Beat} event */
  #tell(event) {
    const back = this.#lapsed && this.usable;
    if (back) this.#lapsed = false;
    if (event.type !== "beat") this.#emit(event);
    else if (back) this.#emit({ type: "usable" });
  }

  /** The moment at which nothing that was heard allows to use the seats any longer. */
  #awaitLapse() {
    this.#cancelLapse();
    const { untilS } = this.#holding;
    if (untilS !== null) this.#cancelLapse = this.#alarms.at(untilS, () => this.#lapse());
    if (this.#holding.seats.length === 0) this.#lapsed = false;
  }

  #lapse() {
    this.#lapsed = true;
    this.#emit({ type: "lapsed" });
  }

  /** @param {Event} event */
  #emit(event) {
    for (const listener of [...this.#listeners]) called(listener, event);
  }
}

/** Throws `BadMessage`. @param {Options} options @returns {import("./sign_in.js").Wish} */
function wishOf({ device, need, want = [], waitS = 0, allowUnseated = false }) {
  const wish = { device, need, want, wait_s: waitS, allow_unseated: allowUnseated };
  clientMessage({ type: "hello", token: "-", ...wish }); // says now what is wrong with it
  return wish;
}

/**
 * What goes wrong in the application must not cost the connection.
 * @template T
 * @param {(told: T) => void} listener
 * @param {T} told
 */
function called(listener, told) {
  try {
    listener(told);
  } catch (error) {
    console.error("seatd: a listener failed:", error);
  }
}

/** @param {string[]} urls */
function inTurn(urls) {
  let turn = 0;
  return () => urls[turn++ % urls.length];
}

/** @param {ServerMessage} answer */
function unexpected(answer) {
  return new Disconnected(`the server answered with ${answer.type}`);
}
