// How things can go wrong. Being denied a seat is none of these: `denied` is an answer like `granted`.

/** @typedef {import("./messages.js").ErrorMessage} ErrorMessage */
/** @typedef {import("./events.js").Closed} Closed */

/** A frame that is no message. `message` is short and never repeats what was in the frame. */
export class BadMessage extends Error {
  /** @param {string} reason */
  constructor(reason) {
    super(reason);
    this.name = "BadMessage";
  }
}

/**
 * There is no session to ask in, or the connection ended before the answer. Whether a request took effect is then
 * unknown; the seats of the next `welcome` say.
 */
export class Disconnected extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = "Disconnected";
  }
}

/** The server could not serve the request. `error.temporary`: asking again later may help. */
export class RequestRefused extends Error {
  /** @param {ErrorMessage} error */
  constructor(error) {
    super(`${error.code}: ${error.message}`);
    this.name = "RequestRefused";
    this.error = error;
  }
}

/** The client stopped before it had a session; `closed` says why. */
export class Stopped extends Error {
  /** @param {Closed} closed */
  constructor(closed) {
    super(`${closed.code} ${closed.reason}`.trimEnd());
    this.name = "Stopped";
    this.closed = closed;
  }
}
