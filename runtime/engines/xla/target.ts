/** What differs between the devices of this engine. */
import type { DeviceName, Precision } from "../engine";
import { cudnnAttention } from "./attention/cudnn";
import type { BuilderSettings } from "./builder";
import type { ClientOptions } from "./pjrt/client";
import type { CompileOptions } from "./pjrt/compile-options";

export type XlaDevice = "cpu" | "gpu" | "tpu";

/** The devices of its host that a process holds; `first` counts from 0. */
export interface LocalDevices {
  readonly first: number;
  readonly count: number;
}

export interface Target extends BuilderSettings {
  /** Names that a plugin for it gives its platform. */
  readonly platforms: readonly string[];
  /** Options of a client for these devices of this host. */
  readonly client: (devices: LocalDevices) => ClientOptions;
  /** Clients of several processes can be one, whose programs reduce over all devices; else reductions leave XLA. */
  readonly joinsProcesses: boolean;
  /** Flags of a program by the precision of its step; a plugin that does not know one compiles without. */
  readonly flags: { readonly [P in Precision]?: NonNullable<CompileOptions["flags"]> };
}

/**
 * YNNPACK's products of float32 add up in another order than everybody else's: of the recorded steps of the official code
 * (docs/parity.md) the furthest off is at 1.00 of its tolerance with them and at 0.33 without.
 */
const withoutYnn = { xla_cpu_experimental_ynn_fusion_type: "" };

/**
 * Cards and TPUs round the operands of products of float32 unless they are told not to. Their memory decides which batch
 * fits: a norm is cheap to compute again, and the numbers that are cast to bfloat16 are not to be kept beside the casts.
 * XLA does that where it may compute more exactly than the program says: it takes a cast to float32 of a cast to bfloat16
 * for nothing, reads what was cast, and so keeps a tensor of float32 that the program had dropped (docs/h100.md).
 *
 * What lies between products is limited by the memory's speed, so products of bfloat16 hand on bfloat16 there.
 */
const accelerator = {
  joinsProcesses: true,
  precision: "HIGHEST",
  recomputes: true,
  ordersOperands: false,
  roundsProducts: true,
  flags: { bf16: { xla_allow_excess_precision: false } },
} as const;

export const targets: { readonly [D in XlaDevice]: Target } = {
  cpu: {
    platforms: ["cpu"],
    // Left alone, the processor is four devices.
    client: ({ count }) => ({ cpu_device_count: count }),
    joinsProcesses: false,
    precision: "DEFAULT",
    recomputes: false,
    // YNNPACK, whose kernels of bfloat16 a processor has, multiplies rows by a matrix or by its transpose. Other products of
    // bfloat16 XLA takes in float32 (docs/engines.md).
    ordersOperands: true,
    flags: { fp32: withoutYnn },
  },
  gpu: {
    platforms: ["cuda", "rocm", "gpu"],
    ...accelerator,
    // Left alone, XLA takes three quarters of a card; ViT-H/14 at the released batch wants more of 80 GiB.
    client: ({ first, count }) => ({
      memory_fraction: 0.92,
      visible_devices: Array.from({ length: count }, (_, i) => first + i),
    }),
  },
  tpu: { platforms: ["tpu"], ...accelerator, client: () => ({}) },
};

export const ATTENTION_VARIABLE = "IJEPA_XLA_ATTENTION";

/**
 * With the kernel of attention that a variable asks for: "cudnn", for steps in bfloat16 on NVIDIA's cards. Nobody asks for it by
 * default, since no card has run it yet (docs/gpu.md measures both).
 */
export function withAttention(
  target: Target,
  what: { readonly precision: Precision; readonly variables: Readonly<Record<string, string | undefined>> },
): Target {
  const isWanted = what.variables[ATTENTION_VARIABLE] === "cudnn" && what.precision === "bf16";
  return isWanted && target.platforms.includes("cuda") ? { ...target, attention: cudnnAttention } : target;
}

export function isXlaDevice(device: DeviceName): device is XlaDevice {
  return device in targets;
}

/** Where launchers say which devices of the host a process may use. */
const visibleDevices = ["CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES"];

/**
 * The first of the devices that a process holds, among those that it sees: processes of one host take them in turn, unless
 * their launcher shows each of them its own and no more.
 */
export function firstDevice(what: {
  readonly localRank: number;
  readonly devices: number;
  readonly variables: Readonly<Record<string, string | undefined>>;
}): number {
  const shown = visibleDevices.map((name) => what.variables[name]).find((value) => value !== undefined && value !== "");
  const isOwn = shown !== undefined && shown.split(",").length === what.devices;
  return isOwn ? 0 : what.localRank * what.devices;
}
