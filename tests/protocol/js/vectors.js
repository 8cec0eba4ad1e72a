// Every vector through the JavaScript client, in Node as in a browser. Answers how many were looked at, and what failed.

import { Backoff } from "../../../protocol/js/backoff.js";
import { CLOSE_CODES, DENIALS, actionOf } from "../../../protocol/js/codes.js";
import { CODECS } from "../../../protocol/js/codec.js";
import { BadMessage } from "../../../protocol/js/errors.js";
import { ClientLease } from "../../../protocol/js/lease.js";
import { Conversation, IllegalMessage, TABLE } from "../../../protocol/js/state.js";

export function check(files) {
  const told = { checked: 0, failed: [] };
  const one = (name, run) => {
    told.checked += 1;
    try {
      run();
    } catch (error) {
      told.failed.push(`${name}: ${error.message}`);
    }
  };
  for (const row of files.messages.messages) one(`message ${row.name}`, () => aMessage(row));
  for (const row of files.messages.accepted) one(`accepted ${row.name} ${row.subprotocol}`, () => anAccepted(row));
  for (const row of files.malformed.frames) one(`malformed ${row.name} ${row.subprotocol}`, () => aMalformed(row));
  one("the table", () => same(sorted(ourTable()), sorted(files.states.table)));
  for (const row of files.states.sequences) one(`sequence ${row.name}`, () => aSequence(row));
  for (const row of files.close_codes.codes) one(`code ${row.number}`, () => aCode(row));
  for (const row of files.close_codes.unknown) one(`unknown ${row.number}`, () => same(actionOf(row.number), row.action));
  one("the codes are complete", () => same(Object.keys(CLOSE_CODES).length, files.close_codes.codes.length));
  one("denials", () => same(files.close_codes.denials, { ...DENIALS }));
  for (const row of files.close_codes.backoff) one(`backoff ${row.name}`, () => aBackoff(row));
  for (const row of files.lease.client) one(`lease ${row.name}`, () => aLease(row));
  return told;
}

const sorted = (rows) => rows.map((row) => row.join(" ")).sort();
const ourTable = () =>
  Object.entries(TABLE).flatMap(([state, row]) => Object.entries(row).map(([word, next]) => [state, word, next]));

function aMessage(row) {
  const decode = (name, frame) => decoded(row.from, CODECS[name], frame);
  same(decode("seatd.v1.msgpack", bytes(row.msgpack)), row.map);
  same(decode("seatd.v1.json", row.json), row.map);
  for (const [name, codec] of Object.entries(CODECS)) same(decode(name, codec.encode(row.map)), row.map);
  const ours = CODECS["seatd.v1.msgpack"].encode(row.map);
  if (ours.length > bytes(row.msgpack).length) throw new Error(`${ours.length} bytes where fewer would do`);
}

function anAccepted(row) {
  same(decoded(row.from, CODECS[row.subprotocol], assembled(row)), row.map);
}

function aMalformed(row) {
  try {
    decoded(row.from, CODECS[row.subprotocol], assembled(row));
  } catch (error) {
    if (!(error instanceof BadMessage)) throw error;
    // Where the shape is wrong each implementation words it in its own way.
    if (!/^(Expected|Object|Invalid)/.test(row.reason)) same(error.message, row.reason);
    return;
  }
  throw new Error("was accepted");
}

function aSequence(row) {
  const conversation = new Conversation();
  for (const [, word, following] of row.steps) same(conversation.said(word), following);
  if (row.refused === null) return;
  const [, word, close] = row.refused;
  try {
    conversation.said(word);
  } catch (error) {
    if (!(error instanceof IllegalMessage)) throw error;
    return same(error.secondHello ? 4409 : 4400, close);
  }
  throw new Error("was not refused");
}

function aCode(row) {
  same([CLOSE_CODES[row.number], actionOf(row.number)], [row.slug, row.action]);
}

function aBackoff(row) {
  let drawn = null;
  const backoff = new Backoff(() => {
    const random = drawn;
    drawn = null;
    if (random === null) throw new Error("drew where nothing is left to chance");
    return random;
  });
  for (const step of row.steps) {
    drawn = step.random;
    if (step.action === "settled") backoff.settled();
    else same(backoff.delayS(step.action, row.linger_s), step.delay_s);
    same(drawn, null);
  }
}

function aLease(row) {
  const lease = new ClientLease();
  for (const step of row.steps) {
    if (step.do === "hello_sent") lease.helloSent(step.at_s);
    if (step.do === "welcomed") lease.welcomed(step.lease_s);
    if (step.do === "beat") lease.beatReceived(step.n, step.lease_s, step.at_s);
    if (step.do === "alive_sent") lease.aliveSent(step.n, step.at_s);
    same(lease.untilS, step.until_s ?? -Infinity);
  }
  for (const [atS, valid] of row.valid) same(lease.valid(atS), valid);
}

function decoded(from, codec, frame) {
  return from === "client" ? codec.decodeClient(frame) : codec.decodeServer(frame);
}

function assembled(row) {
  const kind = row.kind ?? (row.subprotocol.endsWith("msgpack") ? "binary" : "text");
  const text = row.parts.map(([piece, times]) => piece.repeat(times)).join("");
  return kind === "binary" ? bytes(text) : text;
}

function bytes(hex) {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

function same(found, expected) {
  const [one, other] = [canonical(found), canonical(expected)];
  if (one !== other) throw new Error(`${one}, not ${other}`);
}

function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical)}]`;
  if (typeof value !== "object" || value === null) return typeof value === "number" ? String(value) : JSON.stringify(value);
  return `{${Object.keys(value).sort().map((key) => `${key}:${canonical(value[key])}`)}}`;
}
