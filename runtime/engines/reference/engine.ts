/**
 * The reference engine: every op in float64, one number after the other. Slow and plain, for tests: numeric gradients
 * and a second opinion on every number of the fast engine.
 */
import { opsFor } from "../../ops/adapter";
import type { Ops } from "../../ops/ops";
import { leavesOf, treeOf } from "../../ops/tree";
import { aloneCommunicator } from "../../ranks/alone";
import type {
  Engine,
  EngineFunction,
  EngineOptions,
  HostArray,
  LoadedFunction,
  Reducer,
  StateStore,
  TensorSpecs,
} from "../engine";
import { inputOf } from "../inputs";
import { type KernelTable, kernelOf } from "../table";
import { elementwiseKernels } from "./kernels-elementwise";
import { layerKernels } from "./kernels-layers";
import { tokenKernels } from "./kernels-tokens";
import { type DeviceOps, runMeeting } from "./meetings";
import { type Dense, dense, sizeOf } from "./tensor";

const kernels: KernelTable<null, Dense, Dense> = { ...tokenKernels, ...layerKernels, ...elementwiseKernels };

/** The typed ops over float64 tensors, on one device. */
export const referenceOps = opsWith({});

function opsWith(deviceOps: Partial<DeviceOps>): Ops {
  return opsFor<Dense>((op, inputs, attrs, shapes) => {
    const own = op in deviceOps ? deviceOps[op as keyof DeviceOps] : undefined;
    return own === undefined
      ? kernelOf(kernels, op)(null, inputs, attrs, shapes)
      : [own(inputs, Number(shapes[0]?.[0]))];
  });
}

class ReferenceStore implements StateStore {
  readonly tensors = new Map<string, Dense>();

  constructor(readonly specs: TensorSpecs) {
    for (const [path, { shape }] of specs) {
      const sizes = shape.map(Number);
      this.tensors.set(path, dense(sizes, new Float64Array(sizeOf(sizes))));
    }
  }

  tensor(path: string): Dense {
    const found = this.tensors.get(path);
    if (found === undefined) throw new Error(`internal: the store has no tensor ${path}`);
    return found;
  }

  async read(path: string): Promise<Float32Array> {
    return Float32Array.from(this.tensor(path).data);
  }

  async write(path: string, values: Float32Array): Promise<void> {
    this.tensors.set(path, dense(this.tensor(path).shape, Float64Array.from(values)));
  }
}

function isDense(value: object): value is Dense {
  return "data" in value && "shape" in value;
}

function load(fn: EngineFunction, store: ReferenceStore, reducer: Reducer): LoadedFunction {
  return {
    run: async (inputs, lengths) => {
      const given = [...fn.inputs].map(([path, spec]): [string, Dense] => {
        const shape = spec.shape.map((size) => (typeof size === "number" ? size : (lengths[size] ?? Number.NaN)));
        const values = inputOf(inputs, { path, dtype: spec.dtype, shape });
        return [path, dense(shape, Float64Array.from(values), spec.dtype)];
      });
      const state = treeOf(fn.reads.map((path): [string, Dense] => [path, store.tensor(path)]));
      const result = await runMeeting((ops) => fn.run(ops, state, treeOf(given), lengths), { reducer, opsWith });
      for (const [path, tensor] of leavesOf(result.state, isDense)) store.tensors.set(path, tensor);
      return new Map(
        leavesOf(result.outputs, isDense).map(([path, { data }]): [string, HostArray] => [
          path,
          Float32Array.from(data),
        ]),
      );
    },
    release: async () => undefined,
  };
}

export async function createReferenceEngine({
  reducer = aloneCommunicator(),
}: Partial<EngineOptions> = {}): Promise<Engine> {
  return {
    name: "reference",
    description: "reference, float64",
    createStore: (specs) => new ReferenceStore(specs),
    load: async (fn, store) => {
      if (!(store instanceof ReferenceStore)) throw new Error("internal: the store belongs to another engine");
      return load(fn, store, reducer);
    },
    release: async () => undefined,
  };
}
