// When a page comes back: to be looked at, out of the cache, out of a freeze, onto the network.

/**
 * Calls `woken` whenever that happens. Answers how to stop it. Outside of pages there is nothing to listen to.
 * @param {() => void} woken
 * @returns {() => void}
 */
export function onWake(woken) {
  if (typeof document === "undefined" || typeof addEventListener === "undefined") return () => {};
  const seen = () => document.visibilityState === "visible" && woken();
  /** @type {[EventTarget, string, () => void][]} */
  const listened = [
    [document, "visibilitychange", seen],
    [document, "resume", woken],
    [globalThis, "pageshow", woken],
    [globalThis, "online", woken],
  ];
  for (const [target, word, listener] of listened) target.addEventListener(word, listener);
  return () => {
    for (const [target, word, listener] of listened) target.removeEventListener(word, listener);
  };
}
