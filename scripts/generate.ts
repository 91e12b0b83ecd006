/**
 * Writes the files that are generated from the schema and from the catalogue of errors, and the made parts of README.md
 * and of pages in docs/; with --check only says which of them are out of date, and exits 1 if any is.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ablationPictures, ablationsPage } from "./ablations-page";
import { besideOfficialPage } from "./beside-official-page";
import { dataSpeedPage } from "./data-speed-page";
import { enginesPage } from "./engines-page";
import { faultsPage } from "./faults-page";
import { gpuPage } from "./gpu-page";
import { h100Page } from "./h100-page";
import { methodsPage } from "./methods-page";
import { parityPage } from "./parity";
import { quickstartPage } from "./quickstart-page";
import { readmePage } from "./readme";
import { errorsPage, experimentPage, sweepPage } from "./reference-pages";
import { resampleKernel } from "./resample-kernel";
import { scalingPage } from "./scaling-page";
import { specTypes } from "./schema-types";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

const outputs = [
  { path: "compiler/spec/spec.ts", text: formatted("compiler/spec/spec.ts", await specTypes("Spec")) },
  { path: "compiler/spec/input.ts", text: formatted("compiler/spec/input.ts", await specTypes("Input")) },
  { path: "runtime/data/kernel/resample-wasm.ts", text: resampleKernel() },
  { path: "docs/reference/experiment.md", text: experimentPage() },
  { path: "docs/reference/sweep.md", text: sweepPage() },
  { path: "docs/reference/errors.md", text: errorsPage() },
  { path: "docs/parity.md", text: parityPage() },
  { path: "docs/ablations.md", text: ablationsPage() },
  ...ablationPictures(),
  { path: "docs/beside-official.md", text: besideOfficialPage() },
  { path: "docs/methods.md", text: methodsPage() },
  { path: "docs/quickstart.md", text: quickstartPage() },
  { path: "docs/engines.md", text: enginesPage() },
  { path: "docs/gpu.md", text: gpuPage() },
  { path: "docs/h100.md", text: h100Page() },
  { path: "docs/scaling.md", text: scalingPage() },
  { path: "docs/data-speed.md", text: dataSpeedPage() },
  { path: "docs/faults.md", text: faultsPage() },
  { path: "README.md", text: readmePage() },
];

const check = process.argv.includes("--check");
const stale = outputs.filter(({ path, text }) => current(path) !== text);
for (const { path, text } of stale) {
  if (check) console.error(`${path} is out of date`);
  else {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
    console.log(`wrote ${path}`);
  }
}
if (check && stale.length > 0) {
  console.error("Run `npm run generate` and commit the result.");
  process.exitCode = 1;
}

function current(path: string): string | null {
  try {
    return readFileSync(join(root, path), "utf8");
  } catch {
    return null;
  }
}

function formatted(path: string, text: string): string {
  const biome = join(root, "node_modules", "@biomejs", "biome", "bin", "biome");
  return execFileSync(process.execPath, [biome, "format", `--stdin-file-path=${path}`], {
    cwd: root,
    input: text,
    encoding: "utf8",
    stdio: ["pipe", "pipe", "inherit"],
  });
}
