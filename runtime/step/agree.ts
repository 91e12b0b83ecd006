/**
 * The sizes that step.ts declares and the numbers of experiment.ts are one thing told twice: a generated main.ts compares
 * them by type, and its trainer once more when it starts.
 */
import { sizesDisagree } from "../errors/run";
import type { Experiment, NetworkPlan } from "../experiment";

/** Sizes of step.ts that are numbers of their own; the others are made of them (runtime/ops/sizes.ts). */
export interface StepSizes {
  readonly B: number;
  readonly N: number;
  readonly V: number;
  readonly D: number;
  readonly H: number;
  readonly F: number;
  /** Of the network that reads the encoder, where there is one. */
  readonly P?: number;
  readonly PH?: number;
  readonly PF?: number;
  /** Tokens of context and target, where they are the same in all programs. */
  readonly C?: number;
  readonly T?: number;
}

type Items<N extends number, Found extends unknown[] = []> = Found["length"] extends N
  ? Found
  : Items<N, [...Found, unknown]>;
type Repeated<
  Of extends unknown[],
  Times extends number,
  Count extends unknown[] = [],
  Found extends unknown[] = [],
> = Count["length"] extends Times ? Found : Repeated<Of, Times, [...Count, unknown], [...Found, ...Of]>;
/** Of four digits or more, or no literal at all. */
type Long<N extends number> = number extends N
  ? true
  : `${N}` extends `${infer _1}${infer _2}${infer _3}${infer _4}${infer _5}`
    ? true
    : false;

/** A · B as a literal; any number where it is too long to be counted by types. */
type Product<A extends number, B extends number> = true extends Long<A> | Long<B>
  ? number
  : Repeated<Items<A>, B> extends { readonly length: infer L extends number }
    ? L
    : number;

/** The network behind the encoder: a predictor, a decoder, or none. */
type SecondNetwork<E extends Experiment> = E extends { readonly predictor: infer P extends NetworkPlan }
  ? P
  : E extends { readonly decoder: infer P extends NetworkPlan }
    ? P
    : never;

function secondNetwork(experiment: Experiment): readonly [name: string, network: NetworkPlan] | null {
  if ("predictor" in experiment) return ["predictor", experiment.predictor];
  return "decoder" in experiment ? ["decoder", experiment.decoder] : null;
}

/** What step.ts of this experiment has to declare. */
export interface SizesOf<E extends Experiment> extends StepSizes {
  readonly B: E["optimizer"]["deviceBatch"];
  readonly N: Product<E["image"]["gridHeight"], E["image"]["gridWidth"]>;
  readonly V: Product<E["image"]["channels"], Product<E["image"]["patch"], E["image"]["patch"]>>;
  readonly D: E["encoder"]["dim"];
  readonly H: E["encoder"]["heads"];
  readonly F: E["encoder"]["hidden"];
  readonly P?: SecondNetwork<E>["dim"];
  readonly PH?: SecondNetwork<E>["heads"];
  readonly PF?: SecondNetwork<E>["hidden"];
  readonly C?: E["masks"]["programs"][number]["contextTokens"];
  readonly T?: E["masks"]["programs"][number]["targetTokens"];
}

/** The sizes of a step, if they are those of its experiment. */
export const agreed = <const E extends Experiment>(_: E, sizes: SizesOf<E>): StepSizes => sizes;

type Wanted = { readonly [K in keyof Required<StepSizes>]: readonly [size: number, field: string] };
/** Those of the second network. */
type OfSecond = "P" | "PH" | "PF";

/** What an experiment makes of each size: the number, and of what it is. */
function wanted(experiment: Experiment): Omit<Wanted, OfSecond> & Partial<Pick<Wanted, OfSecond>> {
  const { optimizer, image, encoder, masks } = experiment;
  const [name, second] = secondNetwork(experiment) ?? [];
  const [program] = masks.programs;
  return {
    C: [program?.contextTokens ?? 0, "masks.programs"],
    T: [program?.targetTokens ?? 0, "masks.programs"],
    B: [optimizer.deviceBatch, "optimizer.deviceBatch"],
    N: [image.gridHeight * image.gridWidth, "image.gridHeight · image.gridWidth"],
    V: [image.channels * image.patch * image.patch, "image.channels · image.patch²"],
    D: [encoder.dim, "encoder.dim"],
    H: [encoder.heads, "encoder.heads"],
    F: [encoder.hidden, "encoder.hidden"],
    ...(second && {
      P: [second.dim, `${name}.dim`],
      PH: [second.heads, `${name}.heads`],
      PF: [second.hidden, `${name}.hidden`],
    }),
  };
}

/** Throws where step.ts and experiment.ts of a trainer contradict each other. */
export function checkSizes(experiment: Experiment, sizes: StepSizes): void {
  for (const [name, [size, field]] of Object.entries(wanted(experiment))) {
    const found: unknown = Reflect.get(sizes, name);
    if (found !== undefined && found !== size) throw sizesDisagree({ name, found: String(found), wanted: size, field });
  }
}

/** The sizes that an experiment makes. */
export function sizesOf(experiment: Experiment): StepSizes {
  const { B, N, V, D, H, F, P, PH, PF } = wanted(experiment);
  const ofEncoder = { B: B[0], N: N[0], V: V[0], D: D[0], H: H[0], F: F[0] };
  return { ...ofEncoder, ...(P && PH && PF && { P: P[0], PH: PH[0], PF: PF[0] }) };
}
