/** What a point has to be given by whoever runs it: `hardware` of its experiment, in the terms of schedulers. */
import type { Spec } from "../../../compiler/spec/spec";
import type { PointTask } from "./executor";

export type CardKind = "GPU" | "TPU";

/** Devices that are cards of a host; null where the processor is the device. */
const cardKinds: { readonly [D in Spec["hardware"]["device"]]: CardKind | null } = {
  cpu: null,
  gpu: "GPU",
  tpu: "TPU",
  webgpu: "GPU",
  wasm: null,
  js: null,
};

export interface PointNeeds {
  /** Null where it needs none. */
  readonly cards: { readonly kind: CardKind; readonly count: number } | null;
  /** Devices that divide the processors of the host among them: ranks on its CPU, and 1 with cards. */
  readonly processorShares: number;
  /** Processors in all; null where its experiment leaves them to the machine. */
  readonly processors: number | null;
}

/** `node train.js` starts its ranks on its own host, so all that a point needs is of one host. */
export function needsOf({ hardware }: Pick<Spec, "hardware">): PointNeeds {
  const { gpus, threads } = hardware;
  const kind = cardKinds[hardware.device];
  const processorShares = kind === null ? gpus : 1;
  const processors = threads === 0 && processorShares === 1 ? null : processorShares * Math.max(1, threads);
  return { cards: kind === null ? null : { kind, count: gpus }, processorShares, processors };
}

/** What is enough for each of the points, where all of them get the same. */
export function needsOfAll(tasks: readonly PointTask[]): PointNeeds {
  const all = tasks.map(({ point }) => needsOf(point.spec));
  const most = (numbers: readonly number[]): number => Math.max(0, ...numbers);
  const cards = all.flatMap((needs) => needs.cards ?? []);
  const [first] = cards;
  const processors = all.flatMap((needs) => needs.processors ?? []);
  return {
    cards: first === undefined ? null : { kind: first.kind, count: most(cards.map(({ count }) => count)) },
    processorShares: most(all.map((needs) => needs.processorShares)),
    processors: processors.length === 0 ? null : most(processors),
  };
}
