// Frames as JSON lines of {from, subprotocol, frame (hex or text)} on standard input; for each, what it is understood as.

import { createInterface } from "node:readline";

import { CODECS } from "../../../protocol/js/codec.js";
import { BadMessage } from "../../../protocol/js/errors.js";

function understood({ from, subprotocol, hex, text }) {
  const frame = hex === undefined ? text : Uint8Array.from(Buffer.from(hex, "hex"));
  const codec = CODECS[subprotocol];
  try {
    return { map: from === "client" ? codec.decodeClient(frame) : codec.decodeServer(frame) };
  } catch (error) {
    if (error instanceof BadMessage) return { refused: error.message };
    return { broke: `${error.name}: ${error.message}` };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(understood(JSON.parse(line)))}\n`);
}
