// node many.mjs NODE_MODULES PROGRAM.json CASES.json ANSWERS.json: which of many inputs satisfy a circuit.
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const [modules, program, cases, target] = process.argv.slice(2);
const require = createRequire(path.join(modules, "package.json"));
const { Noir } = require("@noir-lang/noir_js");
const read = (file) => JSON.parse(fs.readFileSync(file, "utf8"));

const noir = new Noir(read(program));
const answers = [];
for (const inputs of read(cases)) {
  try {
    await noir.execute(inputs);
    answers.push(true);
  } catch (error) {
    if (!/assert|constraint|failed to solve/i.test(error.message ?? "")) throw error;
    answers.push(false);
  }
}
fs.writeFileSync(target, JSON.stringify(answers));
process.exit(0);
