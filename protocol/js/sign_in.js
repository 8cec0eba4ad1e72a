// One sign-in: from `connect` to the end for good, over as many connections as it takes.

import { Backoff } from "./backoff.js";
import { ABNORMAL } from "./codes.js";
import { Connection } from "./connection.js";
import { CLOSED_BY_US, Dialog } from "./dialog.js";
import { Stopped } from "./errors.js";
import { closed } from "./events.js";

/** @typedef {import("./events.js").Closed} Closed */
/** @typedef {import("./events.js").Event} Event */
/** @typedef {import("./messages.js").ServerMessage} ServerMessage */
/** @typedef {import("./messages.js").Welcome} Welcome */
/** @typedef {import("./messages.js").Denied} Denied */
/** @typedef {Omit<import("./messages.js").Hello, "type" | "token" | "resume">} Wish */

/**
 * What every sign-in of a client shares.
 * @typedef {object} Common
 * @property {() => string} nextUrl
 * @property {import("./connection.js").SocketMaker} socket
 * @property {string} subprotocol
 * @property {Wish} wish
 * @property {import("./tokens.js").Tokens} tokens
 * @property {import("./holding.js").Holding} holding
 * @property {import("./alarms.js").Alarms} alarms
 * @property {import("./timing.js").Timing} timing
 * @property {(event: Event | import("./messages.js").Beat) => void} tell
 */

export class SignIn {
  /** Whether a call goes on; said again after every `welcome`. */
  busy = false;
  /** @type {Promise<Welcome | Denied>} rejected with `Stopped` */
  opened;
  /** @type {Promise<Closed>} */
  ended;

  #common;
  #backoff;
  /** @type {Dialog | null} */
  #dialog = null;
  /** @type {Denied | null} */
  #denied = null;
  /** What broke in the client or in what it was given. @type {unknown} */
  #failure;
  #over = false;
  #stop = new AbortController();
  #notBeforeS = -Infinity;
  /** @type {(answer: Welcome | Denied) => void} */
  #open = () => {};

  /** @param {Common} common */
  constructor(common) {
    this.#common = common;
    this.#backoff = new Backoff(common.timing.random);
    this.ended = this.#live();
    this.opened = new Promise((resolve, reject) => {
      this.#open = resolve;
      void this.ended.then((last) => {
        if (this.#denied !== null) resolve(this.#denied);
        reject(this.#failure ?? new Stopped(last));
      });
    });
    this.opened.catch(() => {}); // whoever asked may be gone
  }

  get dialog() {
    return this.#dialog;
  }

  get state() {
    return this.#dialog?.state ?? "closed";
  }

  /** Whatever ends the connection now, do not come back. */
  over() {
    this.#over = true;
  }

  /** Drop the connection, or the wait for the next one. */
  stop() {
    this.#over = true;
    this.#stop.abort();
    this.#dialog?.close(CLOSED_BY_US);
  }

  /** However it ends, whoever waits is told, and nothing is believed any more. */
  async #live() {
    /** @type {Closed} */
    let last;
    try {
      last = await this.#run();
    } catch (error) {
      this.#failure = error;
      last = closed(ABNORMAL, `the client failed: ${error instanceof Error ? error.message : error}`, { action: "never" });
    }
    this.#common.holding.ended("stopped");
    this.#common.tell(last);
    return last;
  }

  async #run() {
    for (;;) {
      const end = this.#plan(await this.#connect());
      if (end.retryInS === null) return end;
      this.#common.tell(end);
      await this.#wait(end.retryInS);
      if (this.#stop.signal.aborted) return CLOSED_BY_US;
    }
  }

  async #connect() {
    const { nextUrl, socket, subprotocol, wish, tokens, holding, alarms, timing } = this.#common;
    this.#denied = null;
    let token;
    try {
      token = await this.#orStopped(tokens.current());
      if (token !== null && (typeof token !== "string" || token === "")) throw new TypeError("a token is a text");
    } catch (error) { // whatever the application throws, the next attempt may work
      return closed(ABNORMAL, `no token: ${error instanceof Error ? error.name : "an error"}`, { action: "reconnect" });
    }
    if (token === null || this.#stop.signal.aborted) return CLOSED_BY_US;
    const made = await Connection.open(socket, nextUrl(), subprotocol, timing.connectS, alarms, this.#stop.signal);
    if (!(made instanceof Connection)) return made;
    this.#dialog = new Dialog(made, holding, alarms, timing, (message) => this.#heard(message));
    if (this.#stop.signal.aborted) made.close(CLOSED_BY_US);
    return this.#dialog.run({ type: "hello", token, ...wish, ...(holding.resume && { resume: holding.resume }) });
  }

  /** What the end of a connection means: when to come back, or that it is over. @param {Closed} end @returns {Closed} */
  #plan(end) {
    const { holding, tokens, timing } = this.#common;
    let delayS = this.#over ? null : this.#backoff.delayS(end.action, holding.lingerS);
    if (end.action === "new_token") {
      tokens.spent();
      if (!tokens.renewable) delayS = null;
    }
    if (delayS === null) {
      holding.ended("closed");
      return end;
    }
    return { ...end, retryInS: Math.max(delayS, end.waitS, this.#notBeforeS - timing.clock()) };
  }

  /**
   * The answer; null once the client is to stop, for it may never come.
   * @template T
   * @param {Promise<T>} answer
   * @returns {Promise<T | null>}
   */
  #orStopped(answer) {
    const { signal } = this.#stop;
    return new Promise((resolve, reject) => {
      const stop = () => resolve(null);
      signal.addEventListener("abort", stop);
      void answer.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
    });
  }

  /** @param {number} delayS @returns {Promise<void>} */
  #wait(delayS) {
    const { signal } = this.#stop;
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const done = () => {
        cancel();
        signal.removeEventListener("abort", done);
        resolve();
      };
      const cancel = this.#common.alarms.after(delayS, done);
      signal.addEventListener("abort", done);
    });
  }

  /** @param {ServerMessage} message */
  #heard(message) {
    const { tokens, timing, tell } = this.#common;
    if (message.type === "beat") this.#backoff.settled();
    else if (message.type === "welcome") this.#welcomed(message);
    else if (message.type === "denied" && message.ref === undefined) this.#denied = message;
    else if (message.type === "logout") this.#over = true;
    else if (message.type === "moving") this.#notBeforeS = timing.clock() + message.after_ms / 1000;
    else if (message.type === "notice" && message.code === "token_expiring" && tokens.renewable) void this.#renew();
    tell(message);
  }

  /** @param {Welcome} welcome */
  #welcomed(welcome) {
    this.#common.tokens.lasts(welcome.token_ttl_s);
    if (this.busy) this.#dialog?.tell({ type: "busy", busy: true });
    this.#denied = null;
    this.#open(welcome);
  }

  /** A new token before the old one ends. If there is none now, the close that follows asks for one again. */
  async #renew() {
    const { tokens } = this.#common;
    try {
      this.refresh(await tokens.fresh());
    } catch (error) {
      console.warn("seatd: no new token:", error instanceof Error ? error.name : error);
    }
  }

  /** Show a new token on the connection that there is; else the next hello does. @param {string} token */
  refresh(token) {
    this.#common.tokens.given(token);
    if (["opening", "waiting", "live"].includes(this.state)) this.#dialog?.tell({ type: "refresh", token });
  }
}
