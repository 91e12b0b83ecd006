/** What the model expects of an experiment at several sizes of cluster. */
import { allParameters } from "../../compiler/step/cost";
import type { Facts } from "../../compiler/step/facts";
import type { Experiment } from "../../runtime/experiment";
import { assumed, type CardName, cards, type Network, networks } from "./hardware";
import {
  type Choices,
  hierarchicalReduction,
  type Links,
  momentBytes,
  ringReduction,
  type StepModel,
  scaledStep,
} from "./model";

export interface ScalingOptions {
  readonly card: CardName;
  /** Share of the card's peak; not looked at where the step was measured. */
  readonly mfu: number;
  /** Of one device alone, measured; null: operations of the plan / (peak × mfu). */
  readonly stepSeconds: number | null;
}

export const scalingDevices = [8, 64, 512] as const;

/** From what the generated step does to all that could be done. */
export const scalingChoices = [
  { name: "as it is", gradientBytes: 4, overlap: false, sharded: false },
  { name: "bf16 reduction", gradientBytes: 2, overlap: false, sharded: false },
  { name: "overlap", gradientBytes: 4, overlap: true, sharded: false },
  { name: "sharded state", gradientBytes: 4, overlap: false, sharded: true },
  { name: "overlap, bf16", gradientBytes: 2, overlap: true, sharded: false },
  { name: "overlap, bf16, sharded", gradientBytes: 2, overlap: true, sharded: true },
] as const satisfies readonly (Omit<Choices, "bucketBytes"> & { readonly name: string })[];

export interface ExpectedSize {
  readonly devices: number;
  readonly globalBatch: number;
  readonly ringSeconds: number;
  readonly hierarchicalSeconds: number;
  /** By choice, with the faster of the two reductions. */
  readonly efficiency: readonly { readonly choice: string; readonly efficiency: number }[];
  /** The first choice that reaches `goal`; null where none does. */
  readonly reaches: string | null;
  /** Of a device: both moments of AdamW, whole and in parts. */
  readonly momentBytes: { readonly whole: number; readonly sharded: number };
}

export interface ScalingExpectation {
  readonly card: CardName;
  readonly precision: "fp32" | "bf16";
  /** Null where the step was measured. */
  readonly mfu: number | null;
  readonly step: StepModel;
  readonly imagesPerDevice: number;
  readonly networks: readonly { readonly network: string; readonly sizes: readonly ExpectedSize[] }[];
}

/** Efficiency from which nothing more has to change. */
export const goal = 0.95;

export function expectScaling(
  facts: Facts,
  { hardware, optimizer }: Pick<Experiment, "hardware" | "optimizer">,
  options: ScalingOptions,
): ScalingExpectation {
  const precision = hardware.precision === "bf16" ? "bf16" : "fp32";
  const step = stepModel(facts, optimizer.accumulation, precision, options);
  const imagesPerDevice = optimizer.deviceBatch * optimizer.accumulation;
  return {
    card: options.card,
    precision,
    mfu: options.stepSeconds === null ? options.mfu : null,
    step,
    imagesPerDevice,
    networks: networks.map((network) => ({
      network: network.name,
      sizes: scalingDevices.map((devices) =>
        sizeOf({ step, devices, imagesPerDevice, links: linksOf(options.card, network) }),
      ),
    })),
  };
}

export function stepModel(
  facts: Pick<Facts, "flopsPerStep" | "parameters">,
  accumulation: number,
  precision: "fp32" | "bf16",
  { card, mfu, stepSeconds }: ScalingOptions,
): StepModel {
  const { parts, total } = facts.flopsPerStep;
  const seconds = stepSeconds ?? total / (cards[card].peakFlops[precision] * mfu);
  const backward = parts.reduce((sum, part) => sum + part.backwardFlops, 0);
  const parameters = allParameters(facts.parameters);
  // AdamW reads gradient, weight and two moments and writes the last three; the target encoder is read and written.
  const updateBytes = 4 * (7 * parameters + 2 * facts.parameters.encoder);
  return {
    stepSeconds: seconds,
    backwardSeconds: (seconds * backward) / total / accumulation,
    updateSeconds: Math.min(seconds, updateBytes / cards[card].memoryBytesPerSecond),
    parameters,
  };
}

function linksOf(card: CardName, { hostBytesPerSecond }: Network): Links {
  const { linkShare, latencySeconds, cardsPerHost } = assumed;
  return {
    cardsPerHost,
    cardBytesPerSecond: linkShare * cards[card].linkBytesPerSecond,
    hostBytesPerSecond: linkShare * hostBytesPerSecond,
    cardLatency: latencySeconds.card,
    hostLatency: latencySeconds.host,
  };
}

function sizeOf(what: {
  readonly step: StepModel;
  readonly devices: number;
  readonly imagesPerDevice: number;
  readonly links: Links;
}): ExpectedSize {
  const { step, devices, links } = what;
  const { bucketBytes } = assumed;
  const ways = [ringReduction, hierarchicalReduction];
  const best = (choices: Omit<Choices, "bucketBytes">): number =>
    Math.max(
      ...ways.map(
        (way) =>
          scaledStep(step, devices, (of, bytes) => way(of, bytes, links), { ...choices, bucketBytes }).efficiency,
      ),
    );
  const whole = (way: typeof ringReduction): number => {
    const { scatterSeconds, gatherSeconds } = way(devices, 4 * step.parameters, links);
    return scatterSeconds + gatherSeconds;
  };
  const efficiency = scalingChoices.map((choices) => ({ choice: choices.name, efficiency: best(choices) }));
  return {
    devices,
    globalBatch: devices * what.imagesPerDevice,
    ringSeconds: whole(ringReduction),
    hierarchicalSeconds: whole(hierarchicalReduction),
    efficiency,
    reaches: efficiency.find((each) => each.efficiency >= goal)?.choice ?? null,
    momentBytes: {
      whole: momentBytes(step.parameters, devices, false),
      sharded: momentBytes(step.parameters, devices, true),
    },
  };
}
