// Frames to messages and back, for both sub-protocols, with hard limits. Only `BadMessage` comes out of reading, whatever
// comes in; and its words never repeat what came in.

import { BadMessage } from "./errors.js";
import { readJson } from "./json.js";
import { MAX_FRAME, MAX_SERVER_FRAME } from "./limits.js";
import { clientMessage, isOfServer, serverMessage } from "./messages.js";
import { readMsgpack, writeMsgpack } from "./msgpack.js";
import { wellFormed } from "./tree.js";

/** @typedef {import("./messages.js").ClientMessage} ClientMessage */
/** @typedef {import("./messages.js").ServerMessage} ServerMessage */
/** @typedef {string | Uint8Array<ArrayBuffer>} Frame what a socket sends */
/** @typedef {string | Uint8Array} Heard what a socket has received */

/**
 * One sub-protocol.
 * @typedef {object} Codec
 * @property {string} name
 * @property {(message: ClientMessage | ServerMessage) => Frame} encode throws `BadMessage` for what is no message, and
 *   `RangeError` for one that is larger than its side may send
 * @property {(frame: Heard) => ClientMessage} decodeClient throws `BadMessage`
 * @property {(frame: Heard) => ServerMessage} decodeServer throws `BadMessage`
 */

/**
 * @param {string} name
 * @param {(message: object) => Frame} write
 * @param {(frame: Heard) => unknown} read
 * @returns {Codec}
 */
function codec(name, write, read) {
  return Object.freeze({
    name,
    encode: (/** @type {ClientMessage | ServerMessage} */ message) => {
      const ofServer = isOfServer(message.type);
      const frame = write(ofServer ? serverMessage(message) : clientMessage(message));
      const limit = ofServer ? MAX_SERVER_FRAME : MAX_FRAME;
      if (isLarger(frame, limit)) throw new RangeError(`a message larger than ${limit} bytes`);
      return frame;
    },
    decodeClient: (/** @type {Heard} */ frame) => clientMessage(read(bounded(frame, MAX_FRAME))),
    decodeServer: (/** @type {Heard} */ frame) => serverMessage(read(bounded(frame, MAX_SERVER_FRAME))),
  });
}

const MSGPACK = codec("seatd.v1.msgpack", writeMsgpack, (frame) => {
  if (typeof frame === "string") throw new BadMessage("a text frame on msgpack");
  return readMsgpack(frame);
});

const JSON_TEXT = codec("seatd.v1.json", (message) => wellFormed(JSON.stringify(message)), (frame) => {
  if (typeof frame !== "string") throw new BadMessage("a binary frame on JSON");
  return readJson(frame);
});

/** By the sub-protocol's name. @type {Readonly<Record<string, Codec>>} */
export const CODECS = Object.freeze({ [MSGPACK.name]: MSGPACK, [JSON_TEXT.name]: JSON_TEXT });

/** @param {Heard} frame @param {number} limit */
function bounded(frame, limit) {
  if (isLarger(frame, limit)) throw new BadMessage(`larger than ${limit} bytes`);
  return frame;
}

/** @param {Heard} frame @param {number} limit in bytes */
function isLarger(frame, limit) {
  if (frame.length > limit || typeof frame !== "string") return frame.length > limit;
  return 3 * frame.length > limit && new TextEncoder().encode(frame).length > limit;
}
