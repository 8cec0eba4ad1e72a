// One WebSocket that speaks one sub-protocol: whole messages in and out, and one word on why it ended.

import { ABNORMAL, NORMAL, NO_STATUS } from "./codes.js";
import { CODECS } from "./codec.js";
import { BadMessage, Disconnected } from "./errors.js";
import { closed } from "./events.js";

/** @typedef {import("./codec.js").Frame} Frame */
/** @typedef {import("./events.js").Closed} Closed */
/** @typedef {import("./messages.js").ServerMessage} ServerMessage */
/** @typedef {import("./messages.js").ClientMessage} ClientMessage */

/**
 * What is needed of a WebSocket: a browser's, Node's, or that of `seatd-client/node`. `close` may tell the HTTP status
 * that refused the upgrade, and what `Retry-After` asked for; a browser's does not.
 * @typedef {object} Socket
 * @property {string} binaryType
 * @property {number} readyState
 * @property {string} protocol
 * @property {((event: any) => void) | null} onopen
 * @property {((event: any) => void) | null} onmessage
 * @property {((event: any) => void) | null} onclose
 * @property {((event: any) => void) | null} onerror
 * @property {(data: Frame) => void} send
 * @property {(code?: number, reason?: string) => void} close
 */
/** @typedef {(url: string, subprotocol: string) => Socket} SocketMaker */

const PATH = "/v1/connect";
const PROTOCOL_ERROR = 1002; // RFC 6455, 7.4.1; told to the application, for browsers do not let a page send it
const OPEN = 1;

/** The WebSocket of browsers, and of Node from 22 on. @type {SocketMaker} */
export const usualSocket = (url, subprotocol) => {
  if (typeof WebSocket === "undefined") {
    throw new TypeError("there is no WebSocket here: pass `socket`, for example `nodeSocket()` of seatd-client/node");
  }
  return /** @type {Socket} */ (/** @type {unknown} */ (new WebSocket(url, subprotocol)));
};

/**
 * Where to connect: each URL as it is, with the contract's path if it has none.
 * @param {string | readonly string[]} urls
 * @returns {string[]}
 */
export function endpoints(urls) {
  const parsed = (typeof urls === "string" ? [urls] : urls).map((url) => {
    const place = new URL(url.replace(/^http/i, "ws"));
    if (place.protocol !== "ws:" && place.protocol !== "wss:") {
      throw new TypeError("a server's URL begins with wss://, ws://, https:// or http://");
    }
    if (place.pathname === "/") place.pathname = PATH;
    return place.href;
  });
  if (parsed.length === 0) throw new TypeError("no URL of a server");
  return parsed;
}

/** An open connection. Whatever goes wrong ends it, and is told once, as a `Closed`. */
export class Connection {
  #socket;
  #codec;
  /** @type {Closed | null} */
  #end = null;
  /** @type {(message: ServerMessage) => void} */
  #heard = () => {};
  /** @type {(closed: Closed) => void} */
  #ended = () => {};

  /**
   * Connect and upgrade within `limitS`, or say why not.
   * @param {SocketMaker} make
   * @param {string} url
   * @param {string} subprotocol
   * @param {number} limitS
   * @param {import("./alarms.js").Alarms} alarms
   * @param {AbortSignal} signal gives up
   * @returns {Promise<Connection | Closed>}
   */
  static open(make, url, subprotocol, limitS, alarms, signal) {
    return new Promise((resolve) => {
      const socket = make(url, subprotocol);
      socket.binaryType = "arraybuffer";
      const done = (/** @type {Connection | Closed} */ answer) => {
        cancel();
        signal.removeEventListener("abort", stop);
        if (!(answer instanceof Connection)) forget(socket);
        resolve(answer);
      };
      const stop = () => done(closed(NORMAL, "closed by the client"));
      const cancel = alarms.after(limitS, () => done(closed(ABNORMAL, "cannot connect: no answer")));
      signal.addEventListener("abort", stop);
      socket.onopen = () => done(opened(socket, subprotocol));
      socket.onclose = (event) => done(refused(event));
      socket.onerror = () => {}; // the close that follows says it
    });
  }

  /** @param {Socket} socket an open one @param {string} subprotocol */
  constructor(socket, subprotocol) {
    this.#socket = socket;
    this.#codec = CODECS[subprotocol];
    socket.onmessage = ({ data }) => this.#receive(typeof data === "string" ? data : new Uint8Array(data));
    socket.onclose = ({ code, reason }) => this.#finish(closed(code ?? NO_STATUS, reason || brokenBy(code)));
  }

  /** @param {(message: ServerMessage) => void} heard @param {(closed: Closed) => void} ended told once */
  listen(heard, ended) {
    this.#heard = heard;
    this.#ended = ended;
    if (this.#end !== null) ended(this.#end);
  }

  /** A message's frame. Throws `RangeError` if it is too large, `BadMessage` if it is none. @param {ClientMessage} message */
  frame(message) {
    return this.#codec.encode(message);
  }

  /** Throws `Disconnected` if the connection has ended. @param {Frame} frame */
  send(frame) {
    if (this.#end !== null || this.#socket.readyState !== OPEN) throw new Disconnected("the connection has ended");
    this.#socket.send(frame);
  }

  /** End the connection. The first end decides what is told, here and to the server. @param {Closed} end */
  close(end) {
    this.#finish(end);
  }

  /** @param {string | Uint8Array} frame */
  #receive(frame) {
    let message;
    try {
      message = this.#codec.decodeServer(frame);
    } catch (error) {
      if (!(error instanceof BadMessage)) throw error;
      return this.#finish(badServer(`a bad message: ${error.message}`));
    }
    this.#heard(message);
  }

  /** @param {Closed} end */
  #finish(end) {
    if (this.#end !== null) return;
    this.#end = end;
    forget(this.#socket, end.code);
    this.#ended(end);
  }
}

/** The end of a connection whose server does not keep the contract. @param {string} what */
export function badServer(what) {
  return closed(PROTOCOL_ERROR, `the server sent ${what}`);
}

/** @param {Socket} socket @param {string} subprotocol @returns {Connection | Closed} */
function opened(socket, subprotocol) {
  if (socket.protocol === subprotocol) return new Connection(socket, subprotocol);
  return closed(400, `the server does not speak ${subprotocol}`, { action: "never" });
}

/** Refused before the upgrade: 400 and 403 will not change, anything else (429, 503) may. @param {any} event */
function refused({ status, retryAfterS, reason }) {
  if (typeof status !== "number") return closed(ABNORMAL, reason || "cannot connect");
  const action = status === 400 || status === 403 ? "never" : "reconnect";
  return closed(status, `the upgrade was refused with ${status}`, { action, waitS: retryAfterS ?? 0 });
}

/** @param {number} code */
function brokenBy(code) {
  return code === ABNORMAL ? "the connection broke" : "";
}

/**
 * Close it, and hear no more of it: a peer that is gone takes long to answer.
 * @param {Socket} socket
 * @param {number} [code]
 */
function forget(socket, code = NORMAL) {
  socket.onopen = socket.onmessage = socket.onclose = null;
  socket.onerror = () => {};
  socket.close(code >= 3000 && code <= 4999 ? code : NORMAL);
}
