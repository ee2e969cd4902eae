// node compile.mjs NODE_MODULES SOURCE_FOLDER PROGRAM.json: compiles a Noir package; exit code 1 with the diagnostics.
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import v8 from "node:v8";

const LARGE = 20_000;
const [modules, source, target] = process.argv.slice(2);

// As in witness.mjs: a small circuit then compiles in a second instead of five; one of 100,000 weights would take three times as long.
const text = fs.readFileSync(path.join(source, "src", "main.nr"), "utf8");
const lengths = Array.from(text.matchAll(/\[Field; (\d+)\]/g), (found) => Number(found[1]));
if (Math.max(0, ...lengths) < LARGE) v8.setFlagsFromString("--liftoff-only");

const require = createRequire(path.join(modules, "package.json"));
const { compile, createFileManager } = require("@noir-lang/noir_wasm");

try {
  const ignore = () => {};
  const compiled = await compile(createFileManager(source), undefined, ignore, ignore);
  const { noir_version, hash, abi, bytecode } = compiled.program ?? compiled;
  fs.writeFileSync(target, JSON.stringify({ noir_version, hash, abi, bytecode }));
} catch (error) {
  const found = error.diagnostics?.map((one) => `${one.file}: ${one.message}`) ?? [];
  const why = error.message === "unreachable" ? "out of WebAssembly's memory; give smaller chunks" : error.message;
  console.error([why, ...found].join("\n"));
  process.exit(1);
}
process.exit(0);
