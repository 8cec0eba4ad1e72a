// What a frame's reader builds before the shape is known: null, booleans, texts, lists, maps, and numbers.
//
// A whole number is a `number` where that is exact, else a `bigint`. A number with a fraction or an exponent is a
// `Real`, whatever its value: 1.0 is no count. Maps have no prototype, so that no key means anything to JavaScript.

import { BadMessage } from "./errors.js";
import { LEAST_INTEGER, MAX_COUNT, MAX_DEPTH, MOST_INTEGER } from "./limits.js";

/** A number that is not written as a whole one. */
export class Real {
  /** @param {number} value */
  constructor(value) {
    if (!Number.isFinite(value)) throw new BadMessage("NaN or Infinity");
    this.value = value;
  }
}

/** @param {bigint} value @returns {number | bigint} */
export function integer(value) {
  if (value < LEAST_INTEGER || value > MOST_INTEGER) throw new BadMessage("integer outside 64 bits");
  return value >= -MAX_COUNT && value <= MAX_COUNT ? Number(value) : value;
}

/** @returns {Record<string, unknown>} */
export function emptyMap() {
  return Object.create(null);
}

/** @param {Record<string, unknown>} map @param {string} key @param {unknown} value */
export function put(map, key, value) {
  if (key in map) throw new BadMessage("a key stands twice");
  map[key] = value;
}

/** The levels below a map or list. @param {number} level how deep it lies itself, the message being 1 */
export function deeper(level) {
  if (level > MAX_DEPTH) throw new BadMessage(`nested deeper than ${MAX_DEPTH}`);
  return level + 1;
}

/** @param {string} text @returns {string} */
export function wellFormed(text) {
  if (/\p{Surrogate}/u.test(text)) throw new BadMessage("text is not valid UTF-8");
  return text;
}
