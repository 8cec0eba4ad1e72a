// One connection of a client, from `hello` to its end: what must be answered, and who waits for what.

import { MOVING, NORMAL, ABNORMAL } from "./codes.js";
import { badServer } from "./connection.js";
import { Disconnected } from "./errors.js";
import { closed } from "./events.js";
import { Conversation, IllegalMessage } from "./state.js";

/** @typedef {import("./events.js").Closed} Closed */
/** @typedef {import("./messages.js").ServerMessage} ServerMessage */
/** @typedef {import("./messages.js").ClientMessage} ClientMessage */
/** @typedef {import("./messages.js").Hello} Hello */
/** @typedef {import("./messages.js").Acquire | import("./messages.js").Release | import("./messages.js").TakeOver} Request */

/**
 * The last beat confirmed a lease that runs to C minus one beat after it. With the usual C of three beats, half a beat is
 * left then to resume elsewhere without a gap.
 */
const SILENT_BEATS = 1.5;

export class Dialog {
  #connection;
  #holding;
  #alarms;
  #timing;
  #heard;
  #conversation = new Conversation();
  /** @type {Map<number, {answer: (message: ServerMessage) => void, fail: (error: Error) => void}>} */
  #pending = new Map();
  #cancelSilence = () => {};
  #cancelMove = () => {};

  /**
   * @param {import("./connection.js").Connection} connection
   * @param {import("./holding.js").Holding} holding
   * @param {import("./alarms.js").Alarms} alarms
   * @param {import("./timing.js").Timing} timing
   * @param {(message: ServerMessage) => void} heard told every message once its facts are noted
   */
  constructor(connection, holding, alarms, timing, heard) {
    this.#connection = connection;
    this.#holding = holding;
    this.#alarms = alarms;
    this.#timing = timing;
    this.#heard = heard;
  }

  get state() {
    return this.#conversation.state;
  }

  /** Say hello, listen to the end, leave nothing behind. @param {Hello} hello @returns {Promise<Closed>} */
  run(hello) {
    return new Promise((resolve) => {
      this.#connection.listen((message) => this.#hear(message), (end) => resolve(this.#end(end)));
      if (this.state === "closed") return; // before a word was said
      this.#holding.helloSent();
      this.tell(this.#fitting(hello));
      this.#awaitWord();
    });
  }

  /**
   * Throws `IllegalMessage` if it may not be said now, `RangeError` if it is too large, `Disconnected`.
   * @param {ClientMessage} message
   */
  send(message) {
    if (this.state === "closed") throw new Disconnected("the connection has ended");
    const frame = this.#connection.frame(message);
    this.#conversation.said(message.type);
    this.#connection.send(frame);
  }

  /** Say what must be said; if the connection has ended, that is told anyway. @param {ClientMessage} message */
  tell(message) {
    try {
      this.send(message);
    } catch (error) {
      if (!(error instanceof Disconnected)) throw error;
    }
  }

  /**
   * Send a request; answers what the server answers to its `ref`. Throws `Disconnected`.
   * @param {Request} request
   * @returns {Promise<ServerMessage>}
   */
  ask(request) {
    return new Promise((answer, fail) => {
      this.send(request);
      this.#pending.set(request.ref, { answer, fail });
    });
  }

  /** End it. @param {Closed} end */
  close(end) {
    this.#connection.close(end);
  }

  /**
   * A hello that is too large with its ticket goes without: it helps only after the server has lost data.
   * @param {Hello} hello
   */
  #fitting(hello) {
    try {
      this.#connection.frame(hello);
    } catch (error) {
      if (!(error instanceof RangeError) || hello.resume === undefined) throw error;
      const { session, secret } = hello.resume;
      return { ...hello, resume: { session, secret } };
    }
    return hello;
  }

  /** @param {ServerMessage} message */
  #hear(message) {
    try {
      this.#conversation.said(message.type);
    } catch (error) {
      if (!(error instanceof IllegalMessage)) throw error;
      return this.close(badServer(error.message));
    }
    // In `leaving` it crossed our `bye`, or the `logout`: nothing is held any more.
    if (this.state !== "leaving" || message.type === "beat" || message.type === "logout") {
      this.#note(message);
      this.#settle(message);
      this.#heard(message);
    }
    if (this.state !== "closed") this.#awaitWord();
  }

  /** @param {ServerMessage} message */
  #note(message) {
    switch (message.type) {
      case "beat":
        this.#holding.beatReceived(message);
        return this.tell({ type: "alive", n: message.n });
      case "welcome":
        return this.#holding.welcomed(message);
      case "granted":
        return this.#holding.granted(message);
      case "changed":
        return this.#holding.changed(message);
      case "released":
        return this.#holding.released(message);
      case "denied":
        if (message.ref === undefined && this.state === "opening") this.#holding.denied();
        return;
      case "queued":
        if (this.state === "waiting") this.#holding.queued();
        return;
      case "logout":
        this.#holding.ended("logout");
        return this.tell({ type: "ack", order: message.order });
      case "moving":
        this.#cancelMove();
        this.#cancelMove = this.#alarms.after(message.after_ms / 1000, () => this.close(closed(MOVING, "moving")));
    }
  }

  /** Hand an answer to whoever asked. A `queued` is not the answer yet. @param {ServerMessage} message */
  #settle(message) {
    if (message.type === "queued" || !("ref" in message) || message.ref === undefined) return;
    this.#pending.get(message.ref)?.answer(message);
    this.#pending.delete(message.ref);
  }

  #awaitWord() {
    this.#cancelSilence();
    const silenceS = this.#silenceS();
    const dead = closed(ABNORMAL, `nothing heard for ${silenceS} s`);
    this.#cancelSilence = this.#alarms.after(silenceS, () => this.close(dead));
  }

  #silenceS() {
    if (this.#timing.silenceS !== null) return this.#timing.silenceS;
    if (this.state === "live" && this.#holding.beatS !== null) return Math.max(1, this.#holding.beatS * SILENT_BEATS);
    // A waiter is not told how often beats come, only how long they hold.
    return Math.max(this.#timing.answerS, this.#holding.lease.leaseS);
  }

  /** @param {Closed} end */
  #end(end) {
    this.#conversation.closed();
    this.#cancelSilence();
    this.#cancelMove();
    for (const { fail } of this.#pending.values()) fail(new Disconnected("the connection ended before the answer"));
    this.#pending.clear();
    return end;
  }
}

/** The end that the application asked for. */
export const CLOSED_BY_US = closed(NORMAL, "closed by the client");
