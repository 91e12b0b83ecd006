/**
 * A spec trained on engine xla in float32 and in bfloat16, for some seeds: mean losses side by side.
 *
 *   npx tsx scripts/precision-losses.ts [--seeds 0,1,2] [--steps 300] [--spec experiments/quickstart.json] [--device cpu]
 *
 * Both begin with the same weights and see the same images and masks, so what differs comes from rounding. How much of a
 * difference means nothing is what another seed makes: the last line has both.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { parse } from "jsonc-parser";
import { lossesOf } from "./losses";

const { values: flags } = parseArgs({
  options: {
    seeds: { type: "string", default: "0,1,2" },
    /** Left out: the whole run. */
    steps: { type: "string" },
    spec: { type: "string", default: "experiments/quickstart.json" },
    device: { type: "string", default: "cpu" },
    threads: { type: "string", default: "0" },
  },
});

/** The run in so many equal parts. */
const PARTS = 5;

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function partsOf(losses: ReadonlyMap<number, number>): readonly number[] {
  const all = [...losses.values()];
  const size = all.length / PARTS;
  return Array.from({ length: PARTS }, (_, i) => mean(all.slice(Math.floor(i * size), Math.floor((i + 1) * size))));
}

const folder = mkdtempSync(join(tmpdir(), "ijepa-precision-"));
try {
  const last: { readonly [P in "fp32" | "bf16"]: number[] } = { fp32: [], bf16: [] };
  for (const seed of flags.seeds.split(",").map(Number)) {
    for (const precision of ["fp32", "bf16"] as const) {
      const spec: { hardware?: object } = parse(readFileSync(flags.spec, "utf8"));
      const losses = await lossesOf({
        spec: { ...spec, seed, hardware: { ...spec.hardware, engine: "xla", device: flags.device, precision } },
        home: join(folder, `${seed}-${precision}`),
        threads: flags.threads,
        ...(flags.steps === undefined ? {} : { steps: flags.steps }),
      });
      const parts = partsOf(losses);
      last[precision].push(parts.at(-1) ?? Number.NaN);
      const shown = parts.map((loss) => loss.toFixed(4)).join("  ");
      console.log(`seed ${seed} ${precision}, ${losses.size} steps, mean loss of each fifth: ${shown}`);
    }
  }
  const apart = last.fp32.map((loss, i) => Math.abs((last.bf16[i] ?? Number.NaN) / loss - 1));
  const spread = (Math.max(...last.fp32) - Math.min(...last.fp32)) / mean(last.fp32);
  console.log(
    `last fifth: bf16 and fp32 at most ${(100 * Math.max(...apart)).toFixed(2)} % apart for a seed; ` +
      `seeds of fp32 ${(100 * spread).toFixed(2)} % apart`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
