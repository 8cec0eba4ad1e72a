// QR codes (ISO/IEC 18004): bytes, error correction level M, versions 1 to 20 (666 bytes), which is more than an
// authenticator's address ever needs.

const CHECKS = [10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26]; // error correction bytes of a block
const BLOCKS = [1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16];
const LEVEL_M = 0;
const BYTES = 0b0100;

/** The modules of a text's code: rows of booleans, true is dark. `mask`: one of the eight, or the best. */
export function qrModules(text, mask = null) {
  const data = new TextEncoder().encode(text);
  const version = CHECKS.findIndex((_, at) => data.length + lengthBytes(at + 1) + 1 <= dataBytes(at + 1)) + 1;
  if (!version) throw new RangeError("The text is too long for a QR code.");
  const bits = interleaved(version, packed(version, data)).flatMap((byte) => bitsOf(byte, 8));
  const masks = mask === null ? [0, 1, 2, 3, 4, 5, 6, 7] : [mask];
  const drawn = masks.map((one) => drawnCode(version, bits, one));
  return drawn.reduce((best, next) => (penalty(next) < penalty(best) ? next : best));
}

// -- what stands in it ---------------------------------------------------------------------------------------

function lengthBytes(version) {
  return version < 10 ? 1 : 2;
}

/** How many modules hold data: all but the patterns that every code has. */
function rawBits(version) {
  const around = version > 1 ? Math.floor(version / 7) + 2 : 0;
  const alignment = around ? (25 * around - 10) * around - 55 : 0;
  return (16 * version + 128) * version + 64 - alignment - (version >= 7 ? 36 : 0);
}

function dataBytes(version) {
  return Math.floor(rawBits(version) / 8) - CHECKS[version - 1] * BLOCKS[version - 1];
}

function bitsOf(value, count) {
  return Array.from({ length: count }, (_, at) => (value >>> (count - 1 - at)) & 1);
}

/** Mode, length, the bytes, and what fills the rest. */
function packed(version, data) {
  const room = dataBytes(version);
  const bits = [...bitsOf(BYTES, 4), ...bitsOf(data.length, 8 * lengthBytes(version)), ...[...data].flatMap((byte) => bitsOf(byte, 8)), 0, 0, 0, 0];
  const bytes = [];
  for (let at = 0; at < bits.length && bytes.length < room; at += 8) bytes.push(bits.slice(at, at + 8).reduce((byte, bit, place) => byte | (bit << (7 - place)), 0));
  for (let fill = 0xec; bytes.length < room; fill ^= 0xec ^ 0x11) bytes.push(fill);
  return bytes;
}

/** The blocks with their error correction, one byte of each in turn. */
function interleaved(version, bytes) {
  const [count, checks] = [BLOCKS[version - 1], CHECKS[version - 1]];
  const divisor = generator(checks);
  const short = Math.floor(bytes.length / count);
  const longer = bytes.length % count;
  let start = 0;
  const blocks = Array.from({ length: count }, (_, at) => {
    const block = bytes.slice(start, (start += short + (at >= count - longer ? 1 : 0)));
    return { block, rest: remainder(block, divisor) };
  });
  const turns = (lists) => Array.from({ length: Math.max(...lists.map((list) => list.length)) }, (_, at) => lists.filter((list) => at < list.length).map((list) => list[at])).flat();
  return [...turns(blocks.map(({ block }) => block)), ...turns(blocks.map(({ rest }) => rest))];
}

/** Multiplies in GF(256) modulo x^8 + x^4 + x^3 + x^2 + 1. */
function times(one, other) {
  let product = 0;
  for (let bit = 7; bit >= 0; bit -= 1) {
    product = (product << 1) ^ ((product >>> 7) * 0x11d);
    product ^= ((other >>> bit) & 1) * one;
  }
  return product;
}

/** (x - 2^0)(x - 2^1)...: the coefficients, the highest power (1) left out. */
function generator(degree) {
  const result = [...Array(degree - 1).fill(0), 1];
  let root = 1;
  for (let step = 0; step < degree; step += 1) {
    for (let at = 0; at < degree; at += 1) result[at] = times(result[at], root) ^ (result[at + 1] ?? 0);
    root = times(root, 2);
  }
  return result;
}

function remainder(bytes, divisor) {
  const rest = divisor.map(() => 0);
  for (const byte of bytes) {
    const factor = byte ^ rest.shift();
    rest.push(0);
    divisor.forEach((coefficient, at) => (rest[at] ^= times(coefficient, factor)));
  }
  return rest;
}

// -- how it is drawn -------------------------------------------------------------------------------------------

const MASKS = [
  (x, y) => (x + y) % 2 === 0,
  (_, y) => y % 2 === 0,
  (x) => x % 3 === 0,
  (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2 === 0,
  (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0,
  (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
];

function drawnCode(version, bits, mask) {
  const size = 4 * version + 17;
  const rows = Array.from({ length: size }, () => Array(size).fill(null));
  const set = (x, y, dark) => {
    if (x >= 0 && y >= 0 && x < size && y < size) rows[y][x] = Boolean(dark);
  };
  drawPatterns(version, size, set);
  drawFormat(size, set, mask);
  if (version >= 7) drawVersion(version, size, set);
  fill(rows, bits, MASKS[mask]);
  return rows;
}

function drawPatterns(version, size, set) {
  for (let at = 0; at < size; at += 1) {
    set(6, at, at % 2 === 0);
    set(at, 6, at % 2 === 0);
  }
  const centres = alignmentCentres(version, size);
  const last = centres.length - 1;
  centres.forEach((x, i) => centres.forEach((y, j) => {
    const is_finder = (i === 0 && j === 0) || (i === 0 && j === last) || (i === last && j === 0);
    if (!is_finder) drawSquares(x, y, 2, set, (ring) => ring !== 1);
  }));
  for (const [x, y] of [[3, 3], [size - 4, 3], [3, size - 4]]) drawSquares(x, y, 4, set, (ring) => ring !== 2 && ring !== 4);
}

function drawSquares(x, y, reach, set, isDark) {
  for (let dy = -reach; dy <= reach; dy += 1) {
    for (let dx = -reach; dx <= reach; dx += 1) set(x + dx, y + dy, isDark(Math.max(Math.abs(dx), Math.abs(dy))));
  }
}

function alignmentCentres(version, size) {
  if (version === 1) return [];
  const count = Math.floor(version / 7) + 2;
  const step = Math.ceil((size - 13) / (2 * count - 2)) * 2;
  return [6, ...Array.from({ length: count - 1 }, (_, at) => size - 7 - step * (count - 2 - at))];
}

/** Level and mask, protected by a BCH code, beside the finder patterns. */
function drawFormat(size, set, mask) {
  const data = (LEVEL_M << 3) | mask;
  let rest = data;
  for (let step = 0; step < 10; step += 1) rest = (rest << 1) ^ ((rest >>> 9) * 0x537);
  const bits = ((data << 10) | rest) ^ 0x5412;
  const bit = (at) => (bits >>> at) & 1;
  for (let at = 0; at <= 5; at += 1) set(8, at, bit(at));
  set(8, 7, bit(6));
  set(8, 8, bit(7));
  set(7, 8, bit(8));
  for (let at = 9; at < 15; at += 1) set(14 - at, 8, bit(at));
  for (let at = 0; at < 8; at += 1) set(size - 1 - at, 8, bit(at));
  for (let at = 8; at < 15; at += 1) set(8, size - 15 + at, bit(at));
  set(8, size - 8, 1);
}

function drawVersion(version, size, set) {
  let rest = version;
  for (let step = 0; step < 12; step += 1) rest = (rest << 1) ^ ((rest >>> 11) * 0x1f25);
  const bits = (version << 12) | rest;
  for (let at = 0; at < 18; at += 1) {
    const [far, near] = [size - 11 + (at % 3), Math.floor(at / 3)];
    set(far, near, (bits >>> at) & 1);
    set(near, far, (bits >>> at) & 1);
  }
}

/** Two columns at a time from the right, up and down in turn; what is left over stays light. */
function fill(rows, bits, isMasked) {
  const size = rows.length;
  let next = 0;
  for (let right = size - 1; right >= 1; right -= 2) {
    if (right === 6) right = 5; // the timing pattern
    const is_upward = ((right + 1) & 2) === 0;
    for (let step = 0; step < size; step += 1) {
      const y = is_upward ? size - 1 - step : step;
      for (const x of [right, right - 1]) {
        if (rows[y][x] !== null) continue;
        rows[y][x] = Boolean(bits[next] ?? 0) !== isMasked(x, y);
        next += 1;
      }
    }
  }
}

/** How hard a code is to read: long runs, blocks, what looks like a finder, and too much of one colour. */
function penalty(rows) {
  const columns = rows.map((_, x) => rows.map((row) => row[x]));
  const lines = [...rows, ...columns].map((line) => line.map(Number).join(""));
  let points = 0;
  for (const line of lines) {
    for (const [run] of line.matchAll(/0{5,}|1{5,}/g)) points += run.length - 2;
    for (let at = 0; at + 11 <= line.length; at += 1) {
      const piece = line.slice(at, at + 11);
      if (piece === "10111010000" || piece === "00001011101") points += 40;
    }
  }
  for (let y = 0; y + 1 < rows.length; y += 1) {
    for (let x = 0; x + 1 < rows.length; x += 1) {
      if (rows[y][x] === rows[y][x + 1] && rows[y][x] === rows[y + 1][x] && rows[y][x] === rows[y + 1][x + 1]) points += 3;
    }
  }
  const dark = rows.flat().filter(Boolean).length / rows.length ** 2;
  return points + 10 * Math.floor(Math.abs(dark - 0.5) * 20);
}
