// msgpack as the contract uses it: nil, booleans, integers, floats, str, array, map; no bin, no ext.
//
// Headers announce sizes up to 4 GiB. Nothing is believed that the frame has no bytes for, so the memory that a frame can
// cost is bounded by the frame.

import { BadMessage } from "./errors.js";
import { deeper, emptyMap, integer, put, Real, wellFormed } from "./tree.js";

/** @param {Uint8Array} frame @returns {unknown} */
export function readMsgpack(frame) {
  const reader = new Reader(frame);
  const value = reader.value(1);
  reader.end();
  return value;
}

/** @param {unknown} value what JSON could hold, with whole numbers only @returns {Uint8Array<ArrayBuffer>} */
export function writeMsgpack(value) {
  const writer = new Writer();
  writer.value(value);
  return new Uint8Array(writer.bytes);
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

class Reader {
  #bytes;
  #view;
  #at = 0;

  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  end() {
    if (this.#at < this.#bytes.length) throw new BadMessage("trailing bytes");
  }

  /** @param {number} level @returns {unknown} */
  value(level) {
    const head = this.#uint(1);
    if (head < 0x80) return head;
    if (head < 0x90) return this.#map(head & 0x0f, level);
    if (head < 0xa0) return this.#list(head & 0x0f, level);
    if (head < 0xc0) return this.#text(head & 0x1f);
    if (head >= 0xe0) return head - 0x100;
    return this.#headed(head, level);
  }

  /** @param {number} head 0xc0 to 0xdf @param {number} level @returns {unknown} */
  #headed(head, level) {
    switch (head) {
      case 0xc0: return null;
      case 0xc1: throw new BadMessage("not valid msgpack");
      case 0xc2: return false;
      case 0xc3: return true;
      case 0xc4: case 0xc5: case 0xc6: return this.#bin(this.#uint(1 << (head - 0xc4)));
      case 0xca: return new Real(this.#view.getFloat32(this.#skip(4)));
      case 0xcb: return new Real(this.#view.getFloat64(this.#skip(8)));
      case 0xcc: case 0xcd: case 0xce: return this.#uint(1 << (head - 0xcc));
      case 0xcf: return integer(this.#view.getBigUint64(this.#skip(8)));
      case 0xd0: return this.#view.getInt8(this.#skip(1));
      case 0xd1: return this.#view.getInt16(this.#skip(2));
      case 0xd2: return this.#view.getInt32(this.#skip(4));
      case 0xd3: return integer(this.#view.getBigInt64(this.#skip(8)));
      case 0xd9: case 0xda: case 0xdb: return this.#text(this.#uint(1 << (head - 0xd9)));
      case 0xdc: case 0xdd: return this.#list(this.#uint(2 << (head - 0xdc)), level);
      case 0xde: case 0xdf: return this.#map(this.#uint(2 << (head - 0xde)), level);
      default: throw new BadMessage("ext types are not used");
    }
  }

  /** @param {number} count @param {number} level */
  #list(count, level) {
    const inside = deeper(level);
    this.#affordable(count);
    /** @type {unknown[]} */
    const list = [];
    for (let left = count; left > 0; left--) list.push(this.value(inside));
    return list;
  }

  /** @param {number} count @param {number} level */
  #map(count, level) {
    const inside = deeper(level);
    this.#affordable(2 * count);
    const map = emptyMap();
    for (let left = count; left > 0; left--) put(map, this.#key(), this.value(inside));
    return map;
  }

  #key() {
    const head = this.#uint(1);
    if (head >= 0xa0 && head < 0xc0) return this.#text(head & 0x1f);
    if (head >= 0xd9 && head <= 0xdb) return this.#text(this.#uint(1 << (head - 0xd9)));
    throw new BadMessage("a key is not text");
  }

  /** @param {number} length */
  #text(length) {
    const from = this.#skip(length);
    try {
      return UTF8.decode(this.#bytes.subarray(from, from + length));
    } catch {
      throw new BadMessage("text is not valid UTF-8");
    }
  }

  /** @param {number} length @returns {never} */
  #bin(length) {
    this.#affordable(length);
    throw new BadMessage("bin, where only text is used");
  }

  /** @param {number} width 1, 2 or 4 bytes */
  #uint(width) {
    const at = this.#skip(width);
    if (width === 1) return this.#view.getUint8(at);
    return width === 2 ? this.#view.getUint16(at) : this.#view.getUint32(at);
  }

  /** Where the next `length` bytes lie. @param {number} length */
  #skip(length) {
    this.#affordable(length);
    const at = this.#at;
    this.#at += length;
    return at;
  }

  /** @param {number} count of bytes at least */
  #affordable(count) {
    if (count > this.#bytes.length - this.#at) throw new BadMessage("cut short");
  }
}

class Writer {
  /** @type {number[]} */
  bytes = [];

  /** @param {unknown} value */
  value(value) {
    if (value === null) this.bytes.push(0xc0);
    else if (typeof value === "boolean") this.bytes.push(value ? 0xc3 : 0xc2);
    else if (typeof value === "number") this.#integer(value);
    else if (typeof value === "string") this.#text(value);
    else if (Array.isArray(value)) this.#list(value);
    else if (typeof value === "object") this.#map(/** @type {Record<string, unknown>} */ (value));
    else throw new TypeError(`a ${typeof value} has no place in a message`);
  }

  /** @param {number} value */
  #integer(value) {
    if (!Number.isSafeInteger(value) && value !== 2 ** 53) throw new TypeError("a number that is not whole");
    if (value >= 0 && value < 0x80) this.bytes.push(value);
    else if (value >= 0) this.#sized(value, 0xcc, [1, 2, 4, 8]);
    else if (value >= -32) this.bytes.push(value + 0x100);
    else this.#wide(0xd3, BigInt.asUintN(64, BigInt(value)), 8);
  }

  /** @param {string} text */
  #text(text) {
    const utf8 = new TextEncoder().encode(wellFormed(text));
    if (utf8.length < 32) this.bytes.push(0xa0 + utf8.length);
    else this.#sized(utf8.length, 0xd9, [1, 2, 4]);
    for (const byte of utf8) this.bytes.push(byte);
  }

  /** @param {unknown[]} list */
  #list(list) {
    if (list.length < 16) this.bytes.push(0x90 + list.length);
    else this.#sized(list.length, 0xdc, [2, 4]);
    for (const item of list) this.value(item);
  }

  /** @param {Record<string, unknown>} map */
  #map(map) {
    const fields = Object.entries(map);
    if (fields.length < 16) this.bytes.push(0x80 + fields.length);
    else this.#sized(fields.length, 0xde, [2, 4]);
    for (const [key, value] of fields) {
      this.#text(key);
      this.value(value);
    }
  }

  /**
   * A head and the number in the first of the widths that holds it.
   * @param {number} value
   * @param {number} head
   * @param {number[]} widths in bytes
   */
  #sized(value, head, widths) {
    const step = widths.findIndex((width) => value < 2 ** (8 * width));
    this.#wide(head + step, BigInt(value), widths[step]);
  }

  /** @param {number} head @param {bigint} value @param {number} width in bytes */
  #wide(head, value, width) {
    this.bytes.push(head);
    for (let shift = 8 * (width - 1); shift >= 0; shift -= 8) this.bytes.push(Number((value >> BigInt(shift)) & 0xffn));
  }
}
