/**
 * What the table of ops computes with: kernels of tfjs, called by name without tape and without scopes. What an op makes
 * on the way is disposed by the call that reads it, so the most that is held is what has to be held.
 */
import type { Dtype, Shape } from "../../ops/ops";
import type { HostArray } from "../engine";
import type { BackendName, Core, KernelAttrs, KernelInputs, Tensor } from "./core";
import { ERF, SLICE } from "./own-kernels";

export class Kernels {
  /** Most bytes that lived at any time since `resetPeak`. */
  peakBytes = 0;
  /** Results of the op under way, with how many readers each still has. */
  readonly #own = new Map<Tensor, number>();
  readonly #constants = new Map<string, Tensor>();

  constructor(
    private readonly core: Core,
    readonly backend: BackendName,
  ) {}

  // ── One op ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The results of an op. Whatever else it made has been read, or the op is wrong. */
  apply(work: () => Tensor | readonly Tensor[]): readonly Tensor[] {
    try {
      const made = work();
      const results = (Array.isArray(made) ? (made as readonly Tensor[]) : [made as Tensor]).map((tensor) =>
        // A result has an owner of its own: one that was given is handed on as a second handle to the same numbers.
        this.#own.has(tensor) ? tensor : this.run("Identity", { x: tensor }),
      );
      for (const result of results) this.#read(result, false);
      if (this.#own.size > 0) throw new Error(`internal: an op left ${this.#own.size} tensors behind`);
      return results;
    } finally {
      for (const tensor of this.#own.keys()) tensor.dispose();
      this.#own.clear();
    }
  }

  /** A tensor of this op that is read `readers` times; being a result counts as one. */
  shared(readers: number, tensor: Tensor): Tensor {
    if (this.#own.has(tensor)) this.#own.set(tensor, readers);
    return tensor;
  }

  /** Runs one kernel of the backend. */
  run(kernel: string, inputs: KernelInputs, attrs: KernelAttrs = {}): Tensor {
    const [tensor] = this.runMany(kernel, inputs, attrs);
    if (tensor === undefined) throw new Error(`internal: ${kernel} gave nothing`);
    return tensor;
  }

  /** The same for a kernel with several results. */
  runMany(kernel: string, inputs: KernelInputs, attrs: KernelAttrs = {}): readonly Tensor[] {
    const engine = this.core.engine();
    // The declared types are those of the tape's names; kernels take what their registration says.
    const made = engine.runKernel(kernel, inputs as never, attrs as never) as Tensor | readonly Tensor[];
    const tensors = Array.isArray(made) ? (made as readonly Tensor[]) : [made as Tensor];
    this.peakBytes = Math.max(this.peakBytes, engine.state.numBytes);
    for (const tensor of tensors) this.#own.set(tensor, 1);
    for (const input of Object.values(inputs)) this.#read(input, true);
    return tensors;
  }

  #read(tensor: Tensor, dispose: boolean): void {
    const readers = this.#own.get(tensor);
    if (readers === undefined) return;
    if (readers > 1) {
      this.#own.set(tensor, readers - 1);
      return;
    }
    this.#own.delete(tensor);
    if (dispose) tensor.dispose();
  }

  /** Another engine of this process may have made its own backend the active one. */
  activate(): void {
    const engine = this.core.engine();
    // Of a backend that was started before, all of this happens at once; the promise has nothing left to do.
    if (engine.backendName !== this.backend) void engine.setBackend(this.backend);
  }

  // ── Tensors from outside ────────────────────────────────────────────────────────────────────────────────────────

  /** Bytes become float32 on the way: TensorFlow.js has no tensors of them. */
  upload(values: HostArray, shape: Shape, dtype: Dtype): Tensor {
    const numbers = values instanceof Uint8Array ? Float32Array.from(values) : values;
    const tensor = this.core.engine().makeTensor(numbers, [...shape], dtype === "i32" ? "int32" : "float32");
    this.peakBytes = Math.max(this.peakBytes, this.core.engine().state.numBytes);
    // The declared type is that of tfjs-core's own union; every tensor is made here or by a kernel.
    return tensor as Tensor;
  }

  resetPeak(): void {
    this.peakBytes = this.core.engine().state.numBytes;
  }

  /** A tensor that is made once and kept. */
  constant(name: string, shape: Shape, dtype: Dtype, values: () => Float32Array | Int32Array): Tensor {
    const known = this.#constants.get(name);
    if (known !== undefined) return known;
    const made = this.upload(values(), shape, dtype);
    this.#constants.set(name, made);
    return made;
  }

  scalar(value: number): Tensor {
    return this.constant(`${value}`, [], "f32", () => Float32Array.of(value));
  }

  /** Disposes the constants. */
  release(): void {
    for (const tensor of this.#constants.values()) tensor.dispose();
    this.#constants.clear();
  }

  // ── Elementwise, with broadcasting ──────────────────────────────────────────────────────────────────────────────

  add(a: Tensor, b: Tensor | number): Tensor {
    return this.#binary("Add", a, b);
  }
  sub(a: Tensor, b: Tensor | number): Tensor {
    return this.#binary("Sub", a, b);
  }
  mul(a: Tensor, b: Tensor | number): Tensor {
    return b === 1 ? a : this.#binary("Multiply", a, b);
  }
  div(a: Tensor, b: Tensor | number): Tensor {
    return this.#binary("RealDiv", a, b);
  }
  unary(kernel: "Square" | "Sqrt" | "Rsqrt" | "Exp" | "Abs" | "Sign", x: Tensor): Tensor {
    return this.run(kernel, { x });
  }
  erf(x: Tensor): Tensor {
    return this.run(this.backend === "cpu" ? ERF : "Erf", { x });
  }
  clip(x: Tensor, low: number, high: number): Tensor {
    return this.run("ClipByValue", { x }, { clipValueMin: low, clipValueMax: high });
  }

  #binary(kernel: string, a: Tensor, b: Tensor | number): Tensor {
    return this.run(kernel, { a, b: typeof b === "number" ? this.scalar(b) : b });
  }

  // ── Form ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The same memory under another shape. */
  reshape(x: Tensor, shape: Shape): Tensor {
    const same = x.shape.length === shape.length && x.shape.every((size, i) => size === shape[i]);
    return same ? x : this.run("Reshape", { x }, { shape });
  }
  transpose(x: Tensor, perm: readonly number[]): Tensor {
    return this.run("Transpose", { x }, { perm });
  }
  slice(x: Tensor, begin: readonly number[], size: readonly number[]): Tensor {
    return this.run(this.backend === "cpu" ? SLICE : "Slice", { x }, { begin, size });
  }
  concat(tensors: readonly Tensor[], axis: number): Tensor {
    const [only] = tensors;
    if (tensors.length === 1 && only !== undefined) return only;
    // A list of inputs is a record by index to tfjs too, as long as it is an array.
    return this.run("Concat", tensors as unknown as KernelInputs, { axis });
  }
  /** Zeros before and after, for every axis. */
  pad(x: Tensor, paddings: readonly (readonly [before: number, after: number])[]): Tensor {
    return this.run("PadV2", { x }, { paddings, constantValue: 0 });
  }
  tile(x: Tensor, reps: readonly number[]): Tensor {
    return reps.every((rep) => rep === 1) ? x : this.run("Tile", { x }, { reps });
  }

  // ── Sums ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Over the last axis, which stays with length 1. */
  sumLast(x: Tensor): Tensor {
    return this.run("Sum", { x }, { axis: [x.shape.length - 1], keepDims: true });
  }
  meanLast(x: Tensor): Tensor {
    return this.run("Mean", { x }, { axis: [x.shape.length - 1], keepDims: true });
  }
  /** Over everything, in two stages: one long float32 sum would lose digits. */
  sumAll(x: Tensor): Tensor {
    const width = x.shape.at(-1) ?? 1;
    const rows = this.run("Sum", { x: this.reshape(x, [x.size / width, width]) }, { axis: [1], keepDims: false });
    return this.run("Sum", { x: rows }, { axis: [0], keepDims: false });
  }
}
