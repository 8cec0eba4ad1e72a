// What a client tells its application: every message of the server but `beat`, and the events below.

import { actionOf } from "./codes.js";

/** @typedef {import("./codes.js").Action} Action */
/** @typedef {import("./messages.js").ServerMessage} ServerMessage */
/** @typedef {import("./messages.js").Beat} Beat */

/**
 * A connection has ended, or could not be opened. `code` is the close code, 1006 if there was none, or the HTTP status
 * (below 1000) that refused the upgrade, where the socket can tell (a browser's cannot). `waitS` is what the server
 * asked to wait at least. `retryInS` is when the client tries again; null: it has stopped, and this is its last event.
 * @typedef {{type: "closed", code: number, reason: string, action: Action, waitS: number, retryInS: number | null}} Closed
 */

/**
 * The lease has ended without a word of the server: stop using the seats. They come back with a `welcome` or a beat,
 * which `usable` then says.
 * @typedef {{type: "lapsed"}} Lapsed
 */

/**
 * The seats of a lapsed lease may be used again: a beat was late, but came.
 * @typedef {{type: "usable"}} Usable
 */

/** @typedef {Exclude<ServerMessage, Beat> | Closed | Lapsed | Usable} Event */

/**
 * @param {number} code
 * @param {string} reason
 * @param {{action?: Action, waitS?: number}} [more]
 * @returns {Closed}
 */
export function closed(code, reason, { action = actionOf(code), waitS = 0 } = {}) {
  return { type: "closed", code, reason, action, waitS, retryInS: null };
}
