// The driver in Node: commands as JSON lines on standard input, answers and events on standard output.

import { createInterface } from "node:readline";

import { nodeSocket } from "../../../protocol/js/node.js";
import { Driver } from "./driver.js";

const say = (told) => process.stdout.write(`${JSON.stringify(told)}\n`);
const driver = new Driver(say, process.argv.includes("--own-socket") ? undefined : nodeSocket());

for await (const line of createInterface({ input: process.stdin })) {
  const { number, command } = JSON.parse(line);
  driver.do(...command).then(
    (result) => say({ number, result }),
    (error) => say({ number, failure: `${error.name}: ${error.message}` }),
  );
}
process.exit(0);
