/** Numbers of images → a batch for the network: cut, resize, mirror. The inner loop of every data thread. */
import type { AugmentationPlan, ImagePlan } from "../experiment";
import { randomAt } from "../random/random";
import { randomCrop } from "./crop";
import { bytesOfImage, writePlanes } from "./pixels";
import { cutOrReplace } from "./replacing";
import { type Cutout, createResampler } from "./resample";
import type { ImageSource } from "./source";

export interface TrainingJob {
  readonly epoch: number;
  readonly images: Int32Array;
}

export interface AugmentOptions {
  readonly seed: number;
  readonly image: ImagePlan;
  readonly augmentation: AugmentationPlan;
}

/** Writes images [B, 3, H, W] into `out`. */
export type Prepare = (job: TrainingJob, out: Uint8Array) => Promise<void>;

/** Box and mirroring depend on (seed, epoch, number of the image) and nothing else. */
export function createPrepare(source: ImageSource, { seed, image, augmentation }: AugmentOptions): Prepare {
  const { resample } = createResampler();
  const length = bytesOfImage(image);

  return async ({ epoch, images }, out) => {
    await inTurn<Cutout>({ count: images.length, ahead: 1 }, (i) => {
      const index = images[i] ?? 0;
      const name = { seed, step: epoch, sample: index };
      const mirrored = augmentation.horizontalFlip && randomAt({ ...name, purpose: "data.mirror" }).uniform() < 0.5;
      return {
        cut: cutOrReplace(source, {
          seed,
          epoch,
          index,
          // From the beginning of its stream each time: a bad image may be asked for its box before its replacement is.
          choose: (size) => randomCrop(randomAt({ ...name, purpose: "data.crop" }), size, augmentation),
        }),
        use: (cut) => writePlanes(resample(cut.image, cut.box, image), image, mirrored, out, i * length),
      };
    });
  };
}

export interface Cutting<T> {
  readonly cut: Promise<T>;
  readonly use: (cut: T) => void;
}

/** Cuts and uses `count` images in order; up to `ahead` later ones are decoded meanwhile. */
export async function inTurn<T>(
  { count, ahead }: { readonly count: number; readonly ahead: number },
  begin: (i: number) => Cutting<T>,
): Promise<void> {
  const started: Cutting<T>[] = [];
  for (let i = 0, begun = 0; i < count; i++) {
    while (begun < count && begun <= i + ahead) {
      const cutting = begin(begun++);
      cutting.cut.catch(() => {}); // awaited below; until then a failure must not end the process
      started.push(cutting);
    }
    const { use, cut } = started.shift() ?? missing();
    use(await cut);
  }
}

function missing(): never {
  throw new Error("internal: an image was not begun");
}
