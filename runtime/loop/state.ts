/**
 * What a run keeps between steps, by path: weights, the two moments of AdamW, the target encoder where there is one and, with
 * accumulation, gradients.
 */
import type { StateStore, TensorSpec, TensorSpecs } from "../engines/engine";
import type { Parameter } from "../experiment";
import { initialValues } from "../model/initialize";
import { shardLength } from "../step/shards";
import { type StateName, stateNames, stateTrees } from "../step/trees";

export const encoderPrefix = "encoder.";

/** `encoder.blocks.0.norm1.weight` → `target.blocks.0.norm1.weight`: the target encoder has the paths of the encoder. */
export function targetPath(encoderPath: string): string {
  if (!encoderPath.startsWith(encoderPrefix)) throw new Error(`internal: ${encoderPath} is not of the encoder`);
  return `target.${encoderPath.slice(encoderPrefix.length)}`;
}

export function isOfEncoder(parameter: Parameter): boolean {
  return parameter.path.startsWith(encoderPrefix);
}

/** Whether the state has a target encoder. */
export const averages = ({ state }: { readonly state: readonly StateName[] }): boolean => state.includes("target");

function specOf(parameter: Parameter): TensorSpec {
  return { dtype: "f32", shape: parameter.shape };
}

/** The tensors of these trees of the state by path. `shards`: over how many devices the optimizer is divided. */
export function stateSpecs(parameters: readonly Parameter[], names: readonly StateName[], shards = 1): TensorSpecs {
  return new Map(
    names.flatMap((name) => {
      const { part, ofOptimizer = false } = stateTrees[name];
      const kept = (parameter: Parameter): TensorSpec => {
        const whole = specOf(parameter);
        return ofOptimizer && shards > 1 ? { ...whole, shape: [shardLength(elements(whole), shards)] } : whole;
      };
      return part === "all"
        ? parameters.map((parameter) => [`${name}.${parameter.path}`, kept(parameter)] as const)
        : parameters.filter(isOfEncoder).map((parameter) => [targetPath(parameter.path), kept(parameter)] as const);
    }),
  );
}

/** Writes what a store has of the state of step 0: drawn weights, the target as a copy of the encoder, everything else zero. */
export async function writeInitialState(
  store: StateStore,
  parameters: readonly Parameter[],
  seed: number,
): Promise<void> {
  for (const parameter of parameters) {
    const values = initialValues(parameter, seed);
    const paths = [`weights.${parameter.path}`, ...(isOfEncoder(parameter) ? [targetPath(parameter.path)] : [])];
    for (const path of paths) if (store.specs.has(path)) await store.write(path, values);
  }
  await writeZeros(
    store,
    stateNames.filter((name) => stateTrees[name].start === "zeros"),
  );
}

/** Between two steps there is no gradient: nothing to keep in a checkpoint, and zeros after one is loaded. */
export async function writeZeroGradients(store: StateStore): Promise<void> {
  await writeZeros(store, ["gradients"]);
}

export async function writeZeros(store: StateStore, roots: readonly StateName[]): Promise<void> {
  for (const [path, spec] of store.specs) {
    if (roots.some((root) => path.startsWith(`${root}.`))) await store.write(path, new Float32Array(elements(spec)));
  }
}

/** How many numbers it has. */
export function elements(spec: TensorSpec): number {
  return spec.shape.reduce<number>((product, size) => {
    if (typeof size === "string") throw new Error("internal: a tensor of the state has a fixed shape");
    return product * size;
  }, 1);
}
