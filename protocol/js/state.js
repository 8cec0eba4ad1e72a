// The conversation as one table: state x message -> next state. What is absent is an error.
//
// A message may cross another on the wire, so a state also takes what the peer could rightly have sent before it
// learned of the change.

/** @typedef {"new" | "opening" | "waiting" | "live" | "leaving" | "closed"} State */

const CLIENT_WORDS = ["alive", "acquire", "release", "busy", "refresh", "take_over", "ack", "bye"];
const SERVER_WORDS = [
  ...["denied", "queued", "granted", "released", "beat", "changed", "notice", "sessions", "logout", "moving", "error"],
];
const SESSION_WORDS = [...CLIENT_WORDS, ...SERVER_WORDS];
const WAITER_WORDS = ["alive", "ack", "refresh", "beat", "queued", "notice", "moving", "error"];

/** @param {string[]} words @param {State} state @returns {Record<string, State>} */
const all = (words, state) => Object.fromEntries(words.map((word) => [word, state]));

/** @type {Readonly<Record<State, Readonly<Record<string, State>>>>} */
export const TABLE = {
  new: { hello: "opening" },
  opening: {
    welcome: "live",
    queued: "waiting",
    denied: "opening", // then the close, or the `welcome` of the emergency path
    ...all(["alive", "ack", "refresh"], "opening"), // of a waiter, before the `denied` reached it
    bye: "leaving",
  },
  waiting: { ...all(WAITER_WORDS, "waiting"), welcome: "live", denied: "opening", bye: "leaving", logout: "leaving" },
  live: { ...all(SESSION_WORDS, "live"), bye: "leaving", logout: "leaving" },
  leaving: { ...all(SESSION_WORDS, "leaving"), welcome: "leaving" }, // a waiter said `bye` while its turn came
  closed: {},
};

/** A message that the table has no entry for. */
export class IllegalMessage extends Error {
  /** @param {State} state @param {string} word */
  constructor(state, word) {
    super(`${word} in state ${state}`);
    this.name = "IllegalMessage";
    /** 4409 for a repeated `hello`, 4400 for anything else. */
    this.secondHello = word === "hello" && state !== "new";
  }
}

/** One connection's place in the table. */
export class Conversation {
  /** @type {State} */
  state = "new";

  /** Note a message, of either side. Throws `IllegalMessage` if it may not come or go now. @param {string} word */
  said(word) {
    const row = TABLE[this.state];
    if (!Object.hasOwn(row, word)) throw new IllegalMessage(this.state, word);
    this.state = row[word];
    return this.state;
  }

  /** Note that the connection has ended. */
  closed() {
    this.state = "closed";
  }
}
