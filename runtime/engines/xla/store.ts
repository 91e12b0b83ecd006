/** The state of a run as buffers of the device, which stay there from step to step. */
import type { StateStore, TensorSpecs } from "../engine";
import type { Buffer } from "./pjrt/buffer";
import type { Client } from "./pjrt/client";
import type { TensorType } from "./pjrt/types";

export class XlaStore implements StateStore {
  readonly #buffers = new Map<string, Buffer>();
  /** What uses the buffers last; whoever comes next waits for it. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    readonly specs: TensorSpecs,
    private readonly client: Client,
  ) {}

  /**
   * One user at a time: a step gives buffers away that a reader may be copying. A step is a user until the device has it in
   * its queue, so several may be under way.
   */
  exclusively<T>(work: () => Promise<T> | T): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }

  read(path: string): Promise<Float32Array> {
    return this.exclusively(async () => {
      const values = await this.buffer(path).read();
      if (!(values instanceof Float32Array)) throw new Error(`internal: ${path} is not float32`);
      return values;
    });
  }

  write(path: string, values: Float32Array): Promise<void> {
    return this.exclusively(() => {
      const tensor = this.#tensorOf(path);
      const size = tensor.shape.reduce((a, b) => a * b, 1);
      if (values.length !== size) {
        throw new Error(`internal: ${path} has ${size} numbers, but ${values.length} were written`);
      }
      const before = this.#buffers.get(path);
      this.#buffers.set(path, this.client.upload(values, tensor));
      before?.destroy();
    });
  }

  /** Zeros where nothing was written yet. */
  buffer(path: string): Buffer {
    const known = this.#buffers.get(path);
    if (known !== undefined) return known;
    const tensor = this.#tensorOf(path);
    const zeros = this.client.upload(new Float32Array(tensor.shape.reduce((a, b) => a * b, 1)), tensor);
    this.#buffers.set(path, zeros);
    return zeros;
  }

  /** Gives what lay there before, which the caller destroys once no step uses it. */
  replace(path: string, buffer: Buffer): Buffer | undefined {
    const before = this.#buffers.get(path);
    this.#buffers.set(path, buffer);
    return before;
  }

  release(): void {
    for (const buffer of this.#buffers.values()) buffer.destroy();
    this.#buffers.clear();
  }

  #tensorOf(path: string): TensorType {
    const spec = this.specs.get(path);
    if (spec === undefined) throw new Error(`internal: the store has no tensor ${path}`);
    return { type: "f32", shape: spec.shape.map(Number) };
  }
}
