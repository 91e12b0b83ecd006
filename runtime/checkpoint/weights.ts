/**
 * Weights of another run as the beginning of a new one: from a checkpoint of any trainer of this project or of the official
 * code (`.pth`, `.pth.tar`), or from an encoder of timm or Hugging Face. Only weights are taken; moments, step and schedules
 * begin anew.
 */
import { noEncoderInFile, weightUnfit } from "../errors";
import type { Parameter } from "../experiment";
import { fromOfficial, officialTensors } from "./official";
import type { StoredWeight } from "./stored-weight";
import { openWeights } from "./weights-file";

export interface WeightsLoaded {
  /** What was not in the file and what was done instead, one line each. */
  readonly notes: readonly string[];
}

/** A fixed table of positions of the trainer, by its name in checkpoints: `encoder.pos_embed`, [patches, width]. */
export interface PositionTable {
  readonly name: string;
  readonly values: Float32Array;
}

/**
 * Writes the weights of a file into the state, by its paths. What the file lacks (a predictor, a decoder, a target encoder) is
 * said in the notes; the state keeps what it has there, and a missing target encoder is a copy of the encoder. A trainer with
 * one encoder takes what others hand on, the target encoder where the file has one. Everything is checked before the first
 * `write`.
 */
export async function loadWeights(what: {
  readonly path: string;
  readonly parameters: readonly Parameter[];
  /** What the trainer trains; what another one has behind its encoder is not taken. Left out: whatever the file has. */
  readonly objective?: string;
  /** Whether the state has a target encoder; true unless said otherwise. */
  readonly averages?: boolean;
  readonly positions?: readonly PositionTable[];
  readonly write: (statePath: string, values: Float32Array) => Promise<void>;
}): Promise<WeightsLoaded> {
  const { path, parameters, averages = true, positions = [] } = what;
  const { weights, leftOver, objective, close } = await openWeights(path);
  try {
    const isForeign = (network: string): boolean =>
      objective !== null && what.objective !== undefined && objective !== what.objective && !/encoder$/.test(network);
    const [first, second] = averages ? ["encoder", "target_encoder"] : ["target_encoder", "encoder"];
    const encoder = weights.get(first ?? "") ?? weights.get(second ?? "");
    if (encoder === undefined) throw noEncoderInFile({ path });
    const sources = new Map<string, ReadonlyMap<string, StoredWeight>>([
      ...[...weights].filter(([network]) => !isForeign(network)),
      ["encoder", encoder],
      ["target_encoder", weights.get("target_encoder") ?? encoder],
    ]);
    const missing = new Set<string>();
    const wanted = officialTensors(parameters, averages).filter(({ name }) => !name.startsWith("opt."));
    const planned = wanted.flatMap((tensor) => {
      const [network = "", ...rest] = tensor.name.split(".");
      const source = sources.get(network);
      if (source === undefined) {
        missing.add(network);
        return [];
      }
      const found = source.get(rest.join("."));
      const fits =
        found?.shape.length === tensor.shape.length && tensor.shape.every((size, i) => size === found.shape[i]);
      if (found === undefined || !fits) {
        throw weightUnfit({ path, objective, weight: tensor.name, found: found?.shape ?? null, wanted: tensor.shape });
      }
      return [{ ...tensor, read: found.read }];
    });
    const others: string[] = [];
    for (const table of positions) others.push(...(await otherPositions(table, sources)));
    for (const { statePath, parameter, read } of planned) {
      await what.write(statePath, fromOfficial(parameter, await read()));
    }
    const known = new Set([...wanted, ...positions].map(({ name }) => name));
    const networks = new Set([...known].map((name) => name.split(".", 1).join("")));
    const placeless = [...encoder.keys()].filter((name) => name !== "pos_embed" && !known.has(`encoder.${name}`));
    return {
      notes: [
        ...(weights.has("encoder") ? [] : [`${path} has no encoder; its target encoder takes that place`]),
        ...(weights.has("encoder") && weights.has("target_encoder") && !averages
          ? [`${path} has two encoders; its target encoder is taken`]
          : []),
        ...[...missing].map((network) =>
          weights.has(network)
            ? `${path} has the ${network} of objective ${objective}, which is another: it begins with drawn weights`
            : `${path} has no ${network}; it begins with drawn weights`,
        ),
        ...(weights.has("target_encoder") || !averages
          ? []
          : [`${path} has no target encoder; it begins as a copy of the encoder`]),
        ...[...weights.keys()]
          .filter((network) => network !== "target_encoder" && !networks.has(network))
          .map((network) => `${path} has a ${network}, which is not trained here: left out`),
        ...leftOverNote(path, [...placeless, ...leftOver]),
        ...others.map(
          (name) =>
            `${path} has other positions than the fixed ones here: ${name} is left out, and features will differ`,
        ),
      ],
    };
  } finally {
    await close();
  }
}

/** What half of the numbers that hold a table may have made of it. */
const POSITION_TOLERANCE = 0.01;

/** The name of the table, where the file has one of this grid with other values. */
async function otherPositions(
  { name, values }: PositionTable,
  sources: ReadonlyMap<string, ReadonlyMap<string, StoredWeight>>,
): Promise<readonly string[]> {
  const [network = "", ...rest] = name.split(".");
  const found = sources.get(network)?.get(rest.join("."));
  if (found === undefined) return [];
  // Behind a row of zeros of the class token, or without.
  const theirs = (await found.read()).subarray(-values.length);
  const isOther =
    theirs.length === values.length &&
    theirs.some((value, i) => !(Math.abs(value - (values[i] ?? 0)) <= POSITION_TOLERANCE));
  return isOther ? [name] : [];
}

/** Of an encoder of others: a head that is left out does no harm, a class token or a scale of layers may. */
function leftOverNote(path: string, names: readonly string[]): readonly string[] {
  if (names.length === 0) return [];
  const shown = names.slice(0, 3).join(", ");
  const more = names.length > 3 ? ` and ${names.length - 3} more` : "";
  return [`${path} has ${shown}${more}, which the encoder here has no place for: left out`];
}
