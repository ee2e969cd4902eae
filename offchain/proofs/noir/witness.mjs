// node witness.mjs NODE_MODULES PROGRAM.json INPUTS.json WITNESS.gz: solves a circuit; exit code 3 if nothing satisfies it.
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const [modules, program, inputs, target] = process.argv.slice(2);
const require = createRequire(path.join(modules, "package.json"));
const { Noir } = require("@noir-lang/noir_js");
const read = (file) => JSON.parse(fs.readFileSync(file, "utf8"));

try {
  const { witness } = await new Noir(read(program)).execute(read(inputs));
  fs.writeFileSync(target, witness);
} catch (error) {
  console.error(error.message ?? String(error));
  process.exit(/assert|constraint|failed to solve/i.test(error.message ?? "") ? 3 : 1);
}
process.exit(0);
