// node witness.mjs NODE_MODULES PROGRAM.json INPUTS.json WITNESS.gz: solves a circuit; exit code 3 if nothing satisfies it.
//
// noir_js's own `execute` reads inputs and writes witnesses by way of WebAssembly, which takes longer than solving. The
// parameters' numbers, in their order, are the first witnesses (only fields and arrays of them are understood here). What
// Barretenberg reads is MessagePack, gzipped: the format's number 3, then [[[0, {index: 32 bytes}]]].
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import v8 from "node:v8";
import zlib from "node:zlib";

// V8's second compiler for WebAssembly costs more than its faster code saves in a run of a second.
v8.setFlagsFromString("--liftoff-only");

const [modules, program, inputs, target] = process.argv.slice(2);
const acvm = createRequire(path.join(modules, "@noir-lang", "noir_js", "package.json"))("@noir-lang/acvm_js");
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

/** Appends a parameter's numbers; one of another form than its type is an error. */
function flatten(value, type, name, numbers) {
  if (type.kind === "array") {
    if (!Array.isArray(value) || value.length !== type.length) throw new Error(`${name}: expected ${type.length} items`);
    for (const item of value) flatten(item, type.type, name, numbers);
  } else if (type.kind === "field" && /^0x[0-9a-f]{1,64}$/.test(value)) {
    numbers.push(`0x${value.slice(2).padStart(2 * ELEMENT_BYTES, "0")}`);
  } else {
    throw new Error(`${name}: ${JSON.stringify(value)} is no ${type.kind}`);
  }
}

function known({ parameters }, values) {
  const numbers = [];
  for (const { name, type } of parameters) flatten(values[name], type, name, numbers);
  return new Map(numbers.entries());
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
  const { bytecode, abi } = read(program);
  const first = known(abi, read(inputs));
  const [solved, ...others] = await acvm.executeProgram(Buffer.from(bytecode, "base64"), first, async () => []);
  if (others.length > 0) throw new Error("the program calls others; only one function can be proven");
  fs.writeFileSync(target, zlib.gzipSync(encode(solved.witness), { level: 1 }));
} catch (error) {
  const said = error.message ?? String(error);
  console.error(said);
  process.exit(/assert|constraint|failed to solve/i.test(said) ? 3 : 1);
}
process.exit(0);
