// The figures of the contract that bind frames.

/** What a client may send at once, in bytes. */
export const MAX_FRAME = 8192;
/** What a server may send at once, in bytes: a `welcome` names all the seats of a session. */
export const MAX_SERVER_FRAME = 65536;
/** Maps and lists inside each other, the message itself being the first. */
export const MAX_DEPTH = 8;
/** Doubles count exactly up to here. */
export const MAX_COUNT = 2 ** 53;

export const LEAST_INTEGER = -(2n ** 63n);
export const MOST_INTEGER = 2n ** 64n - 1n;
