/**
 * How long the points of a sweep take to compile and to type-check: `npm run bench:sweep`. Two grids over the
 * quickstart, `alike` as sweeps are (learning rates and seeds share their step), `distinct` the worst case (no two
 * points have the same shapes). Each measurement is a process of its own, with nothing warm, in turn.
 *
 *   --rounds N     processes of each grid (default 3)
 *   --grid NAME    alike or distinct
 *
 * Beside the clock stands the time of the processor: another load on the machine stretches the clock first.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { compile } from "../compiler/compile";
import { typeErrorsOfMany } from "../compiler/emit/check";
import { buildPlan } from "../compiler/plan/plan";
import { loadSweep } from "../tools/sweep/load";

const root = fileURLToPath(new URL("..", import.meta.url));
const steps = (from: number, count: number, by: number) => Array.from({ length: count }, (_, i) => from + i * by);

/** A hundred points each. */
const grids: Readonly<Record<string, object>> = {
  alike: {
    axes: [
      { pointer: "/optimization/learningRate/peak", values: [0.001, 0.002] },
      { pointer: "/encoder/depth", values: [2, 3] },
      {
        name: "shape",
        zip: {
          "/encoder/dim": [48, 96, 96, 96, 192],
          "/optimization/globalBatch": [16, 16, 32, 16, 32],
          "/masking/targets/scale": [0.3, 0.3, 0.3, 0.25, 0.25].map((most) => [0.2, most]),
        },
        labels: ["narrow", "plain", "batch", "targets", "wide"],
      },
    ],
    seeds: [0, 1, 2, 3, 4],
  },
  distinct: {
    axes: [
      { pointer: "/encoder/dim", values: steps(48, 10, 24) },
      { pointer: "/optimization/globalBatch", values: steps(8, 10, 8) },
    ],
  },
};

/** Milliseconds of the clock. */
interface Measured {
  readonly points: number;
  /** Reading the grid: every point as a spec, with its rules. */
  readonly load: number;
  /** Plans: above all the lengths of contexts, once for all that share their masks. */
  readonly plan: number;
  /** Graphs, passes, gradients and text. */
  readonly compile: number;
  readonly check: number;
  /** All of it, from the start of the process on. */
  readonly process: number;
  readonly processor: number;
  readonly peakMebibytes: number;
}

function measure(file: string): Measured {
  const marks = [performance.now()];
  const mark = () => marks.push(performance.now());
  const loaded = loadSweep(file);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics, null, 1));
  const { points } = loaded.sweep;
  mark();
  for (const { spec, hash } of points) buildPlan({ spec, specHash: hash, generatorVersion: "0" });
  mark();
  const inputs = points.map((point) => ({
    folder: join(root, "generated", point.name),
    files: compile(point).typescript,
  }));
  mark();
  const wrong = typeErrorsOfMany(inputs).filter((errors) => errors.length > 0).length;
  mark();
  if (wrong > 0) throw new Error(`${wrong} points do not type-check`);
  const [load = 0, plan = 0, build = 0, check = 0] = marks.slice(1).map((time, i) => time - (marks[i] ?? 0));
  const { user, system } = process.cpuUsage();
  return {
    points: points.length,
    load,
    plan,
    compile: build,
    check,
    process: performance.now(),
    processor: (user + system) / 1000,
    peakMebibytes: process.resourceUsage().maxRSS / 1024,
  };
}

/** The same as a person does it, with the command of the checkout. */
function command(file: string): number {
  const begun = performance.now();
  const { status, stderr } = spawnSync(process.execPath, [join(root, "bin", "ijepa.js"), "sweep", file, "--check"], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(stderr);
  return performance.now() - begun;
}

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    grid: { type: "string" },
    /** One measurement of a grid file, in this process. */
    measure: { type: "string" },
  },
});

/** A process of the bundle that the command runs would have no stages to measure: this is the same code from source. */
function measureApart(file: string): Measured {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["--import", "tsx", fileURLToPath(import.meta.url), "--measure", file],
    { cwd: root, encoding: "utf8" },
  );
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Measured; // what `measure` of the other process gave
}

const median = (numbers: readonly number[]): number =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
const seconds = (timeMs: number): string => `${(timeMs / 1000).toFixed(2)} s`;

function report(name: string, rounds: readonly Measured[], commands: readonly number[]): string {
  const of = (key: keyof Measured): number => median(rounds.map((round) => round[key]));
  const all = of("load") + of("plan") + of("compile") + of("check");
  const stages = (["load", "plan", "compile", "check"] as const).map(
    (key) => `  ${key.padEnd(8)} ${seconds(of(key)).padStart(8)}  ${((100 * of(key)) / all).toFixed(0).padStart(3)} %`,
  );
  const range = `${seconds(Math.min(...commands))} to ${seconds(Math.max(...commands))}`;
  return [
    `${name}: ${of("points")} points, median of ${rounds.length}`,
    ...stages,
    `  all      ${seconds(all).padStart(8)}  ${(all / of("points")).toFixed(1)} ms a point`,
    `  process ${seconds(of("process"))} (processor ${seconds(of("processor"))}), peak ${of("peakMebibytes").toFixed(0)} MiB`,
    `  ijepa sweep --check ${seconds(median(commands))} (${range})`,
    "",
  ].join("\n");
}

function main(): void {
  const folder = mkdtempSync(join(tmpdir(), "ijepa-bench-"));
  const names = values.grid === undefined ? Object.keys(grids) : [values.grid];
  const found = names.map((name) => {
    const file = join(folder, `${name}.json`);
    const base = join(root, "experiments", "quickstart.json");
    writeFileSync(file, JSON.stringify({ base, ...grids[name] }));
    return { name, file, rounds: [] as Measured[], commands: [] as number[] };
  });
  try {
    for (const { file } of found) command(file); // builds dist/ where it is out of date
    for (let round = 0; round < Number(values.rounds); round++) {
      for (const { file, rounds, commands } of found) {
        rounds.push(measureApart(file));
        commands.push(command(file));
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  const [cpu] = cpus();
  process.stdout.write(`${availableParallelism()} cores, ${cpu?.model ?? "?"}, Node ${process.versions.node}\n\n`);
  for (const { name, rounds, commands } of found) process.stdout.write(`${report(name, rounds, commands)}\n`);
}

if (values.measure === undefined) main();
else process.stdout.write(`${JSON.stringify(measure(values.measure))}\n`);
