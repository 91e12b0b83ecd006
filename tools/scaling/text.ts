/** The expectation of scaling for people: Markdown, as `inspect` and docs/scaling.md print it. */
import { bytesText, countText } from "../../compiler/step/facts";
import { type ExpectedSize, goal, type ScalingExpectation, scalingChoices } from "./expect";
import { assumed, cards, networks } from "./hardware";

const milliseconds = (seconds: number): string =>
  seconds >= 1 ? (seconds * 1000).toFixed(0) : (seconds * 1000).toPrecision(3);
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), `|${" ---: |".repeat(head.length)}`, ...rows.map(line)].join("\n");
}

export function scalingText(expected: ScalingExpectation): string {
  const { step, precision, mfu, imagesPerDevice } = expected;
  const card = cards[expected.card];
  const time =
    mfu === null
      ? `measured: ${milliseconds(step.stepSeconds)} ms`
      : `not measured: ${milliseconds(step.stepSeconds)} ms, the operations of the plan at ${percent(mfu)} of the ` +
        `${card.peakFlops[precision] / 1e12} TFLOP/s of ${precision}, an assumption`;
  const head = ["devices", "global batch", "ring, ms", "hierarchical, ms", ...scalingChoices.map(({ name }) => name)];
  const rowOf = (size: ExpectedSize): readonly string[] => [
    String(size.devices),
    countText(size.globalBatch),
    milliseconds(size.ringSeconds),
    milliseconds(size.hierarchicalSeconds),
    ...size.efficiency.map(({ efficiency }) => percent(efficiency)),
  ];
  const parts = expected.networks.flatMap(({ network, sizes }) => [
    `Between hosts of ${assumed.cardsPerHost} cards: ${network}.`,
    table(head, sizes.map(rowOf)),
    sizes.map(changeText).join("\n"),
  ]);
  const { latencySeconds, linkShare, bucketBytes } = assumed;
  return [
    `Expected on ${card.name}, by a model and not by a run. A step of one device alone (${countText(imagesPerDevice)} images) was ${time}. ` +
      `It reduces ${bytesText(4 * step.parameters)} of gradients (${countText(step.parameters)} in float32); of the step ` +
      `${milliseconds(step.backwardSeconds)} ms are backward and ${milliseconds(step.updateSeconds)} ms the update, by bytes of memory. ` +
      "Every device keeps its batch. The columns of ring and hierarchical are one all-reduce in float32; " +
      "those after them are images per second and device as a share of one device alone, with the faster of the two.",
    ...parts,
    `Assumed: links reach ${percent(linkShare)} of their rated speed; a hop takes ${latencySeconds.card * 1e6} µs within a host and ` +
      `${latencySeconds.host * 1e6} µs between; buckets of ${bytesText(bucketBytes)} where the reduction overlaps with backward. ` +
      "What ranks wait for one another, for images or for a slow host comes on top.",
  ].join("\n\n");
}

function changeText({ devices, reaches, efficiency, momentBytes }: ExpectedSize): string {
  const best = efficiency.reduce((a, b) => (b.efficiency > a.efficiency ? b : a));
  const change =
    reaches === null
      ? `nothing here reaches ${100 * goal} %; ${best.choice} comes to ${percent(best.efficiency)}, more takes a larger batch on each device`
      : reaches === "as it is"
        ? `${100 * goal} % or more without a change`
        : `${100 * goal} % takes ${reaches}`;
  const memory = `${bytesText(momentBytes.whole)} of AdamW's moments on each, ${bytesText(momentBytes.sharded)} in parts`;
  return `- ${devices} devices: ${change}; ${memory}.`;
}

/** Cards, links and assumptions, with their sources. */
export function hardwareTables(): string {
  const cardRows = Object.values(cards).map((card) => [
    card.name,
    (card.peakFlops.bf16 / 1e12).toFixed(0),
    String(card.peakFlops.fp32 / 1e12),
    (card.memoryBytesPerSecond / 1e12).toFixed(2),
    (card.linkBytesPerSecond / 1e9).toFixed(0),
    card.source,
  ]);
  const networkRows = networks.map(({ name, hostBytesPerSecond, source }) => [
    name,
    (hostBytesPerSecond / 1e9).toFixed(0),
    source,
  ]);
  return [
    table(["card", "bf16, TFLOP/s", "fp32, TFLOP/s", "memory, TB/s", "NVLink one way, GB/s", "source"], cardRows),
    table(["network", "one way, GB/s", "source"], networkRows),
    `Share of the peak: ${assumed.mfu}. Published: ${assumed.mfuSources.join("; ")}.`,
  ].join("\n\n");
}
