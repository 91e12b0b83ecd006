/**
 * Compiles the step of an experiment for an H100 that need not be there, and compares what XLA says of its memory with what
 * `ijepa inspect` estimates. Needs the plugin that scripts/pjrt-cuda.mjs fetches.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compile } from "../compiler/compile";
import type { IjepaSpecInput } from "../compiler/spec/input";
import { specFromText } from "../compiler/spec/load";
import { defaultSize, encoderSizes } from "../compiler/spec/presets";
import { programEstimates } from "../compiler/step/memory";
import type { CompiledMemory } from "../runtime/engines/xla/pjrt/executable";
import type { Topology, TopologyOptions } from "../runtime/engines/xla/pjrt/topology";
import { bytesOf } from "../runtime/engines/xla/pjrt/types";
import { type Program, programOf } from "../runtime/engines/xla/program";
import { type Target, targets } from "../runtime/engines/xla/target";
import { stepEngineFunctions } from "../runtime/loop/functions";
import { stateSpecs } from "../runtime/loop/state";
import { evaluateTrainer } from "../tests/support/generated";

/** An H100 as the plugin wants it told: stream_executor.GpuTargetConfigProto as text. */
export const h100 = `
gpu_device_info {
  cuda_compute_capability { major: 9 }
  device_memory_size: 84929347584
  memory_bandwidth: 3352320000000
  l2_cache_size: 52428800
  clock_rate_ghz: 1.98
  core_count: 132
  fpus_per_core: 128
  threads_per_warp: 32
  threads_per_block_limit: 1024
  threads_per_core_limit: 2048
  registers_per_block_limit: 65536
  registers_per_core_limit: 65536
  shared_memory_per_block: 49152
  shared_memory_per_block_optin: 232448
  shared_memory_per_core: 233472
  block_dim_limit_x: 2147483647
  block_dim_limit_y: 65535
  block_dim_limit_z: 65535
}
platform_name: "CUDA"
runtime_version { major: 13 }
dnn_version_info { major: 9 minor: 12 }
device_description_str: "NVIDIA H100 80GB HBM3"
`;

/** So many of them, eight to a host. */
export function hostsOf(cards: number): TopologyOptions {
  const devices = Math.min(8, cards);
  return { targetConfig: h100, slices: 1, hosts: cards / devices, devices };
}

const VARIABLE = "IJEPA_PJRT_CUDA";

/** The plugins that scripts/pjrt-cuda.mjs fetched, by version. */
export function compileOnlyPlugins({ env } = process): readonly { readonly version: string; readonly path: string }[] {
  const folder = env[VARIABLE] || join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "ijepa", "pjrt-cuda");
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .map((version) => ({ version, path: join(folder, version, "jax_plugins", "xla_cuda13", "xla_cuda_plugin.so") }))
    .filter(({ path }) => existsSync(path));
}

export const officialNames = ["in1k_vith14_ep300", "in1k_vith16-448_ep300", "in22k_vith14_ep66", "in22k_vitg16_ep44"];

export interface OfficialChange {
  /** H100s that share the batch; left out: one, which takes all of it in parts. */
  readonly cards?: number | undefined;
  /** Of both networks, in the place of 32 or 40 and 12 or 16: it compiles in a tenth of the time. */
  readonly blocks?: number | undefined;
}

/** A released configuration as H100s take it: each micro-batch is that of the file, in bfloat16. */
export function officialSpec(name: string, { cards = 1, blocks }: OfficialChange = {}): IjepaSpecInput {
  const file = fileURLToPath(new URL(`../experiments/official/${name}.json`, import.meta.url));
  // Validated where it is read by the compiler.
  const released = JSON.parse(readFileSync(file, "utf8")) as IjepaSpecInput;
  const optimization = { ...released.optimization, accumulation: (released.optimization?.accumulation ?? 1) / cards };
  const spec = { ...released, optimization };
  const hardware = { ...spec.hardware, engine: "xla", device: "gpu", precision: "bf16", gpus: cards } as const;
  if (blocks === undefined) return { ...spec, name, hardware };
  const { size = defaultSize, ...encoder } = spec.encoder ?? {};
  return {
    ...spec,
    name,
    hardware,
    encoder: { ...encoderSizes[size], ...encoder, depth: blocks },
    predictor: { ...spec.predictor, depth: blocks },
  };
}

export interface CompiledFunction {
  readonly name: string;
  readonly seconds: number;
  /** Of the program, in bytes of text. */
  readonly textBytes: number;
  readonly memory: CompiledMemory;
  /** On the device while it runs, in bytes: the whole state, inputs, temporaries and what is not written in place. */
  readonly deviceBytes: number;
}

export interface CompiledSubject {
  readonly name: string;
  /** That share the batch; everything else is of one of them. */
  readonly cards: number;
  /** Of the encoder. */
  readonly blocks: number;
  /** Images. */
  readonly microBatch: number;
  readonly functions: readonly CompiledFunction[];
  readonly stateBytes: number;
  /** The most of any function. */
  readonly deviceBytes: number;
  /** What `ijepa inspect` says. */
  readonly estimatedBytes: number;
}

/** Every function of the step, in the program that takes the most memory; for all cards of `hardware.gpus` together. */
export async function compileSubject(
  input: IjepaSpecInput,
  topology: Topology,
  target: Target = targets.gpu,
): Promise<CompiledSubject> {
  const loaded = specFromText({ text: JSON.stringify(input), file: `${input.name ?? "spec"}.json` });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics, null, 1));
  const { files, step, plan } = compile(loaded);
  const program = await evaluateTrainer(files);
  const [estimate] = programEstimates(step, plan);
  if (estimate === undefined) throw new Error("an experiment without programs");
  const { microBatch, update } = stepEngineFunctions(program);
  const functions: CompiledFunction[] = [];
  const state = stateSpecs(program.parameters, program.state);
  for (const fn of update === null ? [microBatch] : [microBatch, update]) {
    const { lengths } = estimate;
    const replicas = plan.experiment.hardware.gpus;
    const made = programOf(fn, { state, lengths, settings: { ...target, replicas } });
    functions.push(await compileFunction(made, { topology, replicas, stateBytes: estimate.stateBytes }));
  }
  return {
    name: plan.experiment.name,
    cards: plan.experiment.hardware.gpus,
    blocks: plan.experiment.encoder.depth,
    microBatch: plan.experiment.optimizer.deviceBatch,
    functions,
    stateBytes: estimate.stateBytes,
    deviceBytes: Math.max(...functions.map(({ deviceBytes }) => deviceBytes)),
    estimatedBytes: estimate.totalBytes,
  };
}

async function compileFunction(
  program: Program,
  on: { readonly topology: Topology; readonly replicas: number; readonly stateBytes: number },
): Promise<CompiledFunction> {
  const { topology, replicas, stateBytes } = on;
  const { name, text, parameters, types } = program;
  const begun = performance.now();
  const { outputs, memory } = await topology.compile(text, {
    replicas,
    partitions: 1,
    flags: targets.gpu.flags.bf16 ?? {},
  });
  const seconds = (performance.now() - begun) / 1000;
  if (memory === null) throw new Error("the plugin does not say how much memory a program takes");
  if (outputs !== types.results.length)
    throw new Error(`${name} gives ${outputs} results, not ${types.results.length}`);
  const read = parameters.filter(({ from }) => from === "state").reduce((sum, tensor) => sum + bytesOf(tensor), 0);
  const beside = memory.arguments - read + memory.temporary + memory.outputs - memory.aliased;
  return { name, seconds, textBytes: text.length, memory, deviceBytes: stateBytes + beside };
}
