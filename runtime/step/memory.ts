/** Whether there is the memory that a step takes: one comparison for the compiler, which warns, and for a trainer that starts. */
import type { DeviceName } from "../engines/engine";

/** What the compiler estimates for each device. */
export interface StepMemory {
  /** Weights, their moments and the target encoder. */
  readonly stateBytes: number;
  /** All that lives at the fullest moment. */
  readonly totalBytes: number;
  /** Whether the engine could keep activations as bfloat16, and does not. */
  readonly couldBeBf16?: boolean;
}

/** Devices whose memory is that of the machine. */
const onTheHost: { readonly [D in DeviceName]: boolean } = {
  cpu: true,
  wasm: true,
  js: true,
  gpu: false,
  tpu: false,
  webgpu: false,
};

/** The system and the images want some too. */
const usableShare = 0.9;

/** The memory that a step has to fit in. */
export interface Room {
  readonly of: "machine" | "device";
  readonly bytes: number;
}

export interface StepPlace {
  readonly device: DeviceName;
  /** Images of an optimizer step on one device, and micro-batches that they are divided into. */
  readonly images: number;
  readonly accumulation: number;
  /** Devices whose memory is this machine's. */
  readonly devicesHere: number;
}

export interface MemoryShortage {
  /** Of all devices whose memory it is. */
  readonly totalBytes: number;
  readonly stateBytes: number;
  readonly room: Room;
  /** Images of one run of the step. */
  readonly images: number;
  /** The most images at a time that fit, and the accumulation that takes so many; null where not one fits. */
  readonly fits: { readonly images: number; readonly accumulation: number } | null;
  /** What it takes with bfloat16, where the engine has that and it fits; `less` where it was not estimated. */
  readonly bf16Bytes: number | "less" | null;
}

/**
 * Null where the step fits, or where its memory is a card's of which nothing is known. `bf16` is the estimate in that
 * precision, where there is one.
 */
export function memoryShortage(
  { device, images, accumulation, devicesHere }: StepPlace,
  memory: StepMemory,
  room: Room,
  bf16: StepMemory | null = null,
): MemoryShortage | null {
  // A card's memory is not the machine's, and each has its own.
  if (room.of === "machine" && !onTheHost[device]) return null;
  const sharing = room.of === "machine" ? devicesHere : 1;
  const totalBytes = sharing * memory.totalBytes;
  if (totalBytes <= room.bytes) return null;
  const usable = usableShare * room.bytes;
  const stateBytes = sharing * memory.stateBytes;
  const perImage = (totalBytes - stateBytes) / (images / accumulation);
  const most = Math.floor((usable - stateBytes) / perImage);
  const parts = divisors(images).find((parts) => images / parts <= most);
  const bf16Bytes = bf16 === null ? null : sharing * bf16.totalBytes;
  return {
    totalBytes,
    stateBytes,
    room,
    images: images / accumulation,
    fits: parts === undefined ? null : { images: images / parts, accumulation: parts },
    bf16Bytes: bf16Bytes === null ? (memory.couldBeBf16 ? "less" : null) : bf16Bytes <= usable ? bf16Bytes : null,
  };
}

function divisors(total: number): readonly number[] {
  return Array.from({ length: total }, (_, i) => i + 1).filter((part) => total % part === 0);
}

const gibibytes = (bytes: number): string => `${(bytes / 2 ** 30).toPrecision(3)} GiB`;

/** What is wrong, what was found, and what would fit. */
export function shortageText({ images, ...shortage }: MemoryShortage): {
  readonly what: string;
  readonly found: string;
  readonly want: string;
} {
  const { totalBytes, stateBytes, room, fits, bf16Bytes } = shortage;
  const fewer =
    fits === null
      ? `a smaller encoder: its weights and what is kept of them alone take ${gibibytes(stateBytes)}`
      : `${imagesText(fits.images)} at a time: optimization.accumulation = ${fits.accumulation}`;
  const bf16 =
    bf16Bytes === null
      ? ""
      : `; or hardware.precision = bf16, which takes ${bf16Bytes === "less" ? "less" : `about ${gibibytes(bf16Bytes)}`}`;
  return {
    what: `a step of ${imagesText(images)} takes more memory than ${room.of === "machine" ? "this machine" : "the device"} has`,
    found: `about ${gibibytes(totalBytes)}; there are ${gibibytes(room.bytes)}`,
    want: `${fewer}${bf16}`,
  };
}

const imagesText = (images: number): string => (images === 1 ? "1 image" : `${images} images`);
