// Seconds on a clock that never goes back and goes on while the machine sleeps.
//
// `performance.now()` never goes back, but on some systems it stands still during sleep; `Date.now()` goes on, but may be
// set. So this is the first, put forward whenever the second has run ahead of it at once. That can only make a lease look
// shorter than it is, never longer.

/** A wall clock that is merely kept in step with the world drifts by less than this between two looks at it. */
const JUMP_MS = 250;

/**
 * @param {() => number} [monotonicMs]
 * @param {() => number} [wallMs]
 * @returns {() => number}
 */
export function steadyClock(monotonicMs = () => performance.now(), wallMs = () => Date.now()) {
  let apartMs = wallMs() - monotonicMs();
  let sleptMs = 0;
  return () => {
    const nowMs = monotonicMs();
    const nowApartMs = wallMs() - nowMs;
    if (nowApartMs - apartMs > JUMP_MS) sleptMs += nowApartMs - apartMs;
    apartMs = nowApartMs;
    return (nowMs + sleptMs) / 1000;
  };
}
