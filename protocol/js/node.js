// A WebSocket for Node and Electron's main process, on Node's own HTTP client.
//
// Node has one of its own from version 22 on. This one also tells with which HTTP status an upgrade was refused and how
// long `Retry-After` asks to wait, and takes the options of `https.request`, for example `ca`.

import { createHash, randomBytes } from "node:crypto";
import http from "node:http";
import https from "node:https";

import { BadFrame, BINARY, CLOSE, FrameReader, frameBytes, PING, PONG, TEXT } from "./frames.js";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; // RFC 6455, 1.3
/** How long to wait for the other side's close frame: it has nothing left to say to us. */
const CLOSE_MS = 1000;
const [CONNECTING, OPEN, CLOSING, CLOSED] = [0, 1, 2, 3];

/**
 * What to pass as `socket` to a `SeatClient`.
 * @param {https.RequestOptions} [options]
 * @returns {import("./connection.js").SocketMaker}
 */
export function nodeSocket(options = {}) {
  return (url, subprotocol) => new NodeSocket(url, subprotocol, options);
}

/** As much of a browser's WebSocket as the client needs. */
export class NodeSocket {
  binaryType = "arraybuffer";
  readyState = CONNECTING;
  protocol = "";
  /** @type {((event: any) => void) | null} */
  onopen = null;
  /** @type {((event: any) => void) | null} */
  onmessage = null;
  /** @type {((event: any) => void) | null} */
  onclose = null;
  /** @type {((event: any) => void) | null} */
  onerror = null;
  #key = randomBytes(16).toString("base64");
  #frames = new FrameReader();
  #request;
  /** @type {import("node:stream").Duplex | null} */
  #wire = null;

  /** @param {string} url @param {string} subprotocol @param {https.RequestOptions} [options] */
  constructor(url, subprotocol, options = {}) {
    const place = url.replace(/^ws/, "http");
    const headers = {
      Connection: "Upgrade",
      Upgrade: "websocket",
      "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Key": this.#key,
      "Sec-WebSocket-Protocol": subprotocol,
    };
    this.#request = (place.startsWith("https:") ? https : http).request(place, { ...options, headers: { ...options.headers, ...headers } });
    this.#request.on("upgrade", (response, wire, head) => this.#upgraded(response, wire, head));
    this.#request.on("response", (response) => this.#refused(response));
    this.#request.on("error", (error) => this.#finish({ reason: `cannot connect: ${reasonOf(error)}` }));
    this.#request.end();
  }

  /** @param {string | Uint8Array} data */
  send(data) {
    if (this.readyState !== OPEN) return;
    if (typeof data === "string") this.#write(TEXT, Buffer.from(data));
    else this.#write(BINARY, data);
  }

  /** @param {number} [code] @param {string} [reason] */
  close(code = 1000, reason = "") {
    if (this.readyState >= CLOSING) return;
    const connecting = this.readyState === CONNECTING;
    this.readyState = CLOSING;
    if (connecting) {
      this.#request.destroy();
      return;
    }
    this.#write(CLOSE, Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason)]));
    this.#letGo();
  }

  /** The server ends the connection; one that does not is cut off. */
  #letGo() {
    setTimeout(() => this.#wire?.destroy(), CLOSE_MS).unref();
  }

  /** @param {http.IncomingMessage} response @param {import("node:stream").Duplex} wire @param {Buffer} head */
  #upgraded(response, wire, head) {
    this.#wire = wire;
    wire.on("error", () => {}); // the close that follows says it
    wire.on("close", () => this.#finish({}));
    const accept = createHash("sha1").update(this.#key + GUID).digest("base64");
    if (response.headers["sec-websocket-accept"] !== accept) {
      wire.destroy();
      return;
    }
    this.protocol = response.headers["sec-websocket-protocol"] ?? "";
    this.readyState = OPEN;
    wire.on("data", (bytes) => this.#receive(bytes));
    wire.on("end", () => wire.destroy());
    this.onopen?.({});
    if (head.length > 0) this.#receive(head);
  }

  /** @param {http.IncomingMessage} response */
  #refused(response) {
    const asked = response.headers["retry-after"] ?? "";
    const retryAfterS = /^[0-9]{1,5}$/.test(asked) ? Number(asked) : 0;
    response.destroy();
    this.#finish({ status: response.statusCode, retryAfterS });
  }

  /** @param {Buffer} bytes */
  #receive(bytes) {
    try {
      for (const { opcode, payload } of this.#frames.read(bytes)) this.#take(opcode, payload);
    } catch (error) {
      if (!(error instanceof BadFrame)) throw error;
      this.close(error.code);
      this.#finish({ code: error.code, reason: `the server sent ${error.message}` });
    }
  }

  /** @param {number} opcode @param {Buffer} payload */
  #take(opcode, payload) {
    if (opcode === PING) this.#write(PONG, payload);
    else if (opcode === CLOSE) this.#closed(payload);
    else if (opcode === TEXT) this.onmessage?.({ data: utf8(payload) });
    else if (opcode === BINARY) this.onmessage?.({ data: new Uint8Array(payload).buffer });
  }

  /** @param {Buffer} payload */
  #closed(payload) {
    const code = payload.length >= 2 ? payload.readUInt16BE(0) : 1005;
    if (this.readyState === OPEN) this.#write(CLOSE, payload.subarray(0, 2));
    this.#letGo();
    this.#finish({ code, reason: payload.subarray(2).toString() });
  }

  /** @param {number} opcode @param {Uint8Array} payload */
  #write(opcode, payload) {
    if (this.#wire?.writable) this.#wire.write(frameBytes(opcode, payload, randomBytes(4)));
  }

  /** Told once. @param {{code?: number, reason?: string, status?: number | undefined, retryAfterS?: number}} end */
  #finish({ code = 1006, reason = "", ...more }) {
    if (this.readyState === CLOSED) return;
    this.readyState = CLOSED;
    this.onclose?.({ code, reason, ...more });
  }
}

/** @param {Error & {code?: string}} error */
function reasonOf(error) {
  return error.code ?? error.name;
}

/** @param {Buffer} payload */
function utf8(payload) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(payload);
  } catch {
    throw new BadFrame(1007, "a text that is not UTF-8");
  }
}
