// node solidity.mjs NODE_MODULES INPUT.json OUTPUT.json: the Solidity compiler's standard JSON.
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import v8 from "node:v8";

v8.setFlagsFromString("--liftoff-only"); // as in witness.mjs

const [modules, input, output] = process.argv.slice(2);
const require = createRequire(path.join(modules, "package.json"));
fs.writeFileSync(output, require("solc").compile(fs.readFileSync(input, "utf8")));
process.exit(0);
