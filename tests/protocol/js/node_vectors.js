// The vectors in Node: the folder's path comes as argument, the verdict goes to standard output as JSON.

import { readFileSync } from "node:fs";
import { join } from "node:path";

import { check } from "./vectors.js";

const names = ["messages", "malformed", "states", "close_codes", "lease"];
const read = (name) => JSON.parse(readFileSync(join(process.argv[2], `${name}.json`), "utf8"));
process.stdout.write(JSON.stringify(check(Object.fromEntries(names.map((name) => [name, read(name)])))));
