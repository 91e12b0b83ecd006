/**
 * Weights of another run as the beginning of a new one: from a checkpoint of any trainer of this project or of the official
 * code (`.pth`, `.pth.tar`), or from an encoder of timm or Hugging Face. Only weights are taken; moments, step and schedules
 * begin anew.
 */
import { noEncoderInFile, weightUnfit } from "../errors";
import type { Parameter } from "../experiment";
import { fromOfficial, officialTensors } from "./official";
import { openWeights, type StoredWeight } from "./weights-file";

export interface WeightsLoaded {
  /** What was not in the file and what was done instead, one line each. */
  readonly notes: readonly string[];
}

/**
 * Writes the weights of a file into the state, by its paths. What the file lacks (a predictor, a target encoder) is said in
 * the notes; the state keeps what it has there, and a missing target encoder is a copy of the encoder. Everything is
 * checked before the first `write`.
 */
export async function loadWeights(what: {
  readonly path: string;
  readonly parameters: readonly Parameter[];
  /** Whether the state has a target encoder; true unless said otherwise. */
  readonly averages?: boolean;
  readonly write: (statePath: string, values: Float32Array) => Promise<void>;
}): Promise<WeightsLoaded> {
  const { path, parameters, averages = true } = what;
  const { weights, leftOver, close } = await openWeights(path);
  try {
    const encoder = weights.get("encoder") ?? weights.get("target_encoder");
    if (encoder === undefined) throw noEncoderInFile({ path });
    const sources = new Map<string, ReadonlyMap<string, StoredWeight>>([
      ...weights,
      ["encoder", encoder],
      ["target_encoder", weights.get("target_encoder") ?? encoder],
    ]);
    const missing = new Set<string>();
    const planned = officialTensors(parameters, averages)
      .filter(({ name }) => !name.startsWith("opt."))
      .flatMap((tensor) => {
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
          throw weightUnfit({ path, weight: tensor.name, found: found?.shape ?? null, wanted: tensor.shape });
        }
        return [{ ...tensor, read: found.read }];
      });
    for (const { statePath, parameter, read } of planned) {
      await what.write(statePath, fromOfficial(parameter, await read()));
    }
    return {
      notes: [
        ...(weights.has("encoder") ? [] : [`${path} has no encoder; its target encoder takes that place`]),
        ...[...missing].map((network) => `${path} has no ${network}; it begins with drawn weights`),
        ...(weights.has("target_encoder") || !averages
          ? []
          : [`${path} has no target encoder; it begins as a copy of the encoder`]),
        ...leftOverNote(path, leftOver),
      ],
    };
  } finally {
    await close();
  }
}

/** Of an encoder of others: a head that is left out does no harm, a class token or a scale of layers may. */
function leftOverNote(path: string, names: readonly string[]): readonly string[] {
  if (names.length === 0) return [];
  const shown = names.slice(0, 3).join(", ");
  const more = names.length > 3 ? ` and ${names.length - 3} more` : "";
  return [`${path} has ${shown}${more}, which the encoder here has no place for: left out`];
}
