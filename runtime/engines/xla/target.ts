/** What differs between the devices of this engine. */
import type { DeviceName } from "../engine";
import type { ProductPrecision } from "./builder";
import type { ClientOptions } from "./pjrt/client";

export type XlaDevice = "cpu" | "gpu" | "tpu";

export interface Target {
  /** Names that a plugin for it gives its platform. */
  readonly platforms: readonly string[];
  readonly client: ClientOptions;
  /** Cards and TPUs round the operands of products of float32 unless they are told not to. */
  readonly precision: ProductPrecision;
}

export const targets: { readonly [D in XlaDevice]: Target } = {
  // Left alone, the processor is four devices.
  cpu: { platforms: ["cpu"], client: { cpu_device_count: 1 }, precision: "DEFAULT" },
  gpu: { platforms: ["cuda", "rocm", "gpu"], client: {}, precision: "HIGHEST" },
  tpu: { platforms: ["tpu"], client: {}, precision: "HIGHEST" },
};

export function isXlaDevice(device: DeviceName): device is XlaDevice {
  return device in targets;
}
