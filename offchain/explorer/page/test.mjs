// Bundles the tests of the page's pure modules and runs them with node's own runner. ASSAY_VECTORS: a JSON file with
// what the Python twins say (tests/unit/explorer/test_page_modules.py writes it).
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const names = readdirSync(join(here, "tests")).filter(name => name.endsWith(".test.ts"));
const folder = mkdtempSync(join(tmpdir(), "assay-page-"));
try {
  await build({
    absWorkingDir: here,
    entryPoints: names.map(name => `tests/${name}`),
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    logLevel: "warning",
  });
  const files = names.map(name => join(folder, name.replace(/\.ts$/, ".mjs")));
  const { status } = spawnSync(process.execPath, ["--test", ...files], { stdio: "inherit" });
  process.exitCode = status ?? 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
