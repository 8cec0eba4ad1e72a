// A strict reader of JSON. `JSON.parse` would not do: it lets a later key take the place of an earlier one of the same
// name, rounds integers, and reads nesting of any depth.

import { BadMessage } from "./errors.js";
import { deeper, emptyMap, integer, put, Real, wellFormed } from "./tree.js";

const SPACE = /[ \t\n\r]*/y;
const NUMBER = /(-?(?:0|[1-9][0-9]*))(\.[0-9]+)?([eE][-+]?[0-9]+)?/y;
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const LITERALS = new Map([["true", true], ["false", false], ["null", null]]);
const NO_NUMBERS = ["NaN", "Infinity", "-Infinity"];
const ESCAPES = new Map(Object.entries({ '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" }));
// 20 digits and a sign hold every integer of 64 bits; a longer one is not even looked at.
const INTEGER_DIGITS = 21;

/** @param {string} text @returns {unknown} */
export function readJson(text) {
  const reader = new Reader(text);
  const value = reader.value(1);
  reader.end();
  return value;
}

const invalid = () => new BadMessage("not valid JSON");

class Reader {
  #text;
  #at = 0;

  /** @param {string} text */
  constructor(text) {
    this.#text = text;
  }

  /** @param {number} level @returns {unknown} */
  value(level) {
    this.#match(SPACE);
    const value = this.#bare(level);
    this.#match(SPACE);
    return value;
  }

  end() {
    if (this.#at < this.#text.length) throw new BadMessage("trailing bytes");
  }

  /** @param {number} level @returns {unknown} */
  #bare(level) {
    if (this.#takes("{")) return this.#map(deeper(level));
    if (this.#takes("[")) return this.#list(deeper(level));
    if (this.#takes('"')) return this.#string();
    for (const [word, value] of LITERALS) if (this.#takes(word)) return value;
    if (NO_NUMBERS.some((word) => this.#takes(word))) throw new BadMessage("NaN or Infinity");
    return this.#number();
  }

  /** @param {number} inside */
  #map(inside) {
    const map = emptyMap();
    this.#match(SPACE);
    if (this.#takes("}")) return map;
    do {
      this.#match(SPACE);
      this.#expect('"');
      const key = this.#string();
      this.#match(SPACE);
      this.#expect(":");
      put(map, key, this.value(inside));
    } while (this.#takes(","));
    this.#expect("}");
    return map;
  }

  /** @param {number} inside */
  #list(inside) {
    /** @type {unknown[]} */
    const list = [];
    this.#match(SPACE);
    if (this.#takes("]")) return list;
    do list.push(this.value(inside));
    while (this.#takes(","));
    this.#expect("]");
    return list;
  }

  #string() {
    let text = this.#match(PLAIN)[0];
    while (!this.#takes('"')) {
      this.#expect("\\");
      text += this.#escaped() + this.#match(PLAIN)[0];
    }
    return wellFormed(text);
  }

  #escaped() {
    const letter = this.#text[this.#at++];
    if (letter === "u") {
      const digits = this.#text.slice(this.#at, this.#at + 4);
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw invalid();
      this.#at += 4;
      return String.fromCharCode(parseInt(digits, 16));
    }
    const meant = ESCAPES.get(letter);
    if (meant === undefined) throw invalid();
    return meant;
  }

  #number() {
    const [all, digits, fraction, exponent] = this.#match(NUMBER);
    if (fraction !== undefined || exponent !== undefined) return new Real(Number(all));
    if (digits.length > INTEGER_DIGITS) throw new BadMessage("integer outside 64 bits");
    return integer(BigInt(digits));
  }

  /** @param {RegExp} sticky @returns {RegExpExecArray} */
  #match(sticky) {
    sticky.lastIndex = this.#at;
    const found = sticky.exec(this.#text);
    if (found === null) throw invalid();
    this.#at += found[0].length;
    return found;
  }

  /** @param {string} word */
  #takes(word) {
    if (!this.#text.startsWith(word, this.#at)) return false;
    this.#at += word.length;
    return true;
  }

  /** @param {string} word */
  #expect(word) {
    if (!this.#takes(word)) throw invalid();
  }
}
