// Two texts, line by line: what went, what came, what stayed.

const MOST = 1500; // lines of a side; of more only what is the same at both ends is found

/** `[mark, line]`s; the mark is "-", "+" or " ". */
export function lineDifference(before, after) {
  let head = 0;
  while (head < before.length && head < after.length && before[head] === after[head]) head += 1;
  let tail = 0;
  while (tail < before.length - head && tail < after.length - head && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1;
  const [some, others] = [before.slice(head, before.length - tail), after.slice(head, after.length - tail)];
  const same = (lines) => lines.map((line) => [" ", line]);
  return [...same(before.slice(0, head)), ...between(some, others), ...same(before.slice(before.length - tail))];
}

function between(some, others) {
  if (some.length > MOST || others.length > MOST) return [...some.map((line) => ["-", line]), ...others.map((line) => ["+", line])];
  const lengths = common(some, others);
  const found = [];
  let [at, to] = [0, 0];
  while (at < some.length || to < others.length) {
    if (at < some.length && to < others.length && some[at] === others[to]) {
      found.push([" ", some[at]]);
      [at, to] = [at + 1, to + 1];
    } else if (at < some.length && (to >= others.length || lengths[at + 1][to] >= lengths[at][to + 1])) {
      found.push(["-", some[at]]);
      at += 1;
    } else {
      found.push(["+", others[to]]);
      to += 1;
    }
  }
  return found;
}

/** How many lines the rests from here on have in common, in order. */
function common(some, others) {
  const lengths = Array.from({ length: some.length + 1 }, () => new Uint16Array(others.length + 1));
  for (let at = some.length - 1; at >= 0; at -= 1) {
    for (let to = others.length - 1; to >= 0; to -= 1) {
      lengths[at][to] = some[at] === others[to] ? lengths[at + 1][to + 1] + 1 : Math.max(lengths[at + 1][to], lengths[at][to + 1]);
    }
  }
  return lengths;
}
