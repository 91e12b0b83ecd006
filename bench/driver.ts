/**
 * Times the step of the experiment that it is bundled with (bench/build.ts) and prints one line of JSON.
 *
 *   --context C --target T   tokens of the context and of a target block
 *   --threads N --steps N --warmup N
 *   --runtime c|binding      how onnxruntime is reached
 *   --profile PREFIX         writes a trace of every node
 */
import { parseArgs } from "node:util";
import type { HostArray, TensorSpec } from "../runtime/engines/engine";
import { createEngine } from "../runtime/engines/onnx/engine";
import type { TrainerProgram } from "../runtime/experiment";
import { constantsOf, stepFunctions } from "../runtime/loop/functions";
import { stateSpecs, writeInitialState } from "../runtime/loop/state";
import { type Random, randomAt } from "../runtime/random/random";

export { generated } from "../runtime/model/generated";

export function train(program: TrainerProgram): void {
  measure(program).catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  });
}

async function measure(program: TrainerProgram): Promise<void> {
  const { values: flags } = parseArgs({
    options: {
      context: { type: "string", default: "76" },
      target: { type: "string", default: "36" },
      threads: { type: "string", default: "2" },
      steps: { type: "string", default: "5" },
      warmup: { type: "string", default: "2" },
      runtime: { type: "string" },
      profile: { type: "string" },
    },
  });
  const { experiment, parameters } = program;
  const functions = stepFunctions(program);
  if (functions.kind !== "step") throw new Error("the benchmark wants an experiment without accumulation");
  const runtime = flags.runtime === "c" || flags.runtime === "binding" ? ({ runtime: flags.runtime } as const) : {};
  const engine = await createEngine({
    threads: Number(flags.threads),
    ...runtime,
    ...(flags.profile === undefined ? {} : { profilePrefix: flags.profile }),
  });
  const store = engine.createStore(stateSpecs(parameters, "step"));
  await writeInitialState(store, parameters, 0);
  const started = performance.now();
  const step = await engine.load(functions.step, store);
  const loadSeconds = (performance.now() - started) / 1000;

  const context = Number(flags.context);
  const target = Number(flags.target);
  const lengths = { C: context, T: target, S: context + target, U: target * experiment.masks.targetCount };
  const tokens = experiment.image.gridHeight * experiment.image.gridWidth;
  const random = randomAt({ seed: 0, purpose: "bench" });
  const inputs = new Map<string, HostArray>(constantsOf(experiment));
  for (const [path, spec] of functions.step.inputs) {
    if (!inputs.has(path)) inputs.set(path, inputOf(path, spec, lengths, tokens, random));
  }

  const seconds: number[] = [];
  const losses: number[] = [];
  let cpuBefore = process.cpuUsage();
  for (let i = -Number(flags.warmup); i < Number(flags.steps); i++) {
    if (i === 0) cpuBefore = process.cpuUsage();
    const before = performance.now();
    const outputs = await step.run(inputs, lengths);
    if (i >= 0) seconds.push((performance.now() - before) / 1000);
    losses.push(outputs.get("loss")?.[0] ?? Number.NaN);
  }
  const cpu = process.cpuUsage(cpuBefore);
  await step.release();
  const median = [...seconds].sort((a, b) => a - b)[Math.floor(seconds.length / 2)] ?? Number.NaN;
  const report = {
    engine: engine.description,
    load_seconds: loadSeconds,
    seconds_median: median,
    seconds_min: Math.min(...seconds),
    cpu_seconds_per_step: (cpu.user + cpu.system) / 1e6 / seconds.length,
    images_per_s: experiment.optimiser.deviceBatch / median,
    peak_mib: process.resourceUsage().maxRSS / 1024,
    losses,
  };
  console.log(JSON.stringify(report));
}

/** Numbers of the right kind: which ones makes no difference to the time. */
function inputOf(
  path: string,
  spec: TensorSpec,
  lengths: Readonly<Record<string, number>>,
  tokens: number,
  random: Random,
): HostArray {
  const schedule: Readonly<Record<string, number>> = {
    "schedule.stepSize": 1e-4,
    "schedule.secondMoment": 1,
    "schedule.decayFactor": 1 - 1e-4 * 0.05,
    "schedule.keep": 0.996,
    "schedule.take": 0.004,
  };
  const value = schedule[path];
  if (value !== undefined) return Float32Array.of(value);
  const shape = spec.shape.map((size) => (typeof size === "number" ? size : (lengths[size] ?? 0)));
  const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
  if (spec.dtype === "f32") {
    random.fillNormal(values, 1);
    return values;
  }
  const last = shape.at(-1) ?? 1;
  const start = Int32Array.from({ length: shape[0] ?? 1 }, () => Math.floor(random.uniform() * tokens));
  // A step of 37 tokens visits every patch of 14×14 once before it comes back.
  return Int32Array.from(values, (_, i) => ((start[Math.floor(i / last)] ?? 0) + (i % last) * 37) % tokens);
}
