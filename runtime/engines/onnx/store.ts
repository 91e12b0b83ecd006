/** The state of a run in the memory of the engine: one buffer per segment of the layout. */
import type { StateStore, TensorSpecs } from "../engine";
import { faultOf } from "../fault";
import { type Layout, layoutOf, type Segment } from "./layout";
import type { HostBuffer } from "./session";

/** V8 keeps typed arrays of up to so many bytes on its heap, where they move; the memory of an ArrayBuffer stays. */
const MOST_ON_HEAP = 64;

/** Zeros whose memory never moves. */
export function allocate(elements: number): Float32Array<ArrayBuffer> {
  return new Float32Array(new ArrayBuffer(Math.max(elements * 4, MOST_ON_HEAP)), 0, elements);
}

/** The same numbers in memory that never moves. */
export function pinned<T extends HostBuffer>(values: T): T {
  if (values.byteLength > MOST_ON_HEAP) return values;
  // Of the same class as `values`, which the compiler does not see.
  const TypedArray = values.constructor as new (buffer: ArrayBuffer, offset: number, length: number) => T;
  const copy = new TypedArray(new ArrayBuffer(MOST_ON_HEAP), 0, values.length);
  copy.set(values as never);
  return copy;
}

export class OnnxStore implements StateStore {
  readonly layout: Layout;
  /** The last use of the memory so far; the next one waits for it. */
  #last: Promise<unknown> = Promise.resolve();
  readonly #buffers: ReadonlyMap<Segment, Float32Array<ArrayBuffer>>;

  constructor(readonly specs: TensorSpecs) {
    this.layout = layoutOf(specs);
    try {
      this.#buffers = new Map(this.layout.segments.map((segment) => [segment, allocate(segment.size)]));
    } catch (cause) {
      throw faultOf({ what: "take memory for the weights and their moments", cause });
    }
  }

  buffer(segment: Segment): Float32Array<ArrayBuffer> {
    const buffer = this.#buffers.get(segment);
    if (buffer === undefined) throw new Error(`internal: no segment ${segment.name}`);
    return buffer;
  }

  /** One user of the memory at a time: a step on another thread would change what is being read. */
  exclusively<T>(work: () => Promise<T> | T): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }

  read(path: string): Promise<Float32Array> {
    return this.exclusively(() => this.view(path).slice());
  }

  write(path: string, values: Float32Array): Promise<void> {
    return this.exclusively(() => {
      const view = this.view(path);
      if (values.length !== view.length) {
        throw new Error(`internal: ${path} has ${view.length} numbers, but ${values.length} were written`);
      }
      view.set(values);
    });
  }

  private view(path: string): Float32Array {
    const { segment, piece } = this.layout.find(path);
    return this.buffer(segment).subarray(piece.offset, piece.offset + piece.size);
  }
}
