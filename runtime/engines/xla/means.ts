/** What leaves XLA between two programs: gradients go to the host, the processes take their mean, and it goes back. */
import type { Reducer } from "../engine";
import type { Buffer } from "./pjrt/buffer";
import type { Client } from "./pjrt/client";
import { elementsOf, typeText } from "./pjrt/types";

/** By device. */
export type Reduced = readonly (readonly Buffer[])[];

export class Means {
  /** Made at the first step and kept: every step reduces the same tensors, side by side in one array. */
  #values = new Float32Array();

  constructor(
    private readonly client: Client,
    private readonly reducer: Pick<Reducer, "allReduceMean">,
  ) {}

  /** Takes the buffers of each device and destroys them. All devices of this process gave the same numbers. */
  async of(given: Reduced): Promise<Reduced> {
    const [first = []] = given;
    const sizes = first.map(({ tensor }) => elementsOf(tensor));
    const total = sizes.reduce((sum, size) => sum + size, 0);
    // V8 moves small arrays about.
    if (this.#values.length !== total)
      this.#values = new Float32Array(new ArrayBuffer(Math.max(total * 4, 128)), 0, total);
    let start = 0;
    const places = first.map((buffer, i) => {
      if (buffer.tensor.type !== "f32") throw new Error(`internal: ${typeText(buffer.tensor)} is reduced`);
      const place = this.#values.subarray(start, start + (sizes[i] ?? 0));
      start += place.length;
      return place;
    });
    for (const [i, buffer] of first.entries()) await buffer.readInto(places[i] ?? new Float32Array());
    for (const buffer of given.flat()) buffer.destroy();
    await this.reducer.allReduceMean([this.#values]);
    return given.map((_, device) =>
      first.map(({ tensor }, i) => this.client.upload(places[i] ?? new Float32Array(), tensor, device)),
    );
  }
}
