// node compile.mjs NODE_MODULES SOURCE_FOLDER PROGRAM.json: compiles a Noir package; exit code 1 with the diagnostics.
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import v8 from "node:v8";

// As in witness.mjs: a small circuit then compiles in a second instead of five, a large one a third slower.
v8.setFlagsFromString("--liftoff-only");

const [modules, source, target] = process.argv.slice(2);
const require = createRequire(path.join(modules, "package.json"));
const { compile, createFileManager } = require("@noir-lang/noir_wasm");

try {
  const ignore = () => {};
  const compiled = await compile(createFileManager(source), undefined, ignore, ignore);
  const { noir_version, hash, abi, bytecode } = compiled.program ?? compiled;
  fs.writeFileSync(target, JSON.stringify({ noir_version, hash, abi, bytecode }));
} catch (error) {
  const found = error.diagnostics?.map((one) => `${one.file}: ${one.message}`) ?? [];
  console.error([error.message, ...found].join("\n"));
  process.exit(1);
}
process.exit(0);
