// Bundles the page into ../static: hashed names, split where the page imports lazily. Prints what it weighs.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const target = join(here, "..", "static");
const assets = join(target, "assets");

/** The names of the chunks that the entry cannot run without: imported statically, also by each other. */
function staticImports(outputs, name, seen = new Set()) {
  for (const { path, kind } of outputs[name].imports) {
    if (kind === "import-statement" && outputs[path] && !seen.has(path)) {
      seen.add(path);
      staticImports(outputs, path, seen);
    }
  }
  return seen;
}

function weigh(path) {
  const bytes = readFileSync(path);
  return { bytes: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length };
}

rmSync(target, { recursive: true, force: true });
mkdirSync(assets, { recursive: true });
const { metafile } = await build({
  absWorkingDir: here,
  entryPoints: { page: "src/main.tsx", style: "src/style/index.css" },
  outdir: assets,
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  minify: true,
  sourcemap: false,
  legalComments: "none",
  metafile: true,
  logLevel: "warning",
});

const entries = Object.entries(metafile.outputs).filter(([, output]) => output.entryPoint);
const entry = entries.find(([, output]) => output.entryPoint === "src/main.tsx")[0];
const style = entries.find(([, output]) => output.entryPoint === "src/style/index.css")[0];
const first = [entry, ...staticImports(metafile.outputs, entry)];
const page = readFileSync(join(here, "index.html"), "utf8")
  .replace("<!-- style -->", `<link rel="stylesheet" href="/assets/${basename(style)}">`)
  .replace(
    "<!-- script -->",
    first.map(name => `<link rel="modulepreload" href="/assets/${basename(name)}">`).join("\n    ") +
      `\n    <script type="module" src="/assets/${basename(entry)}"></script>`,
  );
writeFileSync(join(target, "icon.svg"), readFileSync(join(here, "icon.svg")));

let total = 0;
for (const name of Object.keys(metafile.outputs).sort()) {
  const { bytes, gzip } = weigh(join(here, name));
  total += gzip;
  const when = name === style || first.includes(name) ? "first" : "later";
  console.log(
    `${when}  ${String(bytes).padStart(8)} B  ${String(gzip).padStart(7)} B gzip  ${relative(target, join(here, name))}`,
  );
}
console.log(
  `page: ${total} B gzip in all, before first content ${[style, ...first].reduce((sum, name) => sum + weigh(join(here, name)).gzip, 0)} B`,
);
// Last, for it is what make looks at.
writeFileSync(join(target, "index.html"), page);
