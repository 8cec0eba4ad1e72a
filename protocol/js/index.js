// seatd-client: what applications use. Its README says how.

export { SeatClient } from "./client.js";
export { CODECS } from "./codec.js";
export { CLOSE_CODES, DENIALS, actionOf } from "./codes.js";
export { claimDeviceId } from "./device.js";
export { BadMessage, Disconnected, RequestRefused, Stopped } from "./errors.js";

/** @typedef {import("./client.js").Options} Options */
/** @typedef {import("./events.js").Event} Event */
/** @typedef {import("./events.js").Closed} Closed */
/** @typedef {import("./holding.js").Belief} Belief */
/** @typedef {import("./timing.js").Timing} Timing */
/** @typedef {import("./connection.js").Socket} Socket */
/** @typedef {import("./messages.js").ServerMessage} ServerMessage */
/** @typedef {import("./messages.js").ClientMessage} ClientMessage */
/** @typedef {import("./messages.js").Welcome} Welcome */
/** @typedef {import("./messages.js").Denied} Denied */
/** @typedef {import("./messages.js").Granted} Granted */
/** @typedef {import("./messages.js").Seat} Seat */
/** @typedef {import("./messages.js").Device} Device */
