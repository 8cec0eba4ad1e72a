// Timers that also run in a page that nobody sees.
//
// Browsers hold back the timers of a hidden page, each in its own way: to one a second, and those that timers set to one
// a minute, which is too late to notice a dead connection while its seats are kept. A dedicated worker's are not held
// back. So in a page each timer is set twice, in the page and in a worker, and the first that runs counts; where a worker
// cannot be had, nothing is lost but that.

/** @typedef {(delayS: number, run: () => void) => () => void} SetTimer answers how to cancel it */

const LONGEST_MS = 2 ** 31 - 1;

/** @type {SetTimer} */
export const setTimer = (delayS, run) => {
  const delayMs = Math.min(LONGEST_MS, Math.max(0, delayS * 1000));
  const once = () => {
    cancel();
    run();
  };
  const own = setTimeout(once, delayMs);
  const cancelWorkers = inWorker()?.set(delayMs, once);
  const cancel = () => {
    clearTimeout(own);
    cancelWorkers?.();
  };
  return cancel;
};

class WorkerTimers {
  #worker;
  #next = 1;
  /** @type {Map<number, () => void>} */
  #waiting = new Map();

  /** @param {Worker} worker */
  constructor(worker) {
    this.#worker = worker;
    worker.onmessage = ({ data }) => this.#waiting.get(data)?.();
    worker.onerror = (event) => event.preventDefault(); // the page's own timers are there
  }

  /** @param {number} delayMs @param {() => void} run */
  set(delayMs, run) {
    const id = this.#next++;
    this.#waiting.set(id, run);
    this.#worker.postMessage({ id, delayMs });
    return () => {
      if (this.#waiting.delete(id)) this.#worker.postMessage({ id, delayMs: null });
    };
  }
}

/** @type {WorkerTimers | null | undefined} */
let shared;

/** One worker for all clients of a page; none outside of pages, and where the page's rules forbid it. */
function inWorker() {
  if (shared === undefined) shared = isPage() ? made() : null;
  return shared;
}

function isPage() {
  return typeof document !== "undefined" && typeof Worker !== "undefined";
}

function made() {
  try {
    return new WorkerTimers(new Worker(new URL("./timer_worker.js", import.meta.url), { type: "module" }));
  } catch {
    return null;
  }
}
