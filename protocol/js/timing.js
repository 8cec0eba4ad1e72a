// How a client measures and waits, in one place, so that whoever tests one can pass others.

import { steadyClock } from "./clock.js";
import { setTimer } from "./timers.js";
import { onWake } from "./wake.js";

/**
 * `connectS` bounds the upgrade, `answerS` the wait for the first answer to `hello`, `byeS` the wait for the server's
 * close after `bye`. `silenceS` is how long a connection may be silent before it counts as dead; null: one and a half
 * times the beat that the server named.
 * @typedef {object} Timing
 * @property {() => number} clock seconds; never goes back, goes on while the machine sleeps
 * @property {import("./timers.js").SetTimer} setTimer
 * @property {(woken: () => void) => () => void} onWake
 * @property {() => number} random from 0 to 1
 * @property {number} connectS
 * @property {number} answerS
 * @property {number} byeS
 * @property {number | null} silenceS
 */

/** @returns {Timing} */
export function usualTiming() {
  return {
    clock: steadyClock(),
    setTimer,
    onWake,
    random: Math.random,
    connectS: 10,
    answerS: 20,
    byeS: 2,
    silenceS: null,
  };
}
