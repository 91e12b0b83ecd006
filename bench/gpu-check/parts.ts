/** The parts of a check in the order in which they run: what a first hour would ask first comes first. */
import { join } from "node:path";
import { ATTENTION_VARIABLE } from "../../runtime/engines/xla/target";
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

/** Most of a part is compiling; XLA's takes longer the deeper the network is, and a card's host has more processors than two. */
const limitsOfSizes: Readonly<Record<string, { readonly own: number; readonly peer: number }>> = {
  vitl16: { own: 150, peer: 100 },
  vith14: { own: 240, peer: 130 },
};
const USUAL_LIMITS = { own: 100, peer: 80 };
const limitsOf = ({ name }: SizeFacts): { readonly own: number; readonly peer: number } =>
  limitsOfSizes[name] ?? USUAL_LIMITS;

/** Whether the numbers are right, whether it trains, then each size beside its best peer; the rest as time is left. */
export function partsOf(input: PartsInput): readonly Part[] {
  const { manifest, small, device } = input;
  const sizes = manifest.sizes.filter(({ isSmall }) => isSmall === small);
  const each = (make: (size: SizeFacts) => readonly Part[]): readonly Part[] => sizes.flatMap(make);
  const [firstTrace = [], ...otherTraces] = traceParts(input, "xla", device, "fp32").map((part) => [part]);
  const [firstRounded = [], ...otherRounded] = traceParts(input, "xla", device, "bf16").map((part) => [part]);
  const runs = runParts(input);
  const first = runs.filter(({ name }) => name.endsWith(`xla ${device} bf16`));
  const compiled = { name: "PyTorch compiled bf16", script: "pytorch_step.py", flags: ["--bf16", "--compile"] };
  const eager = { name: "PyTorch eager bf16", script: "pytorch_step.py", flags: ["--bf16"] };
  const jax = { name: "JAX bf16", script: "jax_step.py", flags: ["--bf16"] };
  const pairs = sizes.map((size) => [...ownPart(input, size, "bf16"), peerPart(input, size, compiled)]);
  const [largest = [], huge = [], ...others] = pairs;
  const fused = device === "gpu" ? sizes.map((size) => ownPart(input, size, "bf16", CUDNN)) : [];
  const [largestFused = [], hugeFused = [], ...othersFused] = fused;
  // Heads of the recorded runs are not as wide as cuDNN wants; the losses of these say whether it is right.
  const fusedRuns = device === "gpu" ? runParts(input, CUDNN).filter(({ name }) => name.includes("gpu bf16")) : [];
  return [
    doctorPart(input),
    ...firstTrace,
    ...first,
    ...largest,
    ...huge,
    ...firstRounded,
    ...largestFused,
    ...fusedRuns,
    ...hugeFused,
    ...others.flat(),
    ...othersFused.flat(),
    ...runs.filter((part) => !first.includes(part)),
    ...otherTraces.flat(),
    ...(small ? each((size) => ownPart(input, size, "fp32")) : []),
    ...each((size) => [peerPart(input, size, jax)]),
    ...each((size) => [peerPart(input, size, eager)]),
    ...(small ? [] : traceParts(input, "onnx", "webgpu", "fp32")),
    ...otherRounded.flat(),
  ];
}

function doctorPart({ folder, device }: PartsInput): Part {
  // The plugin that is named is that of the device: xla cpu would be told of it too.
  const names = [`xla:${device}`, "onnx:cpu", "onnx:webgpu"];
  return {
    name: "doctor",
    // The three and the float64 reference have 30 each (doctor.ts), and take a few.
    limitSeconds: 90,
    command: process.execPath,
    args: [join(folder, "main.mjs"), "--doctor", names.join(",")],
    read: (stdout) => doctorResult(jsonIn(stdout)),
  };
}

/** Of NVIDIA's cards, in bfloat16: what the engine may be told besides (target.ts), which nobody has seen run. */
const CUDNN = { name: ", cuDNN attention", env: { [ATTENTION_VARIABLE]: "cudnn" } };
const PLAIN = { name: "", env: {} };

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

function runParts({ manifest, folder, work, small }: PartsInput, attention = PLAIN): readonly Part[] {
  return manifest.trainers.map(({ engine, device, precision, file }) => {
    const run = join(work, `quickstart-${engine}-${device}-${precision}${attention.name}`);
    const steps = small ? 20 : 200;
    return {
      name: `quickstart, ${steps} steps, ${engine} ${device} ${precision}${attention.name}`,
      // A program for each set of lengths.
      limitSeconds: 80,
      command: process.execPath,
      args: [join(folder, file), "--steps", String(steps), "--run-dir", run, "--no-progress", "--log-every", "1"],
      env: { ...(precision === "fp32" ? NO_TF32 : {}), ...attention.env },
      read: () => runResult(run),
    };
  });
}

/** How often a step is timed. */
const times = (small: boolean): readonly string[] =>
  small ? ["--warmup", "1", "--steps", "2", "--queued", "2"] : ["--warmup", "5", "--steps", "10", "--queued", "20"];

function ownPart(input: PartsInput, size: SizeFacts, precision: string, attention = PLAIN): readonly Part[] {
  const { manifest, folder, machine, device, small } = input;
  return manifest.drivers
    .filter((driver) => driver.size === size.name && driver.precision === precision)
    .map(({ file }) => ({
      name: `step ${size.name}, ijepa xla ${device} ${precision}${attention.name}`,
      limitSeconds: limitsOf(size).own,
      command: process.execPath,
      args: [
        join(folder, file),
        ...["--engine", "xla", "--device", device, "--precision", precision, "--threads", String(machine.cores)],
        ...["--context", String(size.contextTokens), "--target", String(size.targetTokens), ...times(small)],
      ],
      env: { ...(precision === "fp32" ? NO_TF32 : {}), ...attention.env },
      read: (stdout) => stepResult(jsonIn(stdout), size, machine.card?.bf16Teraflops ?? null),
    }));
}

interface Peer {
  readonly name: string;
  readonly script: string;
  readonly flags: readonly string[];
}

function peerPart(input: PartsInput, size: SizeFacts, { name, script, flags }: Peer): Part {
  const { folder, machine, device, small, python } = input;
  return {
    name: `step ${size.name}, ${name}`,
    limitSeconds: limitsOf(size).peer,
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
