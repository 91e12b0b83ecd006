/** A tensor in the memory of a device. */
import type { Pointer } from "../../koffi";
import type { Pjrt } from "./api";
import { bytesOf, fits, type HostNumbers, hostArray, type TensorType, typeText } from "./types";

export class Buffer {
  #pointer: Pointer | null;

  constructor(
    private readonly pjrt: Pjrt,
    pointer: Pointer,
    readonly tensor: TensorType,
  ) {
    this.#pointer = pointer;
  }

  /** Its handle; a handle that is used after it was destroyed ends the process. */
  get pointer(): Pointer {
    if (this.#pointer === null) throw new Error("internal: a buffer is used after its end");
    return this.#pointer;
  }

  /** Waits for what computes it; in memory of its own. */
  async read(): Promise<HostNumbers> {
    const values = hostArray(this.tensor);
    await this.readInto(values);
    return values;
  }

  /** The same into memory that does not move. */
  async readInto(values: HostNumbers): Promise<void> {
    if (!fits(values, this.tensor)) throw new Error(`internal: ${values.length} numbers for ${typeText(this.tensor)}`);
    const size = bytesOf(this.tensor);
    const destination = this.pjrt.koffi.address(values);
    const { event } = this.pjrt.call("Buffer_ToHostBuffer", {
      buffer: this.pointer,
      destination,
      size: BigInt(size),
    });
    await this.pjrt.wait(event, values);
  }

  /**
   * Not before a step that takes its memory is over: older plugins would wait for it here. Twice is once.
   */
  destroy(): void {
    if (this.#pointer === null) return;
    const buffer = this.#pointer;
    this.#pointer = null;
    this.pjrt.call("Buffer_Destroy", { buffer });
  }
}
