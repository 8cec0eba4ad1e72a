// What happens now: the event stream of a customer, or a question that is asked again and again.
//
// Both look only while the page is visible, come back by themselves with growing pauses, and say how things stand:
// "live", "stale" (the server has not been heard for a while; `since` is when it was last), "paused", or "over" (the server refuses it).

import { api, ApiError, isAborted } from "./api.js";

const SILENCE_S = 40; // a stream says something every 15 s
const PAUSES_S = [1, 2, 4, 8, 15, 30];

/** How live data stands, for one page: `state`, and `since`, a Date. Pages give it to `<live-badge>`. */
export class Liveness extends EventTarget {
  state = "connecting";
  since = new Date();

  set(state) {
    if (state === "live") this.since = new Date();
    if (state === this.state) return;
    this.state = state;
    this.dispatchEvent(new Event("change"));
  }
}

/**
 * Follows a customer's stream until `signal` ends it. `onEvent({type, data})` gets each event, also "usage";
 * `onGap` is called when something may have been missed: read again what is shown.
 */
export async function follow(customer, { types = "", onEvent, onGap = () => {}, liveness, signal }) {
  let last = "";
  await forever({ liveness, signal }, async (attempt, alive) => {
    const query = { customer, types, after: last };
    const response = await api.get("/stream", query, { signal: attempt, raw: true, background: true });
    if (!response.headers.get("Content-Type")?.startsWith("text/event-stream")) throw new ApiError({ code: "offline", detail: "This is no stream." });
    alive();
    for await (const { id, type, data } of events(response.body, alive)) {
      last = id || last;
      if (type === "gap" || type === "lagging") onGap();
      else if (type !== "end") onEvent({ type, data });
    }
  });
}

/** Calls `ask(signal)` every so often until `signal` ends it; a server that takes long to answer is asked less often. */
export async function poll(ask, { every_s = 3, liveness, signal }) {
  await forever({ liveness, signal }, async (attempt, alive) => {
    for (;;) {
      const began_ms = performance.now();
      await ask(attempt);
      const took_s = (performance.now() - began_ms) / 1000;
      const wait_s = Math.max(every_s, 9 * took_s); // so it asks for a tenth of the time at the most
      alive(wait_s);
      await pause(wait_s, attempt);
    }
  });
}

/** Makes attempts while the page is visible; each one ends when nothing was heard for too long. */
async function forever({ liveness, signal }, attempt_once) {
  let failures = 0;
  while (!signal.aborted) {
    await visible(signal, liveness);
    if (signal.aborted) return;
    const attempt = new AbortController();
    const hush = quiet(attempt, signal);
    try {
      await attempt_once(attempt.signal, (wait_s = 0) => {
        failures = 0;
        hush.heard(wait_s);
        liveness.set("live");
      });
    } catch (error) {
      if (!isAborted(error) && !(error instanceof ApiError) && !(error instanceof TypeError)) throw error;
      if (error.status === 401 || error.status === 403) return liveness.set("over");
    } finally {
      hush.over();
      attempt.abort();
    }
    if (signal.aborted) return;
    if (document.hidden) continue;
    if (failures > 0 || hush.is_silent) liveness.set("stale");
    await backOff(failures, signal);
    failures += 1;
  }
}

/** Waits longer after each failure, each browser a little differently; but no longer than until there is a network again. */
async function backOff(failures, signal) {
  const over = new AbortController();
  addEventListener("online", () => over.abort(), { signal: over.signal });
  const wait_s = PAUSES_S[Math.min(failures, PAUSES_S.length - 1)] * (0.75 + Math.random() / 2);
  await pause(wait_s, AbortSignal.any([signal, over.signal])).catch(() => {});
  over.abort();
}

/** Ends an attempt when nothing is heard, when there is no network, when the page is hidden, and when all is over. */
function quiet(attempt, signal) {
  const end = () => attempt.abort();
  const hidden = () => document.hidden && end();
  let timer = 0;
  const silent = () => {
    watch.is_silent = true;
    end();
  };
  const watch = {
    is_silent: false,
    heard(wait_s = 0) {
      clearTimeout(timer);
      timer = setTimeout(silent, (wait_s + SILENCE_S) * 1000); // nothing is asked for so long
    },
    over() {
      clearTimeout(timer);
      removeEventListener("offline", silent);
      signal.removeEventListener("abort", end);
      document.removeEventListener("visibilitychange", hidden);
    },
  };
  addEventListener("offline", silent);
  signal.addEventListener("abort", end);
  document.addEventListener("visibilitychange", hidden);
  watch.heard();
  return watch;
}

async function visible(signal, liveness) {
  if (!document.hidden) return;
  liveness.set("paused");
  await new Promise((resolve) => {
    const over = new AbortController();
    const look = () => {
      if (document.hidden && !signal.aborted) return;
      over.abort();
      resolve();
    };
    document.addEventListener("visibilitychange", look, { signal: over.signal });
    signal.addEventListener("abort", look, { signal: over.signal });
  });
}

/** Waits; throws when `signal` ends first. */
export function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    const over = () => {
      clearTimeout(timer);
      reject(new DOMException("over", "AbortError"));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", over);
      resolve();
    }, seconds * 1000);
    if (signal?.aborted) over();
    else signal?.addEventListener("abort", over, { once: true });
  });
}

/** The events of a stream. Comments count as signs of life. (EventSource would tell us neither of them nor of a refusal.) */
export async function* events(body, alive = () => {}) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      alive();
      const blocks = (text + value).split("\n\n");
      text = blocks.pop();
      yield* blocks.map(parsed).filter((event) => event.data !== undefined);
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

function parsed(block) {
  const event = { id: "", type: "message", data: undefined };
  for (const line of block.split("\n")) {
    if (line.startsWith("id: ")) event.id = line.slice(4);
    else if (line.startsWith("event: ")) event.type = line.slice(7);
    else if (line.startsWith("data: ")) event.data = JSON.parse(line.slice(6));
  }
  return event;
}
