/** Which images of the global batch a device takes. */

/** A device among those that share a batch. */
export interface Place {
  /** From 0. */
  readonly rank: number;
  readonly size: number;
}

/** The places of the devices that a process holds, among those of all processes. */
export function placesOf({ rank, size }: Place, devices: number): readonly Place[] {
  return Array.from({ length: devices }, (_, device) => ({ rank: rank * devices + device, size: size * devices }));
}

/**
 * The number, within the global batch of a step, of the first image of a device's micro-batch. Every micro-batch of all
 * devices is a run of images, divided among them in the order of ranks: N devices see what one device with the same global
 * batch sees, and N accumulated micro-batches of one device are those of N devices.
 */
export function firstImageOf(
  { microStep, deviceBatch }: { readonly microStep: number; readonly deviceBatch: number },
  { rank, size }: Place,
): number {
  return (microStep * size + rank) * deviceBatch;
}
