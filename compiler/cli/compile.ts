/** `ijepa compile [SPEC…]`: writes the trainer of every spec, or says whether those that are there are up to date. */
import { relative, resolve } from "node:path";
import pico from "picocolors";
import { bundle } from "../bundle/bundle";
import { type Compiled, check, compile as compileSpec } from "../compile";
import { verdicts } from "../output/stale";
import { writeTrainer } from "../output/write";
import { countText, factsOf } from "../plan/facts";
import { loadSpecs, type NamedSpec } from "./specs";

export interface CompileOptions {
  readonly out: string;
  readonly check?: boolean;
}

/** Compiles and type-checks; nothing is written. */
function compiledOf(out: string, spec: NamedSpec): Compiled {
  const compiled = compileSpec(spec);
  check(resolve(out, compiled.plan.experiment.name), compiled);
  return compiled;
}

/** Writes one trainer and its bundle; gives the folder. */
export async function writeSpec(
  out: string,
  spec: NamedSpec,
): Promise<{ readonly folder: string; readonly compiled: Compiled }> {
  const compiled = compiledOf(out, spec);
  const main = compiled.files.find(({ name }) => name === "main.ts")?.text ?? "";
  const banner = main.slice(0, main.indexOf("*/") + 2);
  const script = await bundle({
    folder: resolve(out, compiled.plan.experiment.name),
    files: compiled.files.filter(({ name }) => name.endsWith(".ts")),
    banner,
  });
  return { folder: writeTrainer({ out, compiled, bundle: script }), compiled };
}

function checkAll(out: string, specs: readonly NamedSpec[]): number {
  // CI systems ask for colour without being terminals; what is piped or compared has none.
  const paint = pico.createColors(process.stdout.isTTY === true && pico.isColorSupported);
  let stale = 0;
  for (const spec of specs) {
    const found = verdicts(out, compiledOf(out, spec)).filter(({ verdict }) => verdict !== "up to date");
    for (const { file, verdict, patch } of found) process.stdout.write(`${file}: ${paint.red(verdict)}\n${patch}`);
    if (found.length === 0) process.stdout.write(`${spec.file}: up to date\n`);
    else stale += 1;
  }
  if (stale > 0)
    process.stderr.write(
      `${stale} of ${specs.length} trainers are not what the compiler writes now. \`ijepa compile\` writes them anew.\n`,
    );
  return stale > 0 ? 1 : 0;
}

/** Resolves to the exit code: 0 written or up to date, 1 invalid or stale, 2 could not run. */
export async function compile(
  files: readonly string[],
  { out, check: onlyCheck = false }: CompileOptions,
): Promise<number> {
  const loaded = loadSpecs(files);
  if (!loaded.ok) return loaded.code;
  if (onlyCheck) return checkAll(out, loaded.specs);
  for (const spec of loaded.specs) {
    const begun = performance.now();
    const { folder, compiled } = await writeSpec(out, spec);
    const { parameters, programs, steps } = factsOf(compiled.program, compiled.plan);
    const facts = `${countText(parameters.encoder + parameters.predictor)} parameters, ${programs.length} ${programs.length === 1 ? "program" : "programs"}, ${countText(steps)} steps`;
    process.stdout.write(
      `${spec.file} → ${relative(".", folder) || "."} (${facts}) in ${((performance.now() - begun) / 1000).toFixed(2)} s\n`,
    );
  }
  process.stdout.write(`Train with: node ${relative(".", resolve(out, "train.js"))}\n`);
  return 0;
}
