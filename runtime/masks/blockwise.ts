/**
 * Patches masked in blocks, as BEiT draws them (Bao et al. 2021, arXiv 2106.08254, Algorithm 1), and data2vec after it:
 * rectangles of random area, aspect and place, one over another, until as many patches are masked as shall be. A block that
 * would mask more than are left is drawn again; where ten draws in a row mask nothing more, BEiT goes on with fewer masked
 * patches. Here their number is fixed: the last ones are then single patches from anywhere.
 */
import { type Random, randomAt } from "../random/random";
import { lengthsOf } from "../step/lengths";
import type { BlockwisePlan } from "./plan";
import type { PatchDraw, PatchDrawRequest } from "./random";
import { purposeOfSet } from "./sets";

const DRAWS = 10;

/** Masks one more block, of at most `most` new patches; gives how many it has. */
function maskBlock(isMasked: Uint8Array, most: number, plan: BlockwisePlan, random: Random): number {
  const { gridHeight, gridWidth, blocks } = plan;
  const [low, high] = blocks.aspect.map(Math.log);
  const smallest = Math.min(blocks.smallest, most);
  for (let draw = 0; draw < DRAWS; draw++) {
    const area = smallest + random.uniform() * (most - smallest);
    const aspect = Math.exp((low ?? 0) + random.uniform() * ((high ?? 0) - (low ?? 0)));
    const height = Math.round(Math.sqrt(area * aspect));
    const width = Math.round(Math.sqrt(area / aspect));
    if (height < 1 || width < 1 || height > gridHeight || width > gridWidth) continue;
    const top = random.integer(gridHeight - height + 1);
    const left = random.integer(gridWidth - width + 1);
    const fresh: number[] = [];
    for (let y = top; y < top + height; y++) {
      for (let x = left; x < left + width; x++) {
        if (isMasked[y * gridWidth + x] === 0) fresh.push(y * gridWidth + x);
      }
    }
    if (fresh.length === 0 || fresh.length > most) continue;
    for (const patch of fresh) isMasked[patch] = 1;
    return fresh.length;
  }
  return 0;
}

function maskSingles(isMasked: Uint8Array, count: number, random: Random): void {
  const left = Int32Array.from(isMasked.keys()).filter((patch) => isMasked[patch] === 0);
  random.shuffle(left);
  for (const patch of left.subarray(0, count)) isMasked[patch] = 1;
}

export function drawBlocks(
  plan: BlockwisePlan,
  { seed, step, images, firstImage, set = 0 }: PatchDrawRequest,
): PatchDraw {
  const [program] = plan.programs;
  if (program === undefined) throw new Error("internal: a mask plan without programs");
  const { contextTokens: seen, targetTokens: hidden } = program;
  const visible = new Int32Array(images * seen);
  const masked = new Int32Array(images * hidden);
  for (let image = 0; image < images; image++) {
    const random = randomAt({ seed, purpose: purposeOfSet("masks.blocks", set), step, sample: firstImage + image });
    const isMasked = new Uint8Array(seen + hidden);
    for (let left = hidden; left > 0; ) {
      const found = maskBlock(isMasked, left, plan, random);
      if (found === 0) maskSingles(isMasked, left, random);
      left -= found === 0 ? left : found;
    }
    const patches = Int32Array.from(isMasked.keys());
    visible.set(
      patches.filter((patch) => isMasked[patch] === 0),
      image * seen,
    );
    masked.set(
      patches.filter((patch) => isMasked[patch] === 1),
      image * hidden,
    );
  }
  return { lengths: lengthsOf(program, plan.targetCount), visible, masked };
}
