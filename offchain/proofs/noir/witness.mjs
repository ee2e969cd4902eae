// node witness.mjs NODE_MODULES PROGRAM.json INPUTS.json WITNESS.gz: solves a circuit; exit code 3 if nothing satisfies it.
//
// noir_js's own `execute` writes the witness by way of WebAssembly, which takes as long as solving it does. What
// Barretenberg reads is MessagePack, gzipped: the format's number 3, then [[[0, {index: 32 bytes}]]].
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import zlib from "node:zlib";

const [modules, program, inputs, target] = process.argv.slice(2);
const require = createRequire(path.join(modules, "package.json"));
const { abi, acvm } = require("@noir-lang/noir_js");
const read = (file) => JSON.parse(fs.readFileSync(file, "utf8"));

const ELEMENT_BYTES = 32;

/** A MessagePack number after its tag, or the tag alone if it is small. */
function tagged(value, small, [most, tag16, tag32]) {
  if (value <= most) return Buffer.from([small | value]);
  const bytes = Buffer.alloc(value < 2 ** 16 ? 3 : 5);
  bytes[0] = value < 2 ** 16 ? tag16 : tag32;
  bytes.writeUIntBE(value, 1, bytes.length - 1);
  return bytes;
}

function encode(witness) {
  const parts = [Buffer.from([3, 0x91, 0x91, 0x92, 0]), tagged(witness.size, 0x80, [15, 0xde, 0xdf])];
  for (const [index, element] of [...witness].sort(([a], [b]) => a - b)) {
    const bytes = Buffer.from(element.slice(2).padStart(2 * ELEMENT_BYTES, "0"), "hex");
    if (bytes.length !== ELEMENT_BYTES) throw new Error(`witness ${index} is no element: ${element}`);
    parts.push(tagged(index, 0, [127, 0xcd, 0xce]), Buffer.from([0xc4, ELEMENT_BYTES]), bytes);
  }
  return Buffer.concat(parts);
}

try {
  const { bytecode, abi: form } = read(program);
  const known = abi.abiEncode(form, read(inputs));
  const [solved, ...others] = await acvm.executeProgram(Buffer.from(bytecode, "base64"), known, async () => []);
  if (others.length > 0) throw new Error("the program calls others; only one function can be proven");
  fs.writeFileSync(target, zlib.gzipSync(encode(solved.witness), { level: 1 }));
} catch (error) {
  const said = error.message ?? String(error);
  console.error(said);
  process.exit(/assert|constraint|failed to solve/i.test(said) ? 3 : 1);
}
process.exit(0);
