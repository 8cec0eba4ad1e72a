// Close codes and denials. A client decides by the hundreds of a close code, so that it also knows what to do
// about a number that is newer than itself.

/** @typedef {"done" | "resume" | "reconnect" | "new_token" | "tell" | "never"} Action */

export const NORMAL = 1000;
export const MOVING = 4000;
/** RFC 6455, 7.4.1: never on the wire; a close frame without a code, and an end without a close frame. */
export const NO_STATUS = 1005;
export const ABNORMAL = 1006;

/** @type {Readonly<Record<number, Action>>} */
const BY_HUNDREDS = { 40: "resume", 41: "reconnect", 42: "new_token", 43: "tell", 44: "never" };

/**
 * What a client does when its connection has ended with this code: known, unknown, or 1006.
 * @param {number} number
 * @returns {Action}
 */
export function actionOf(number) {
  if (number === 1000 || number === 1001) return "done";
  return BY_HUNDREDS[Math.floor(number / 100)] ?? "reconnect";
}

/** Every close code of the contract with the word that stands in its reason. @type {Readonly<Record<number, string>>} */
export const CLOSE_CODES = Object.freeze({
  1000: "normal",
  1001: "going_away",
  4000: "moving",
  4001: "lease_lost",
  4002: "store_lost",
  4100: "overloaded",
  4101: "slow_consumer",
  4102: "no_alive",
  4103: "internal",
  4104: "rate_limited",
  4200: "token_expired",
  4201: "token_revoked",
  4202: "hello_timeout",
  4300: "denied",
  4301: "replaced",
  4302: "logout",
  4303: "license_ended",
  4400: "bad_message",
  4401: "bad_token",
  4403: "forbidden",
  4409: "second_hello",
});

/** Denial codes, and whether the same request may well succeed soon. @type {Readonly<Record<string, boolean>>} */
export const DENIALS = Object.freeze({
  no_seat: true,
  not_licensed: false,
  not_assigned: false,
  not_entitled: false,
  license_expired: false,
  license_not_yet_valid: false,
  base_missing: false,
  device_not_allowed: false,
  cooldown: true,
  queue_full: true,
  wait_timeout: true,
  suspended: false,
  unavailable: true,
  recovering: true,
  overloaded: true,
});
