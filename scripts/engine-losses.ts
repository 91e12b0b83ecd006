/**
 * The same run on two engines: the loss of every step, and how far apart they are.
 *
 *   npx tsx scripts/engine-losses.ts tfjs:wasm [--steps 50] [--spec experiments/quickstart.json] [--threads 1]
 *
 * Both start from the same weights and see the same images, masks and schedules, so whatever differs is rounding. Packages
 * are looked for where this is started, and in NODE_PATH.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { parse } from "jsonc-parser";
import { lossesOf } from "./losses";

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    steps: { type: "string", default: "50" },
    spec: { type: "string", default: "experiments/quickstart.json" },
    threads: { type: "string", default: "1" },
  },
});

const folder = mkdtempSync(join(tmpdir(), "ijepa-losses-"));

function lossesOn(which: string): Promise<ReadonlyMap<number, number>> {
  const [engine, device] = which.split(":");
  const spec: { hardware?: object } = parse(readFileSync(flags.spec, "utf8"));
  return lossesOf({
    spec: { ...spec, hardware: { ...spec.hardware, engine, device } },
    home: join(folder, which.replace(":", "-")),
    steps: flags.steps,
    threads: flags.threads,
  });
}

try {
  const wanted = await lossesOn("onnx:cpu");
  for (const which of positionals) {
    const found = await lossesOn(which);
    const differences = [...wanted].map(([step, loss]) => ({
      step,
      relative: Math.abs((found.get(step) ?? Number.NaN) / loss - 1),
    }));
    const worst = differences.reduce((a, b) => (b.relative <= a.relative ? a : b));
    const [first] = wanted.values();
    const last = [...wanted.values()].at(-1);
    console.log(
      `${which} and onnx:cpu, ${wanted.size} steps, loss ${first?.toFixed(4)} → ${last?.toFixed(4)}: ` +
        `at most ${worst.relative.toExponential(1)} apart (relative), at step ${worst.step}; ` +
        `after the last ${(differences.at(-1)?.relative ?? Number.NaN).toExponential(1)}`,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
