/** Numbers of images → a batch for the network: cut, resize, mirror. The inner loop of every data thread. */
import type { AugmentationPlan, ImagePlan } from "../experiment";
import { randomAt } from "../random/random";
import { type Box, randomCrop, type Size } from "./crop";
import { bytesOfImage, writePlanes } from "./pixels";
import { createResampler } from "./resample";
import type { Cutout, ImageSource } from "./source";

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
    await inTurn({ count: images.length, ahead: 1 }, source, (i) => {
      const index = images[i] ?? 0;
      const name = { seed, step: epoch, sample: index };
      const mirrored = augmentation.horizontalFlip && randomAt({ ...name, purpose: "data.mirror" }).uniform() < 0.5;
      return {
        index,
        // From the beginning of its stream each time: a broken file may be asked for its box before its replacement is.
        choose: (size) => randomCrop(randomAt({ ...name, purpose: "data.crop" }), size, augmentation),
        use: (cut) => writePlanes(resample(cut.image, cut.box, image), image, mirrored, out, i * length),
      };
    });
  };
}

export interface Cutting {
  readonly index: number;
  readonly choose: (size: Size) => Box;
  readonly use: (cut: Cutout) => void;
}

/** Cuts and uses `count` images in order; up to `ahead` later ones are decoded meanwhile. */
export async function inTurn(
  { count, ahead }: { readonly count: number; readonly ahead: number },
  source: ImageSource,
  cutting: (i: number) => Cutting,
): Promise<void> {
  const started: { readonly use: Cutting["use"]; readonly cut: Promise<Cutout> }[] = [];
  for (let i = 0, begun = 0; i < count; i++) {
    while (begun < count && begun <= i + ahead) {
      const { index, choose, use } = cutting(begun++);
      const cut = source.cut(index, choose);
      cut.catch(() => {}); // awaited below; until then a failure must not end the process
      started.push({ use, cut });
    }
    const { use, cut } = started.shift() ?? missing();
    use(await cut);
  }
}

function missing(): never {
  throw new Error("internal: an image was not begun");
}
