/** Features of the images of a split, each image read and encoded by one of the ranks of a run. */
import { UserError } from "../errors";
import { blockOf, type Communicator } from "../ranks/communicator";
import { gatherNumbers } from "../ranks/numbers";
import { together } from "../ranks/together";
import type { EvaluatedEncoder, Features } from "./features";
import { joined, type LabelledSplit } from "./split";

export type EvaluatingRanks = Pick<Communicator, "rank" | "size" | "host" | "allGather">;

/** Batches of a rank between two meetings: at each the ranks hear of a stop, and give what they have. */
const batchesBetweenMeetings = 16;

/**
 * Features by all encoders, the same on every rank; every image is read once. A batch has the images that it has on one
 * rank, so its features have the same bits on any number of ranks. Null on all ranks where one of them was asked to stop; an
 * error that a person can meet on one is met by all (together).
 */
export async function sharedFeatures(what: {
  readonly split: LabelledSplit;
  readonly encoders: readonly EvaluatedEncoder[];
  readonly batch: number;
  readonly ranks: EvaluatingRanks;
  readonly isStopping: () => boolean;
}): Promise<readonly Features[] | null> {
  const { split, encoders, batch, ranks, isStopping } = what;
  const parts = encoders.map((): Float32Array[] => []);
  const batches = Math.ceil(split.count / batch);
  const ofMeeting = batchesBetweenMeetings * ranks.size;
  for (let from = 0; from < batches; from += ofMeeting) {
    const share = blockOf(Math.min(ofMeeting, batches - from), ranks);
    const mine = await failingTogether(ranks, () =>
      featuresOfBatches({ ...what, from: from + share.start, to: from + share.end }),
    );
    const isBrokenOff = (await gatherNumbers(ranks, [mine === null || isStopping() ? 1 : 0])).flat().includes(1);
    if (isBrokenOff || mine === null) return null;
    for (const [i, values] of mine.entries()) parts[i]?.push(...(await gathered(ranks, values)));
  }
  return parts.map((list, i): Features => {
    const values = joinedFloats(list);
    const dimension = values.length / split.count;
    if (!Number.isInteger(dimension)) {
      throw new Error(`internal: ${encoders[i]?.name} gives ${values.length} features of ${split.count} images`);
    }
    return { images: split.count, dimension, values };
  });
}

/** The images of a split that can be used, ascending, the same on every rank; asked when the features of all are there. */
export async function usableImages(split: LabelledSplit, ranks: EvaluatingRanks): Promise<readonly number[]> {
  const all = Array.from({ length: split.count }, (_, i) => i);
  const bad = all.filter((i) => split.isBad?.(i) === true);
  const found = new Set((await gatherNumbers(ranks, bad)).flat());
  return all.filter((i) => !found.has(i));
}

/** Batches from … to − 1 by each encoder; null where it was broken off. */
async function featuresOfBatches(what: {
  readonly split: LabelledSplit;
  readonly encoders: readonly EvaluatedEncoder[];
  readonly batch: number;
  readonly isStopping: () => boolean;
  readonly from: number;
  readonly to: number;
}): Promise<readonly Float32Array[] | null> {
  const { split, encoders, batch } = what;
  const parts = encoders.map((): Float32Array[] => []);
  for (let of = what.from; of < what.to; of++) {
    if (what.isStopping()) return null;
    const count = Math.min(batch, split.count - of * batch);
    const pixels = await split.pixels(of * batch, count);
    for (const [i, encoder] of encoders.entries()) {
      // A copy, as an engine may use its buffer again.
      parts[i]?.push((await encoder.features(pixels, count)).slice());
    }
  }
  return parts.map(joinedFloats);
}

/** Of what may go wrong with a person's data all ranks hear, and can go on; a fault of ours ends the run. */
export async function failingTogether<T>(ranks: EvaluatingRanks, work: () => Promise<T>): Promise<T> {
  const outcome = await work().then(
    (value) => ({ value }),
    (error: unknown) => {
      if (error instanceof UserError) return { error };
      throw error;
    },
  );
  return together(ranks, "the evaluation", () => {
    if ("error" in outcome) throw outcome.error;
    return outcome.value;
  });
}

const joinedFloats = (parts: readonly Float32Array[]): Float32Array =>
  joined(parts, (length) => new Float32Array(length));

/** What every rank gave, by rank. */
async function gathered(ranks: EvaluatingRanks, mine: Float32Array): Promise<readonly Float32Array[]> {
  if (ranks.size === 1) return [mine];
  const all = await ranks.allGather(new Uint8Array(mine.buffer, mine.byteOffset, mine.byteLength));
  return all.map((bytes) => new Float32Array(bytes.slice().buffer));
}
