/** The state of a run as tensors of the backend, which stay there from step to step. */
import type { StateStore, TensorSpecs } from "../engine";
import type { Tensor } from "./core";
import type { Kernels } from "./kernels";

export class TfjsStore implements StateStore {
  readonly #tensors = new Map<string, Tensor>();
  /** Paths whose tensors a step has in hand; a step that failed never gave them back. */
  readonly #taken = new Set<string>();
  /** The last use of the backend so far; the next one waits for it. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    readonly specs: TensorSpecs,
    private readonly kernels: Kernels,
  ) {}

  /** One user at a time: a step replaces tensors that a reader may be downloading. */
  exclusively<T>(work: () => Promise<T> | T): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }

  read(path: string): Promise<Float32Array> {
    return this.exclusively(async () => download(this.tensor(path)));
  }

  write(path: string, values: Float32Array): Promise<void> {
    return this.exclusively(() => {
      const shape = this.#shapeOf(path);
      const size = shape.reduce((a, b) => a * b, 1);
      if (values.length !== size) {
        throw new Error(`internal: ${path} has ${size} numbers, but ${values.length} were written`);
      }
      this.kernels.activate();
      // A copy: a backend may keep the array that it is given.
      this.put(path, this.kernels.upload(values.slice(), shape, "f32"));
    });
  }

  /** Zeros where nothing was written yet. */
  tensor(path: string): Tensor {
    const known = this.#tensors.get(path);
    if (known !== undefined) return known;
    if (this.#taken.has(path)) throw new Error(`internal: ${path} was lost in a step that failed`);
    const shape = this.#shapeOf(path);
    const zeros = this.kernels.upload(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape, "f32");
    this.#tensors.set(path, zeros);
    return zeros;
  }

  /** Gives the tensor away: the caller disposes it. */
  take(path: string): Tensor {
    const tensor = this.tensor(path);
    this.#tensors.delete(path);
    this.#taken.add(path);
    return tensor;
  }

  put(path: string, tensor: Tensor): void {
    this.#tensors.get(path)?.dispose();
    this.#tensors.set(path, tensor);
    this.#taken.delete(path);
  }

  release(): void {
    for (const tensor of this.#tensors.values()) tensor.dispose();
    this.#tensors.clear();
  }

  #shapeOf(path: string): readonly number[] {
    const spec = this.specs.get(path);
    if (spec === undefined) throw new Error(`internal: the store has no tensor ${path}`);
    return spec.shape.map(Number);
  }
}

/** The numbers of a float32 tensor, in memory of their own. */
export async function download(tensor: Tensor): Promise<Float32Array> {
  const values = await tensor.data<"float32">();
  return values.slice();
}
