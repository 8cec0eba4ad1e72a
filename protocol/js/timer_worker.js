// The worker's half of `timers.js`: {id, delayMs} sets a timer, with null it is cancelled; what runs is told by its id.

/** @type {Map<number, ReturnType<typeof setTimeout>>} */
const timers = new Map();

/** @param {MessageEvent<{id: number, delayMs: number | null}>} event */
globalThis.onmessage = ({ data: { id, delayMs } }) => {
  clearTimeout(timers.get(id));
  timers.delete(id);
  if (delayMs === null) return;
  const run = () => {
    timers.delete(id);
    globalThis.postMessage(id);
  };
  timers.set(id, setTimeout(run, delayMs));
};
