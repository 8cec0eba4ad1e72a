// The frames of RFC 6455 as a client reads and writes them; no I/O.

import { MAX_SERVER_FRAME } from "./limits.js";

export const CONTINUATION = 0;
export const TEXT = 1;
export const BINARY = 2;
export const CLOSE = 8;
export const PING = 9;
export const PONG = 10;

/** A frame that a server may not send. `code` is what the connection is closed with. */
export class BadFrame extends Error {
  /** @param {number} code @param {string} what */
  constructor(code, what) {
    super(what);
    this.code = code;
  }
}

/** @typedef {{opcode: number, payload: Buffer}} Message a whole one, or a control frame */

/** Bytes in, messages out. */
export class FrameReader {
  #bytes = Buffer.alloc(0);
  /** @type {Buffer[]} */
  #parts = [];
  #opcode = CONTINUATION;

  /** What has come in whole with these bytes. Throws `BadFrame`. @param {Buffer} bytes @returns {Generator<Message>} */
  *read(bytes) {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    for (let frame = this.#next(); frame !== null; frame = this.#next()) {
      const message = frame.opcode >= CLOSE ? frame : this.#assembled(frame);
      if (message !== null) yield message;
    }
  }

  /** The next frame, if it is there. @returns {(Message & {final: boolean}) | null} */
  #next() {
    if (this.#bytes.length < 2) return null;
    const [first, second] = this.#bytes;
    if ((first & 0x70) !== 0 || (second & 0x80) !== 0) throw new BadFrame(1002, "reserved bits, or a mask");
    const extra = second === 126 ? 2 : second === 127 ? 8 : 0;
    if (this.#bytes.length < 2 + extra) return null;
    const length = extra === 2 ? this.#bytes.readUInt16BE(2) : extra === 8 ? Number(this.#bytes.readBigUInt64BE(2)) : second;
    const opcode = first & 0x0f;
    if (length > MAX_SERVER_FRAME) throw new BadFrame(1009, "a frame that is too large");
    if (opcode >= CLOSE && (length > 125 || (first & 0x80) === 0)) throw new BadFrame(1002, "a bad control frame");
    if (this.#bytes.length < 2 + extra + length) return null;
    const payload = this.#bytes.subarray(2 + extra, 2 + extra + length);
    this.#bytes = this.#bytes.subarray(2 + extra + length);
    return { opcode, payload, final: (first & 0x80) !== 0 };
  }

  /** @param {Message & {final: boolean}} frame @returns {Message | null} */
  #assembled({ opcode, payload, final }) {
    const goesOn = this.#parts.length > 0;
    if (opcode > BINARY || goesOn !== (opcode === CONTINUATION)) throw new BadFrame(1002, "a frame out of turn");
    if (!goesOn) this.#opcode = opcode;
    this.#parts.push(payload);
    const size = this.#parts.reduce((sum, part) => sum + part.length, 0);
    if (size > MAX_SERVER_FRAME) throw new BadFrame(1009, "a message that is too large");
    if (!final) return null;
    const whole = { opcode: this.#opcode, payload: Buffer.concat(this.#parts) };
    this.#parts = [];
    return whole;
  }
}

/**
 * The bytes of a client's frame. Payloads of more than 65535 bytes are beyond what the contract lets a client send.
 * @param {number} opcode
 * @param {Uint8Array} payload
 * @param {Uint8Array} mask four random bytes
 */
export function frameBytes(opcode, payload, mask) {
  const long = payload.length > 125;
  if (payload.length > 0xffff) throw new RangeError("too large for a frame");
  const size = long ? [126, payload.length >> 8, payload.length & 0xff] : [payload.length];
  const head = Buffer.from([0x80 | opcode, 0x80 | size[0], ...size.slice(1)]);
  return Buffer.concat([head, mask, payload.map((byte, index) => byte ^ mask[index % 4])]);
}
