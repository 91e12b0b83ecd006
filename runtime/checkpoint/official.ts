/**
 * Between the state of a generated trainer and the state dicts of the reference (reference.md §3, §4, §10): names, and
 * the layout of linear weights, which are [in, out] here and [out, in] there.
 */
import type { Parameter } from "../experiment";

/** A tensor of a checkpoint that is state of the run. */
export interface OfficialTensor {
  /** e.g. `target_encoder.blocks.0.attn.qkv.weight`. */
  readonly name: string;
  readonly shape: readonly number[];
  /** Where the trainer keeps it, e.g. `target.blocks.0.attn.qkv.weight`. */
  readonly statePath: string;
  readonly parameter: Parameter;
}

/**
 * Weights, then targets, then both moments of AdamW. `averages`: whether there is a target encoder; true unless said
 * otherwise.
 */
export function officialTensors(parameters: readonly Parameter[], averages = true): readonly OfficialTensor[] {
  const each = (
    of: readonly Parameter[],
    nameOf: (network: string, officialName: string) => string,
    statePathOf: (path: string) => string,
  ): OfficialTensor[] =>
    of.map((parameter) => ({
      name: nameOf(networkOf(parameter), parameter.officialName),
      shape: parameter.officialShape,
      statePath: statePathOf(parameter.path),
      parameter,
    }));
  const encoder = averages ? parameters.filter((parameter) => networkOf(parameter) === "encoder") : [];
  return [
    ...each(
      parameters,
      (network, name) => `${network}.${name}`,
      (path) => `weights.${path}`,
    ),
    ...each(
      encoder,
      (_, name) => `target_encoder.${name}`,
      (path) => `target.${path.slice("encoder.".length)}`,
    ),
    ...(["m", "v"] as const).flatMap((moment) =>
      each(
        parameters,
        (network, name) => `opt.${moment}.${network}.${name}`,
        (path) => `${moment}.${path}`,
      ),
    ),
  ];
}

/** Values in the layout of the official tensor; the same array where the layouts agree. */
export function toOfficial(parameter: Parameter, values: Float32Array): Float32Array {
  const { rows, columns } = officialMatrix(parameter, values);
  return parameter.transposed ? transpose(values, columns, rows) : values;
}

/** Values in the layout of the generated step; the same array where the layouts agree. */
export function fromOfficial(parameter: Parameter, values: Float32Array): Float32Array {
  const { rows, columns } = officialMatrix(parameter, values);
  return parameter.transposed ? transpose(values, rows, columns) : values;
}

/** Sizes of the official tensor seen as [out, everything else]. */
function officialMatrix(parameter: Parameter, values: Float32Array): { rows: number; columns: number } {
  const size = parameter.officialShape.reduce((product, length) => product * length, 1);
  const rows = parameter.officialShape[0] ?? 1;
  if (values.length !== size) {
    throw new Error(
      `internal: ${parameter.path} has ${values.length} values, not [${parameter.officialShape.join(", ")}]`,
    );
  }
  return { rows, columns: size / rows };
}

/** A tile of 32×32 floats is 4 KiB: rows and columns of a tile stay in the first cache. */
const tile = 32;

/** [rows, columns] → [columns, rows]. */
export function transpose(values: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(values.length);
  for (let top = 0; top < rows; top += tile) {
    const bottom = Math.min(top + tile, rows);
    for (let left = 0; left < columns; left += tile) {
      const right = Math.min(left + tile, columns);
      for (let c = left; c < right; c++) {
        const to = c * rows;
        for (let r = top; r < bottom; r++) out[to + r] = values[r * columns + c] ?? 0;
      }
    }
  }
  return out;
}

/** The first name of its path. */
const networkOf = ({ path }: Parameter): string => path.split(".", 1).join("");
