/** Which engine runs on which device, in which precision: one total table. */
import { errors } from "../diagnostics/catalogue";
import type { Rule } from "./rule";
import type { Spec } from "./spec";

type Hardware = Spec["hardware"];

/**
 * What of `hardware.engine` and `hardware.device` goes together, and the precisions there are. Empty: it does not. fp16 is
 * nowhere: WebGPU's products of float16 are summed in float16 by onnxruntime, too coarse for gradients over thousands of
 * rows; tfjs has no float16. Nor have they products of bfloat16 (docs/engines.md).
 */
const precisions: {
  readonly [E in Hardware["engine"]]: { readonly [D in Hardware["device"]]: readonly Hardware["precision"][] };
} = {
  onnx: { cpu: ["fp32"], gpu: [], tpu: [], webgpu: ["fp32"], wasm: [], js: [] },
  tfjs: { cpu: ["fp32"], gpu: ["fp32"], tpu: [], webgpu: [], wasm: ["fp32"], js: ["fp32"] },
  xla: { cpu: ["fp32", "bf16"], gpu: ["fp32", "bf16"], tpu: ["fp32", "bf16"], webgpu: [], wasm: [], js: [] },
};

/**
 * Where several devices can share a batch. A device of `onnx` on `cpu` is a process, and MPI joins them; `xla` holds several in
 * a process.
 */
const manyDevices: { readonly [E in Hardware["engine"]]: readonly Hardware["device"][] } = {
  onnx: ["cpu"],
  tfjs: [],
  xla: ["cpu", "gpu"],
};

/** Where devices that share a batch can keep the moments of AdamW in shards. */
const shardedOptimizer: { readonly [E in Hardware["engine"]]: readonly Hardware["device"][] } = {
  onnx: ["cpu"],
  tfjs: [],
  xla: [],
};

/** Where devices of several hosts can share a batch without MPI: the engine's own collectives join them. */
const joinsHosts: { readonly [E in Hardware["engine"]]: readonly Hardware["device"][] } = {
  onnx: [],
  tfjs: [],
  xla: ["gpu"],
};

export const joinsHostsWithoutMpi = ({ engine, device }: Pick<Hardware, "engine" | "device">): boolean =>
  joinsHosts[engine].includes(device);

// The keys of a total table are its names.
export const engineNames = Object.keys(precisions) as readonly Hardware["engine"][];

/** The devices that an engine has. */
export function devicesOf(engine: Hardware["engine"]): readonly Hardware["device"][] {
  // As above.
  const known = Object.keys(precisions[engine]) as Hardware["device"][];
  return known.filter((device) => precisions[engine][device].length > 0);
}

/** The precisions of an engine on a device, the usual one first. */
export function precisionsOf(engine: Hardware["engine"], device: Hardware["device"]): readonly Hardware["precision"][] {
  return precisions[engine][device];
}

/** `onnx on cpu` for every engine and device of a table. */
const namesIn = (table: typeof manyDevices): readonly string[] =>
  engineNames.flatMap((name) => table[name].map((on) => `${name} on ${on}`));

export const hardwareRules: readonly Rule[] = [
  {
    name: "steps are skipped on one device",
    reads: ["optimization.skipNonFinite", "hardware.gpus"],
    check: ({ spec: { optimization, hardware } }) => {
      if (optimization.skipNonFinite === 0 || hardware.gpus === 1) return [];
      const problem = errors.skipsOnOneDevice({ gpus: hardware.gpus });
      return [{ path: ["optimization", "skipNonFinite"], problem }];
    },
  },
  {
    name: "the engine has the device",
    reads: ["hardware.engine", "hardware.device"],
    check: ({ spec: { hardware } }) => {
      const { engine, device } = hardware;
      if (precisions[engine][device].length > 0) return [];
      const others = engineNames.filter((name) => precisions[name][device].length > 0);
      const problem = errors.engineLacksDevice({ engine, device, devices: devicesOf(engine), others });
      return [{ path: ["hardware", "device"], problem }];
    },
  },
  {
    name: "the device has the precision",
    reads: ["hardware.engine", "hardware.device", "hardware.precision"],
    check: ({ spec: { hardware } }) => {
      const { engine, device, precision } = hardware;
      const known = precisions[engine][device];
      if (known.length === 0 || known.includes(precision)) return [];
      const problem = errors.deviceLacksPrecision({ engine, device, precision, precisions: known });
      return [{ path: ["hardware", "precision"], problem }];
    },
  },
  {
    name: "the engine shares a batch over devices",
    reads: ["hardware.engine", "hardware.device", "hardware.gpus"],
    check: ({ spec: { hardware } }) => {
      const { engine, device, gpus } = hardware;
      if (gpus === 1 || manyDevices[engine].includes(device)) return [];
      const others = namesIn(manyDevices);
      return [{ path: ["hardware", "gpus"], problem: errors.engineSharesNoBatch({ engine, device, gpus, others }) }];
    },
  },
  {
    name: "the engine shards the optimizer over devices",
    reads: ["hardware.engine", "hardware.device", "hardware.gpus", "hardware.shardOptimizer"],
    check: ({ spec: { hardware } }) => {
      const { engine, device, gpus, shardOptimizer } = hardware;
      // One device has one shard; and devices that share no batch are refused above.
      if (!shardOptimizer || gpus === 1 || !manyDevices[engine].includes(device)) return [];
      if (shardedOptimizer[engine].includes(device)) return [];
      const problem = errors.engineShardsNoOptimizer({ engine, device, others: namesIn(shardedOptimizer) });
      return [{ path: ["hardware", "shardOptimizer"], problem }];
    },
  },
];
