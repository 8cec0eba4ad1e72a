// What no server is needed for: the clock, moments on it, and the frames of a WebSocket.

import assert from "node:assert/strict";
import test from "node:test";

import { Alarms } from "../../../protocol/js/alarms.js";
import { steadyClock } from "../../../protocol/js/clock.js";
import { endpoints } from "../../../protocol/js/connection.js";
import { claimDeviceId } from "../../../protocol/js/device.js";
import { BadFrame, FrameReader, frameBytes } from "../../../protocol/js/frames.js";

/** A monotonic and a wall clock that a test moves, apart if it likes. */
function clocks() {
  const at = { monotonicMs: 1000, wallMs: 1_790_000_000_000 };
  const passes = (ms) => { at.monotonicMs += ms; at.wallMs += ms; };
  return { at, passes, clock: steadyClock(() => at.monotonicMs, () => at.wallMs) };
}

test("the clock runs with the monotonic one", () => {
  const { passes, clock } = clocks();
  const begin = clock();
  for (let round = 0; round < 100; round++) passes(10), clock();
  assert.ok(Math.abs(clock() - begin - 1) < 1e-6);
});

test("the clock goes on while the machine sleeps", () => {
  const { at, clock } = clocks();
  const begin = clock();
  at.wallMs += 3_600_000; // the monotonic one stood still
  assert.equal(clock() - begin, 3600);
});

test("a sleep counts also after the wall clock was set back", () => {
  const { at, clock } = clocks();
  const begin = clock();
  at.wallMs -= 7_200_000;
  assert.equal(clock(), begin);
  at.wallMs += 60_000;
  assert.equal(clock() - begin, 60);
});

test("the clock never goes back, and drift is not added up", () => {
  const { at, clock } = clocks();
  let last = clock();
  for (let round = 0; round < 1000; round++) {
    at.monotonicMs += 10;
    at.wallMs += round % 2 ? 11 : 9; // it is read in whole steps
    const now = clock();
    assert.ok(now >= last);
    last = now;
  }
  assert.ok(Math.abs(last - 11) < 1e-6);
});

/** Timers that a test lets run. */
function timers() {
  const set = [];
  const setTimer = (delayS, run) => {
    const timer = { delayS, run };
    set.push(timer);
    return () => set.includes(timer) && set.splice(set.indexOf(timer), 1);
  };
  return { set, setTimer };
}

test("an alarm waits for its moment, not for its timer", () => {
  let nowS = 100;
  const { set, setTimer } = timers();
  const alarms = new Alarms(() => nowS, setTimer);
  let rang = 0;
  alarms.after(10, () => rang++);
  assert.equal(set[0].delayS, 10);
  nowS = 109.5;
  set[0].run(); // too early: timers and clock are not the same
  assert.deepEqual([rang, set.length, set[0].delayS], [0, 1, 0.5]);
  nowS = 110;
  set[0].run();
  assert.deepEqual([rang, set.length], [1, 0]);
});

test("after a sleep all that is due is done at once, and only once", () => {
  let nowS = 100;
  const { set, setTimer } = timers();
  const alarms = new Alarms(() => nowS, setTimer);
  const rang = [];
  alarms.at(105, () => rang.push("due"));
  alarms.at(500, () => rang.push("later"));
  const cancel = alarms.at(106, () => rang.push("cancelled"));
  cancel();
  nowS = 200;
  alarms.check();
  alarms.check();
  assert.deepEqual(rang, ["due"]);
  assert.equal(set.length, 1);
});

test("an alarm that cancels another", () => {
  const alarms = new Alarms(() => 100, timers().setTimer);
  const rang = [];
  alarms.at(1, () => (rang.push("first"), cancel()));
  const cancel = alarms.at(2, () => rang.push("second"));
  alarms.check();
  assert.deepEqual(rang, ["first"]);
});

const read = (...pieces) => {
  const reader = new FrameReader();
  const messages = pieces.flatMap((piece) => [...reader.read(Buffer.from(piece))]);
  return messages.map(({ opcode, payload }) => [opcode, payload.toString()]);
};

test("frames come whole, however the bytes arrive", () => {
  const bytes = [0x81, 2, 0x68, 0x69, 0x89, 0, 0x82, 1, 0x41];
  const whole = [[1, "hi"], [9, ""], [2, "A"]];
  assert.deepEqual(read(bytes), whole);
  assert.deepEqual(read(...bytes.map((byte) => [byte])), whole);
});

test("a message in pieces, with a ping in between", () => {
  assert.deepEqual(read([0x01, 1, 0x68], [0x89, 1, 0x70], [0x00, 1, 0x65], [0x80, 1, 0x79]), [[9, "p"], [1, "hey"]]);
});

test("lengths in two and in eight bytes", () => {
  const long = Buffer.alloc(300, 0x61);
  assert.equal(read(Buffer.concat([Buffer.from([0x81, 126, 1, 44]), long]))[0][1].length, 300);
  assert.equal(read(Buffer.concat([Buffer.from([0x81, 127, 0, 0, 0, 0, 0, 0, 1, 44]), long]))[0][1].length, 300);
});

const large = (head) => [head, 127, 0, 0, 0, 0, 0, 0, 0xff, 0, ...Array(0xff00).fill(0)];

for (const [what, code, ...pieces] of [
  ["a mask", 1002, [0x81, 0x81, 0, 0, 0, 0, 0]],
  ["a reserved bit", 1002, [0xc1, 0]],
  ["an unknown kind", 1002, [0x83, 0]],
  ["a ping in pieces", 1002, [0x09, 0]],
  ["a ping that is too long", 1002, [0x89, 126, 0, 126]],
  ["a continuation of nothing", 1002, [0x80, 0]],
  ["a message within a message", 1002, [0x01, 1, 0x61], [0x81, 0]],
  ["an announcement of 2^63 bytes", 1009, [0x82, 127, 128, 0, 0, 0, 0, 0, 0, 0]],
  ["pieces that are too much together", 1009, large(0x02), large(0x00)],
]) {
  test(`refused: ${what}`, () => {
    assert.throws(() => read(...pieces), (error) => error instanceof BadFrame && error.code === code);
  });
}

test("a client's frames are masked", () => {
  const mask = Buffer.from([1, 2, 3, 4]);
  assert.deepEqual([...frameBytes(1, Buffer.from("hello"), mask)], [0x81, 0x85, 1, 2, 3, 4, 0x69, 0x67, 0x6f, 0x68, 0x6e]);
  assert.deepEqual([...frameBytes(2, Buffer.alloc(300), mask).subarray(0, 8)], [0x82, 0xfe, 1, 44, 1, 2, 3, 4]);
});

test("where to connect", () => {
  assert.deepEqual(endpoints(["wss://a.example", "https://b.example/", "ws://c.example:8470/in/here"]), [
    ...["wss://a.example/v1/connect", "wss://b.example/v1/connect", "ws://c.example:8470/in/here"],
  ]);
  for (const wrong of [[], "ftp://a.example", "not a url"]) assert.throws(() => endpoints(wrong), TypeError);
});

test("outside of a browser a device id is a new one each time", async () => {
  const ids = await Promise.all([claimDeviceId(), claimDeviceId()]);
  assert.match(ids[0], /^[0-9a-f]{32}$/);
  assert.notEqual(ids[0], ids[1]);
});
