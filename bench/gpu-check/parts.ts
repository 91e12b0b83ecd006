/** The parts of a check in the order in which they run: what a first hour would ask first comes first. */
import { join } from "node:path";
import type { CheckPrecision, Manifest, SizeFacts } from "./manifest";
import { doctorResult, jsonIn, runResult, stepResult, traceResult } from "./read";
import type { Machine, PartResult } from "./record";

export interface Part {
  readonly name: string;
  readonly limitSeconds: number;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Null: the program gave no result. */
  readonly read: (stdout: string) => PartResult | null;
}

export interface PartsInput {
  readonly manifest: Manifest;
  /** Where the manifest lies. */
  readonly folder: string;
  /** Where parts may write. */
  readonly work: string;
  readonly machine: Machine;
  readonly device: string;
  readonly small: boolean;
  readonly python: string;
}

/** The libraries of NVIDIA round products of float32 to TF32 where they may; the engine asks XLA for all digits besides. */
const NO_TF32 = { NVIDIA_TF32_OVERRIDE: "0" };

export function partsOf(input: PartsInput): readonly Part[] {
  const { manifest, small } = input;
  const sizes = manifest.sizes.filter(({ isSmall }) => isSmall === small);
  const each = (make: (size: SizeFacts) => readonly Part[]): readonly Part[] => sizes.flatMap(make);
  const peers = (name: string, script: string, flags: readonly string[], limitSeconds: number): readonly Part[] =>
    each((size) => [peerPart(input, size, { name, script, flags, limitSeconds })]);
  // One recorded run says whether the numbers are right; the others wait until something is known of the speed.
  const [firstTrace = [], ...otherTraces] = traceParts(input, "xla", input.device, "fp32").map((part) => [part]);
  return [
    doctorPart(input),
    ...firstTrace,
    ...each((size) => ownPart(input, size, "bf16")),
    ...peers("PyTorch compiled bf16", "pytorch_step.py", ["--bf16", "--compile"], 100),
    ...runParts(input),
    ...otherTraces.flat(),
    ...traceParts(input, "xla", input.device, "bf16").slice(0, 1),
    ...(small ? each((size) => ownPart(input, size, "fp32")) : []),
    ...peers("JAX bf16", "jax_step.py", ["--bf16"], 100),
    ...peers("PyTorch eager bf16", "pytorch_step.py", ["--bf16"], 40),
    ...(small ? [] : traceParts(input, "onnx", "webgpu", "fp32")),
    ...traceParts(input, "xla", input.device, "bf16").slice(1),
  ];
}

function doctorPart({ folder, device }: PartsInput): Part {
  const names = [...new Set(["onnx:cpu", "onnx:webgpu", "xla:cpu", `xla:${device}`])];
  return {
    name: "doctor",
    limitSeconds: 60,
    command: process.execPath,
    args: [join(folder, "main.mjs"), "--doctor", names.join(",")],
    read: (stdout) => doctorResult(jsonIn(stdout)),
  };
}

function traceParts(
  { manifest, folder, machine }: PartsInput,
  engine: string,
  device: string,
  precision: CheckPrecision,
): readonly Part[] {
  if (engine === "xla" && !manifest.precisions.includes(precision)) return [];
  return manifest.traces
    .filter((each) => each.precision === precision)
    .map(({ trace, program, file }) => {
      const request = { trace: join(folder, file), engine, device, threads: machine.cores };
      return {
        name: `trace ${trace}, ${engine} ${device} ${precision}`,
        limitSeconds: 90,
        command: process.execPath,
        args: [join(folder, program), JSON.stringify({ ...request, output: "json", colour: false })],
        env: precision === "fp32" ? NO_TF32 : {},
        read: (stdout: string) => traceResult(jsonIn(stdout)),
      };
    });
}

function runParts({ manifest, folder, work, small }: PartsInput): readonly Part[] {
  return manifest.trainers.map(({ engine, device, precision, file }) => {
    const run = join(work, `quickstart-${engine}-${device}-${precision}`);
    const steps = small ? 20 : 200;
    return {
      name: `quickstart, ${steps} steps, ${engine} ${device} ${precision}`,
      limitSeconds: 60,
      command: process.execPath,
      args: [join(folder, file), "--steps", String(steps), "--run-dir", run, "--no-progress", "--log-every", "1"],
      env: precision === "fp32" ? NO_TF32 : {},
      read: () => runResult(run),
    };
  });
}

/** Seconds for one of our steps: compiling takes most of it. */
const OWN_LIMIT_SECONDS = 100;

/** How often a step is timed. */
const times = (small: boolean): readonly string[] =>
  small ? ["--warmup", "1", "--steps", "2", "--queued", "2"] : ["--warmup", "5", "--steps", "10", "--queued", "20"];

function ownPart(input: PartsInput, size: SizeFacts, precision: string): readonly Part[] {
  const { manifest, folder, machine, device, small } = input;
  return manifest.drivers
    .filter((driver) => driver.size === size.name && driver.precision === precision)
    .map(({ file }) => ({
      name: `step ${size.name}, ijepa xla ${device} ${precision}`,
      limitSeconds: OWN_LIMIT_SECONDS,
      command: process.execPath,
      args: [
        join(folder, file),
        ...["--engine", "xla", "--device", device, "--precision", precision, "--threads", String(machine.cores)],
        ...["--context", String(size.contextTokens), "--target", String(size.targetTokens), ...times(small)],
      ],
      env: precision === "fp32" ? NO_TF32 : {},
      read: (stdout) => stepResult(jsonIn(stdout), size, machine.card?.bf16Teraflops ?? null),
    }));
}

interface Peer {
  readonly name: string;
  readonly script: string;
  readonly flags: readonly string[];
  readonly limitSeconds: number;
}

function peerPart(input: PartsInput, size: SizeFacts, { name, script, flags, limitSeconds }: Peer): Part {
  const { folder, machine, device, small, python } = input;
  return {
    name: `step ${size.name}, ${name}`,
    limitSeconds,
    command: python,
    args: [
      join(folder, "peers", script),
      ...size.peer,
      ...["--context", String(size.contextTokens), "--target", String(size.targetTokens)],
      ...["--threads", String(machine.cores), "--device", device === "gpu" ? "cuda" : device, "--json"],
      ...flags,
      ...times(small),
    ],
    // Only what is used counts as used.
    env: { XLA_PYTHON_CLIENT_PREALLOCATE: "false" },
    read: (stdout) => stepResult(jsonIn(stdout), size, machine.card?.bf16Teraflops ?? null),
  };
}
