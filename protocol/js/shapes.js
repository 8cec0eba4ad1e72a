// Shapes that a value out of a frame, or one of ours, is checked against.
//
// A `Shape` answers the value as the contract means it, or throws `BadMessage` with the place and what was expected
// there, never with what was found.

import { BadMessage } from "./errors.js";
import { MAX_COUNT } from "./limits.js";
import { Real, wellFormed } from "./tree.js";

/** @typedef {(value: unknown, at: string) => unknown} Shape */
/** @typedef {{shape: Shape, optional: boolean, usual: unknown}} Field */
/** @typedef {Readonly<Record<string, Shape | Field>>} Fields */

/** @param {string} expected @param {string} at */
const refuse = (expected, at) => new BadMessage(`expected ${expected} at \`${at}\``);

/** A whole number. @param {number} least @param {number} most @returns {Shape} */
export function whole(least = 0, most = MAX_COUNT) {
  return (value, at) => {
    const fits = typeof value === "number" && Number.isInteger(value) && value >= least && value <= most;
    if (!fits) throw refuse(`a whole number from ${least} to ${most}`, at);
    return value;
  };
}

/**
 * A text with so many characters (code points, as the contract counts them).
 * @param {number} least
 * @param {number} most
 * @param {RegExp} pattern of the whole text
 * @returns {Shape}
 */
export function text(least = 0, most = Infinity, pattern = /^/) {
  return (value, at) => {
    if (typeof value !== "string") throw refuse("a text", at);
    wellFormed(value);
    const length = value.length <= least || value.length > most ? [...value].length : value.length;
    if (length < least || length > most) throw refuse(`a text of ${least} to ${most} characters`, at);
    if (!pattern.test(value)) throw refuse("other characters", at);
    return value;
  };
}

/** @type {Shape} */
export const truth = (value, at) => {
  if (typeof value !== "boolean") throw refuse("true or false", at);
  return value;
};

/** @param {...string} words @returns {Shape} */
export function oneOf(...words) {
  return (value, at) => {
    if (typeof value !== "string" || !words.includes(value)) throw refuse(`one of ${words.join(", ")}`, at);
    return value;
  };
}

/** @param {Shape} shape of each item @param {number} most how many there may be @returns {Shape} */
export function list(shape, most = Infinity) {
  return (value, at) => {
    if (!Array.isArray(value)) throw refuse("a list", at);
    if (value.length > most) throw refuse(`at most ${most} items`, at);
    return Object.freeze(value.map((item, index) => shape(item, `${at}[${index}]`)));
  };
}

/**
 * A field that may be left out. One that has a usual value is left out while it has that; another may also be null.
 * @param {Shape} shape
 * @param {unknown} [usual]
 * @returns {Field}
 */
export function optional(shape, usual) {
  return { shape, optional: true, usual };
}

/** A map. What is not among its fields is ignored. @param {Fields} fields @returns {Shape} */
export function map(fields) {
  const known = Object.entries(fields).map(([name, field]) => /** @type {const} */ ([name, asField(field)]));
  return (value, at) => {
    if (!isMap(value)) throw refuse("a map", at);
    /** @type {Record<string, unknown>} */
    const found = {};
    for (const [name, field] of known) {
      const there = Object.hasOwn(value, name) ? value[name] : undefined;
      if (!isThere(there, field)) {
        if (!field.optional) throw new BadMessage(`\`${name}\` is missing in \`${at}\``);
        continue;
      }
      const fitting = field.shape(there, `${at}.${name}`);
      if (!isUsual(fitting, field)) found[name] = fitting;
    }
    return Object.freeze(found);
  };
}

/** @param {unknown} value @returns {value is Record<string, unknown>} */
export function isMap(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Real);
}

/** @param {Shape | Field} field @returns {Field} */
function asField(field) {
  return typeof field === "function" ? { shape: field, optional: false, usual: undefined } : field;
}

/** @param {unknown} value @param {Field} field */
function isThere(value, field) {
  return value !== undefined && !(value === null && field.optional && field.usual === undefined);
}

/** @param {unknown} value @param {Field} field */
function isUsual(value, field) {
  if (!field.optional) return false;
  return Array.isArray(field.usual) ? Array.isArray(value) && value.length === 0 : value === field.usual;
}
