// What to tell a person about an event; null: nothing. What this page does not know it tells by the server's `message`.

const DENIED = {
  no_seat: (denied) => `All ${denied.limit} seats are taken.`,
  queue_full: () => "All seats are taken, and the queue is full.",
  wait_timeout: () => "No seat came free in time.",
  cooldown: (denied) => `You were signed out a short while ago. Try again in ${denied.retry_after_s ?? "some"} s.`,
  unavailable: () => "The server cannot give seats at the moment. Try again soon.",
  recovering: () => "The server is being checked. Try again in a minute.",
};

const CLOSED = {
  4301: "You have signed in elsewhere.",
  4303: "The license has ended.",
  4401: "You are not known here. Sign in again.",
  4403: "You may not do this.",
};

export function inWords(event) {
  switch (event.type) {
    case "denied":
      return Object.hasOwn(DENIED, event.code) ? DENIED[event.code](event) : event.message;
    case "logout":
      return `${event.by ?? "An administrator"} has signed you out: ${event.message || "no reason was given"}`;
    case "notice":
      return event.code === "token_expiring" ? null : event.message; // the client shows a new token by itself
    case "changed":
      return event.reason;
    case "lapsed":
      return "The server cannot be reached. Calls are not possible until it can.";
    case "closed":
      return event.retryInS === null ? (CLOSED[event.code] ?? null) : null;
    default:
      return null;
  }
}
