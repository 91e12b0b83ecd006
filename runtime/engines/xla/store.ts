/** The state of a run as buffers of the devices, which stay there from step to step: every device has all of it. */
import type { StateStore, TensorSpecs } from "../engine";
import { faultOf } from "../fault";
import type { Buffer } from "./pjrt/buffer";
import type { Client } from "./pjrt/client";
import type { TensorType } from "./pjrt/types";

/** The same tensor on every device. */
type Copies = readonly Buffer[];

export class XlaStore implements StateStore {
  readonly #copies = new Map<string, Copies>();
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
      const values = await this.buffer(path, 0).read();
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
      for (const before of this.replace(path, this.#uploaded(values, tensor))) before.destroy();
    });
  }

  /** Zeros where nothing was written yet. */
  buffer(path: string, device: number): Buffer {
    let copies = this.#copies.get(path);
    if (copies === undefined) {
      const tensor = this.#tensorOf(path);
      copies = this.#uploaded(new Float32Array(tensor.shape.reduce((a, b) => a * b, 1)), tensor);
      this.#copies.set(path, copies);
    }
    const copy = copies[device];
    if (copy === undefined) throw new Error(`internal: ${path} is not on device ${device}`);
    return copy;
  }

  /** Gives what lay there before, which the caller destroys once no step uses it. */
  replace(path: string, copies: Copies): Copies {
    const before = this.#copies.get(path);
    this.#copies.set(path, copies);
    return before ?? [];
  }

  release(): void {
    for (const copies of this.#copies.values()) for (const buffer of copies) buffer.destroy();
    this.#copies.clear();
  }

  #uploaded(values: Float32Array, tensor: TensorType): Copies {
    try {
      return this.client.devices.map((_, device) => this.client.upload(values, tensor, device));
    } catch (cause) {
      throw faultOf({ what: "take memory of the device for the weights and their moments", cause });
    }
  }

  #tensorOf(path: string): TensorType {
    const spec = this.specs.get(path);
    if (spec === undefined) throw new Error(`internal: the store has no tensor ${path}`);
    return { type: "f32", shape: spec.shape.map(Number) };
  }
}
