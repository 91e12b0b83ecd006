/**
 * How the time of a step grows with the number of devices, each with the batch that it has alone (weak scaling). Formulas of
 * bandwidth and latency: rings as in Patarasuk and Yuan, "Bandwidth optimal all-reduce algorithms for clusters of
 * workstations" (2009). What ranks wait for one another because they are not equally fast is no part of it.
 */

export interface Links {
  readonly cardsPerHost: number;
  /** Bytes per second in one direction: from a card to the next one of its host, and of a whole host. */
  readonly cardBytesPerSecond: number;
  readonly hostBytesPerSecond: number;
  /** Seconds of a hop. */
  readonly cardLatency: number;
  readonly hostLatency: number;
}

export interface Reduction {
  /** The mean of the gradients on every device = the scattered half and the gathered half. */
  readonly scatterSeconds: number;
  readonly gatherSeconds: number;
}

/** One ring over all devices: every host is entered and left once, and the slowest link sets the pace. */
export function ringReduction(devices: number, bytes: number, links: Links): Reduction {
  if (devices === 1) return { scatterSeconds: 0, gatherSeconds: 0 };
  const oneHost = devices <= links.cardsPerHost;
  const speed = oneHost ? links.cardBytesPerSecond : Math.min(links.cardBytesPerSecond, links.hostBytesPerSecond);
  const latency = oneHost ? links.cardLatency : links.hostLatency;
  const half = halfRing(devices, bytes, speed, latency);
  return { scatterSeconds: half, gatherSeconds: half };
}

/** Scattered within every host, reduced over hosts by the cards of a host side by side, gathered within every host. */
export function hierarchicalReduction(devices: number, bytes: number, links: Links): Reduction {
  const local = Math.min(devices, links.cardsPerHost);
  const hosts = Math.ceil(devices / links.cardsPerHost);
  const within = halfRing(local, bytes, links.cardBytesPerSecond, links.cardLatency);
  // All cards of a host send at once through what the host has, each its part: together `bytes` through its network.
  const between = halfRing(hosts, bytes, links.hostBytesPerSecond, links.hostLatency);
  return { scatterSeconds: within + between, gatherSeconds: between + within };
}

/** A reduce-scatter, or an all-gather: n − 1 hops of a part of n. */
const halfRing = (devices: number, bytes: number, speed: number, latency: number): number =>
  (devices - 1) * (bytes / devices / speed + latency);

export interface StepModel {
  /** On one device alone, with the update of the weights. */
  readonly stepSeconds: number;
  /** Of that: the backward pass of the last micro-batch, beside which gradients can be reduced. */
  readonly backwardSeconds: number;
  /** Of that: AdamW and the target encoder. */
  readonly updateSeconds: number;
  /** Trained weights. */
  readonly parameters: number;
}

export interface Choices {
  /** Bytes of a gradient while it is reduced: 4 in float32, 2 in bfloat16. */
  readonly gradientBytes: 2 | 4;
  /** Buckets are reduced as backward fills them. */
  readonly overlap: boolean;
  /** Every device updates its part of the weights, and gathers those of the others in float32. */
  readonly sharded: boolean;
  readonly bucketBytes: number;
}

export interface Scaled {
  readonly devices: number;
  /** Reduction by itself, and what of it the step waits for. */
  readonly reductionSeconds: number;
  readonly exposedSeconds: number;
  readonly stepSeconds: number;
  /** Images per second and device, as a share of those of one device alone. */
  readonly efficiency: number;
}

export function scaledStep(
  step: StepModel,
  devices: number,
  reduce: (devices: number, bytes: number) => Reduction,
  choices: Choices,
): Scaled {
  const bytes = step.parameters * choices.gradientBytes;
  // Every bucket has all hops of its own.
  const buckets = choices.overlap ? Math.ceil(bytes / choices.bucketBytes) : 1;
  const bucket = reduce(devices, bytes / buckets);
  // Sharded, weights are gathered in the place of gradients, after the update, and nothing runs beside it.
  const lastBucket = bucket.scatterSeconds + (choices.sharded ? 0 : bucket.gatherSeconds);
  const during = buckets * lastBucket;
  const after = choices.sharded ? reduce(devices, step.parameters * 4).gatherSeconds : 0;
  const waits = choices.overlap ? Math.max(during - step.backwardSeconds, lastBucket) : during;
  const saved = choices.sharded ? step.updateSeconds * (1 - 1 / devices) : 0;
  const stepSeconds = step.stepSeconds - saved + waits + after;
  return {
    devices,
    reductionSeconds: during + after,
    exposedSeconds: waits + after,
    stepSeconds,
    efficiency: step.stepSeconds / stepSeconds,
  };
}

/** Bytes of the two moments of AdamW on a device. */
export const momentBytes = (parameters: number, devices: number, sharded: boolean): number =>
  (2 * 4 * parameters) / (sharded ? devices : 1);
