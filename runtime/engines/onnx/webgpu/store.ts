/**
 * The state of a run in the memory of a GPU, where it stays: numbers come to the host when somebody reads them (at a
 * checkpoint) and go to the device before the next run when somebody wrote them (at the start).
 */
import type { StateStore, TensorSpecs } from "../../engine";
import { type Layout, layoutOf, type Segment } from "../layout";
import { allocate, pinned } from "../store";
import { type Device, type DeviceTensor, exclusively } from "./device";

interface Place {
  /** Made at the first use. */
  tensor: DeviceTensor | null;
  /** What a run writes to that must not write over what it reads; takes the tensor's place afterwards. */
  spare: DeviceTensor | null;
  /** The numbers on the host, of a segment with several tensors; null where the device has newer ones. */
  host: Float32Array<ArrayBuffer> | null;
  /** Whether the device has the numbers. */
  isOnDevice: boolean;
}

export class WebgpuStore implements StateStore {
  readonly layout: Layout;
  readonly #places: ReadonlyMap<Segment, Place>;

  constructor(
    readonly specs: TensorSpecs,
    private readonly device: Device,
  ) {
    this.layout = layoutOf(specs);
    this.#places = new Map(
      this.layout.segments.map((segment) => [segment, { tensor: null, spare: null, host: null, isOnDevice: false }]),
    );
  }

  read(path: string): Promise<Float32Array> {
    return exclusively(async () => {
      const { segment, piece } = this.layout.find(path);
      const host = await this.hostOf(segment);
      // One that stands alone is handed over as it is and not kept: a checkpoint would double the memory of the host.
      if (segment.pieces.length === 1 && this.place(segment).isOnDevice) return host;
      return host.slice(piece.offset, piece.offset + piece.size);
    });
  }

  write(path: string, values: Float32Array): Promise<void> {
    return exclusively(async () => {
      const { segment, piece } = this.layout.find(path);
      if (values.length !== piece.size) {
        throw new Error(`internal: ${path} has ${piece.size} numbers, but ${values.length} were written`);
      }
      const place = this.place(segment);
      if (segment.pieces.length === 1) {
        await this.device.upload([{ from: pinned(values), to: this.tensorOf(segment) }]);
        place.isOnDevice = true;
        return;
      }
      place.host = await this.hostOf(segment);
      place.host.set(values, piece.offset);
      place.isOnDevice = false;
    });
  }

  /** The numbers of a segment on the device, sent there if need be. */
  async current(segment: Segment): Promise<DeviceTensor> {
    const place = this.place(segment);
    const tensor = this.tensorOf(segment);
    if (!place.isOnDevice) await this.device.upload([{ from: place.host ?? allocate(segment.size), to: tensor }]);
    place.isOnDevice = true;
    return tensor;
  }

  /** Where a run may write the new numbers while it reads the old ones. */
  spare(segment: Segment): DeviceTensor {
    const place = this.place(segment);
    place.spare ??= this.device.allocate("f32", segment.shape);
    return place.spare;
  }

  /** A run has written new numbers: over the old ones, or to the spare tensor. */
  replaced(segment: Segment, where: "in place" | "spare"): void {
    const place = this.place(segment);
    place.host = null;
    place.isOnDevice = true;
    if (where === "spare") [place.tensor, place.spare] = [place.spare, place.tensor];
  }

  release(): Promise<void> {
    return exclusively(async () => {
      for (const place of this.#places.values()) {
        for (const tensor of [place.tensor, place.spare]) if (tensor !== null) this.device.free(tensor);
        Object.assign(place, { tensor: null, spare: null, host: null, isOnDevice: false });
      }
    });
  }

  private place(segment: Segment): Place {
    const place = this.#places.get(segment);
    if (place === undefined) throw new Error(`internal: no segment ${segment.name}`);
    return place;
  }

  private tensorOf(segment: Segment): DeviceTensor {
    const place = this.place(segment);
    place.tensor ??= this.device.allocate("f32", segment.shape);
    return place.tensor;
  }

  /** The numbers of a segment on the host; zeros where none were written. */
  private async hostOf(segment: Segment): Promise<Float32Array<ArrayBuffer>> {
    const place = this.place(segment);
    if (place.host !== null) return place.host;
    const host = allocate(segment.size);
    if (place.isOnDevice && place.tensor !== null) await this.device.download(place.tensor, host);
    if (segment.pieces.length > 1) place.host = host;
    return host;
  }
}
