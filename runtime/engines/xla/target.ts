/** What differs between the devices of this engine. */
import type { DeviceName, Precision } from "../engine";
import type { ProductPrecision } from "./builder";
import type { ClientOptions } from "./pjrt/client";
import type { CompileOptions } from "./pjrt/compile-options";

export type XlaDevice = "cpu" | "gpu" | "tpu";

export interface Target {
  /** Names that a plugin for it gives its platform. */
  readonly platforms: readonly string[];
  readonly client: ClientOptions;
  /** Cards and TPUs round the operands of products of float32 unless they are told not to. */
  readonly precision: ProductPrecision;
  /** Flags of a program by the precision of its step; a plugin that does not know one compiles without. */
  readonly flags: { readonly [P in Precision]?: NonNullable<CompileOptions["flags"]> };
}

/**
 * YNNPACK's products of float32 add up in another order than everybody else's: of the recorded steps of the official code
 * (docs/parity.md) the furthest off is at 1.00 of its tolerance with them and at 0.33 without.
 */
const withoutYnn = { xla_cpu_experimental_ynn_fusion_type: "" };

export const targets: { readonly [D in XlaDevice]: Target } = {
  // Left alone, the processor is four devices.
  cpu: { platforms: ["cpu"], client: { cpu_device_count: 1 }, precision: "DEFAULT", flags: { fp32: withoutYnn } },
  gpu: { platforms: ["cuda", "rocm", "gpu"], client: {}, precision: "HIGHEST", flags: {} },
  tpu: { platforms: ["tpu"], client: {}, precision: "HIGHEST", flags: {} },
};

export function isXlaDevice(device: DeviceName): device is XlaDevice {
  return device in targets;
}
