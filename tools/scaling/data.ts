/** How many cores prepare images as fast as a card takes them. */
import type { Facts } from "../../compiler/step/facts";
import type { Experiment } from "../../runtime/experiment";
import { type ScalingOptions, stepModel } from "./expect";
import { cards } from "./hardware";

/** What a core prepares, as docs/data-speed.json has it: read, decoded, cut out and resized. A test holds it to that. */
export const measuredCore = { imagesPerSecond: 690, image: "500×375 JPEG", size: 224 } as const;

export interface DataNeeds {
  readonly card: string;
  /** Share of the card's peak; null where the step was measured. */
  readonly mfu: number | null;
  /** What one card takes. */
  readonly imagesPerSecond: number;
  readonly coresPerCard: number;
  readonly cards: number;
}

/** Null where nothing is decoded: scenes are rendered once and kept. */
export function dataNeeds(
  facts: Pick<Facts, "flopsPerStep" | "parameters">,
  { data, hardware, optimizer }: Pick<Experiment, "data" | "hardware" | "optimizer">,
  options: ScalingOptions,
): DataNeeds | null {
  if (data.kind === "shapes") return null;
  const precision = hardware.precision === "bf16" ? "bf16" : "fp32";
  const { stepSeconds } = stepModel(facts, optimizer.accumulation, precision, options);
  const imagesPerSecond = (optimizer.deviceBatch * optimizer.accumulation) / stepSeconds;
  return {
    card: cards[options.card].name,
    mfu: options.stepSeconds === null ? options.mfu : null,
    imagesPerSecond,
    coresPerCard: imagesPerSecond / measuredCore.imagesPerSecond,
    cards: hardware.gpus,
  };
}

export function dataNeedsText({ card, mfu, imagesPerSecond, coresPerCard, cards: count }: DataNeeds): string {
  const how = mfu === null ? "as measured" : `at ${(100 * mfu).toFixed(0)} % of its peak`;
  const cores = (share: number): string => (share >= 10 ? share.toFixed(0) : share.toPrecision(2));
  const all = count === 1 ? "" : `, ${cores(count * coresPerCard)} for all ${count}`;
  const { imagesPerSecond: rate, image, size } = measuredCore;
  return (
    `Cores for images: one ${card} ${how} takes ${imagesPerSecond.toFixed(0)} images/s; a core prepares ${rate} of them a second ` +
    `(${image} to ${size}, docs/data-speed.md), so that is ${cores(coresPerCard)} cores a card${all}.`
  );
}
