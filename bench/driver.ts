/**
 * Times the step of the experiment that it is bundled with (bench/build.ts) and prints one line of JSON.
 *
 *   --engine E --device D    onnx, tfjs, xla or reference; cpu, gpu, tpu, webgpu, wasm or js
 *   --precision P            what the step was compiled for (fp32)
 *   --context C --target T   tokens of the context and of a target block
 *   --threads N --steps N --warmup N
 *   --queued N               steps after those, two at a time, for engines that queue them
 *   --limit S                no step begins after so many seconds
 *   --runtime c|binding      how onnxruntime is reached
 *   --profile PREFIX         writes a trace of every node
 */
import { parseArgs } from "node:util";
import { measureStep, median } from "../runtime/doctor/measure";
import type { AnyEngineName, DeviceName, Engine, Precision } from "../runtime/engines/engine";
import { createEngine } from "../runtime/engines/onnx/engine";
import { engineNames, openEngine, restartFor } from "../runtime/engines/open";
import { UserError } from "../runtime/errors";
import type { TrainerProgram } from "../runtime/experiment";
import { lengthsOf } from "../runtime/step/lengths";

export { generated } from "../runtime/model/generated";

export function train(program: TrainerProgram): void {
  measure(program).catch((error: unknown) => {
    // An engine that is not here is an answer too.
    if (error instanceof UserError) console.log(JSON.stringify({ absent: `${error.code}: ${error.message}` }));
    else {
      console.error(error);
      process.exitCode = 1;
    }
  });
}

const options = {
  engine: { type: "string", default: "onnx" },
  device: { type: "string", default: "cpu" },
  precision: { type: "string", default: "fp32" },
  context: { type: "string", default: "76" },
  target: { type: "string", default: "36" },
  threads: { type: "string", default: "2" },
  steps: { type: "string", default: "5" },
  warmup: { type: "string", default: "2" },
  queued: { type: "string", default: "0" },
  limit: { type: "string", default: "600" },
  runtime: { type: "string" },
  profile: { type: "string" },
} as const;

type Flags = ReturnType<typeof parseArgs<{ readonly options: typeof options }>>["values"];

function engineOf({ engine }: Flags): AnyEngineName {
  const found = engineNames.find((name) => name === engine);
  if (found === undefined) throw new Error(`--engine takes ${engineNames.join(", ")}; found ${engine}`);
  return found;
}

function open(flags: Flags): Promise<Engine> {
  const threads = Number(flags.threads);
  // The benchmark names the devices, or a person who reads this; another name fails as what it is.
  const device = flags.device as DeviceName;
  const precision = flags.precision as Precision;
  if (flags.runtime === undefined && flags.profile === undefined) {
    return openEngine(engineOf(flags), { threads, device, precision });
  }
  const runtime = flags.runtime === "c" || flags.runtime === "binding" ? ({ runtime: flags.runtime } as const) : {};
  return createEngine({
    threads,
    device,
    precision,
    ...runtime,
    ...(flags.profile === undefined ? {} : { profilePrefix: flags.profile }),
  });
}

const mebibytes = (bytes: number | null | undefined): number | null => (bytes == null ? null : bytes / 2 ** 20);

async function measure(program: TrainerProgram): Promise<void> {
  const { values: flags } = parseArgs({ options });
  const { experiment } = program;
  const context = Number(flags.context);
  const target = Number(flags.target);
  await restartFor(engineOf(flags), flags.device as DeviceName); // as in open
  const engine = await open(flags);
  const { loadSeconds, seconds, cpuSecondsPerStep, queuedSeconds, losses } = await measureStep(program, engine, {
    lengths: lengthsOf({ contextTokens: context, targetTokens: target }, experiment.masks.targetCount),
    warmup: Number(flags.warmup),
    steps: Number(flags.steps),
    queued: Number(flags.queued),
    limitSeconds: Number(flags.limit),
  });
  const middle = median(seconds);
  const report = {
    engine: engine.description,
    load_seconds: loadSeconds,
    steps: seconds.length,
    seconds_median: middle,
    seconds_min: Math.min(...seconds),
    seconds_max: Math.max(...seconds),
    seconds_queued: queuedSeconds,
    cpu_seconds_per_step: cpuSecondsPerStep,
    images_per_s: experiment.optimizer.deviceBatch / middle,
    peak_mib: process.resourceUsage().maxRSS / 1024,
    device_peak_mib: mebibytes(engine.deviceMemory?.()?.peak),
    losses,
  };
  console.log(JSON.stringify(report));
  await engine.release();
}
