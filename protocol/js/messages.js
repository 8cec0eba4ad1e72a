// Every message of the wire. What the contract marks optional is absent while it has nothing to say.
//
// Limits bind what a client sends; messages of a server carry only those that a client relies on, so that an older
// client can read what a newer server says.

import { BadMessage } from "./errors.js";
import { isMap, list, map, oneOf, optional, text, truth, whole } from "./shapes.js";

/** @typedef {"desktop" | "mobile" | "web_phone" | "ip_phone"} DeviceKind */
/** @typedef {{kind: DeviceKind, id: string, name?: string, version?: string}} Device */
/** @typedef {{session: string, secret: string, ticket?: string}} Resume */
/**
 * @typedef {{product: string, license: string, kind: "competitive" | "nominal", holder: string, since_ms: number,
 *   until_ms: number, overdraft?: boolean}} Seat `until_ms` is the end of the license, not of a lease
 */
/** @typedef {{session: string, device: Device, since_ms: number, seats: readonly Seat[]}} SessionInfo */

/**
 * @typedef {{type: "hello", token: string, device: Device, need: readonly string[], want?: readonly string[],
 *   wait_s?: number, allow_unseated?: boolean, resume?: Resume}} Hello
 */
/** @typedef {{type: "alive", n: number}} Alive */
/** @typedef {{type: "acquire", ref: number, products: readonly string[], wait_s?: number}} Acquire */
/** @typedef {{type: "release", ref: number, products: readonly string[]}} Release */
/** @typedef {{type: "busy", busy: boolean}} Busy */
/** @typedef {{type: "refresh", token: string}} Refresh */
/** @typedef {{type: "take_over", ref: number, session: string}} TakeOver */
/** @typedef {{type: "ack", order: number}} Ack */
/** @typedef {{type: "bye"}} Bye */
/** @typedef {Hello | Alive | Acquire | Release | Busy | Refresh | TakeOver | Ack | Bye} ClientMessage */

/**
 * @typedef {{type: "welcome", session: string, secret: string, resumed: boolean, user: string, domain: string,
 *   node: string, seats: readonly Seat[], sections: readonly string[], beat_s: number, lease_s: number, linger_s: number,
 *   server_ms: number, max_frame: number, token_ttl_s: number, ticket?: string}} Welcome
 */
/**
 * @typedef {{type: "denied", code: string, message: string, ref?: number, product?: string, retry_after_s?: number,
 *   limit?: number, used?: number, waiting?: number, holders?: readonly SessionInfo[]}} Denied
 */
/** @typedef {{type: "queued", product: string, position: number, ref?: number, ahead_s?: number}} Queued */
/** @typedef {{type: "granted", seats: readonly Seat[], sections: readonly string[], ref?: number}} Granted */
/** @typedef {{type: "released", ref: number, products: readonly string[], sections: readonly string[]}} Released */
/** @typedef {{type: "beat", n: number, lease_s: number, ticket?: string}} Beat */
/** @typedef {{type: "changed", seats: readonly Seat[], sections: readonly string[], reason: string}} Changed */
/** @typedef {{type: "notice", code: string, message: string, until_ms?: number}} Notice */
/** @typedef {{type: "sessions", ref: number, sessions: readonly SessionInfo[]}} Sessions */
/** @typedef {{type: "logout", order: number, code: string, message: string, cooldown_s: number, by?: string}} Logout */
/** @typedef {{type: "moving", after_ms: number}} Moving */
/** @typedef {{type: "error", code: string, message: string, temporary: boolean, ref?: number}} ErrorMessage */
/**
 * @typedef {Welcome | Denied | Queued | Granted | Released | Beat | Changed | Notice | Sessions | Logout | Moving
 *   | ErrorMessage} ServerMessage
 */

const KEY = /^[A-Za-z0-9_-]+$/;
const PLAIN = /^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*$/;
const count = whole();
const label = optional(text(0, 64, PLAIN), "");
const product = text(1, 64, /^[A-Za-z0-9_]+$/);
const products = list(product, 16);
const waitS = optional(whole(0, 86_400), 0);
const token = text(1, 6144);
const sessionKey = text(1, 64, KEY);
const ticket = optional(text(1, 1024, KEY));
const words = list(text());

const device = map({
  kind: oneOf("desktop", "mobile", "web_phone", "ip_phone"),
  id: text(1, 128, PLAIN),
  name: label,
  version: label,
});
const resume = map({ session: sessionKey, secret: sessionKey, ticket });
const seat = map({
  product: text(),
  license: text(),
  kind: oneOf("competitive", "nominal"),
  holder: text(),
  since_ms: count,
  until_ms: count,
  overdraft: optional(truth, false),
});
const seats = list(seat);
const sessionInfos = list(map({ session: text(), device, since_ms: count, seats }));

/** @typedef {import("./shapes.js").Shape} Shape */

/** @type {Readonly<Record<string, Shape>>} */
const OF_CLIENTS = {
  hello: map({
    token,
    device,
    need: products,
    want: optional(products, []),
    wait_s: waitS,
    allow_unseated: optional(truth, false),
    resume: optional(resume),
  }),
  alive: map({ n: count }),
  acquire: map({ ref: count, products, wait_s: waitS }),
  release: map({ ref: count, products }),
  busy: map({ busy: truth }),
  refresh: map({ token }),
  take_over: map({ ref: count, session: sessionKey }),
  ack: map({ order: count }),
  bye: map({}),
};

/** @type {Readonly<Record<string, Shape>>} */
const OF_SERVERS = {
  welcome: map({
    session: sessionKey,
    secret: sessionKey,
    resumed: truth,
    user: text(),
    domain: text(),
    node: text(),
    seats,
    sections: words,
    beat_s: count,
    lease_s: count,
    linger_s: count,
    server_ms: count,
    max_frame: count,
    token_ttl_s: count,
    ticket,
  }),
  denied: map({
    ref: optional(count),
    code: text(),
    product: optional(text()),
    message: text(),
    retry_after_s: optional(count),
    limit: optional(count),
    used: optional(count),
    waiting: optional(count),
    holders: optional(sessionInfos, []),
  }),
  queued: map({ ref: optional(count), product: text(), position: count, ahead_s: optional(count) }),
  granted: map({ ref: optional(count), seats, sections: words }),
  released: map({ ref: count, products: words, sections: words }),
  beat: map({ n: count, lease_s: count, ticket }),
  changed: map({ seats, sections: words, reason: text() }),
  notice: map({ code: text(), message: text(), until_ms: optional(count) }),
  sessions: map({ ref: count, sessions: sessionInfos }),
  logout: map({ order: count, code: text(), message: text(), by: optional(text()), cooldown_s: count }),
  moving: map({ after_ms: count }),
  error: map({ code: text(), message: text(), ref: optional(count), temporary: truth }),
};

/** The message of a client that a tree is. Throws `BadMessage`. @param {unknown} tree @returns {ClientMessage} */
export function clientMessage(tree) {
  return /** @type {ClientMessage} */ (message(tree, OF_CLIENTS));
}

/** The message of a server that a tree is. Throws `BadMessage`. @param {unknown} tree @returns {ServerMessage} */
export function serverMessage(tree) {
  return /** @type {ServerMessage} */ (message(tree, OF_SERVERS));
}

/** Whether a word is the `type` of a message of a server. @param {string} word */
export function isOfServer(word) {
  return Object.hasOwn(OF_SERVERS, word);
}

/** @param {unknown} tree @param {Readonly<Record<string, Shape>>} types */
function message(tree, types) {
  if (!isMap(tree)) throw new BadMessage("not a map");
  if (!Object.hasOwn(tree, "type")) throw new BadMessage("no `type`");
  const word = tree.type;
  if (typeof word !== "string" || !Object.hasOwn(types, word)) throw new BadMessage("unknown `type`");
  const fields = /** @type {Record<string, unknown>} */ (types[word](tree, word));
  return Object.freeze({ type: word, ...fields });
}
