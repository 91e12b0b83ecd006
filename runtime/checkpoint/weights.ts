/**
 * Weights of another run as the beginning of a new one: from a checkpoint of any trainer of this project, or from one of
 * the official code (`.pth`, `.pth.tar`). Only weights are taken; moments, step and schedules begin anew.
 */
import { open } from "node:fs/promises";
import { fileNotReadable, noEncoderInFile, weightUnfit } from "../errors";
import { reasonOf } from "../exceptions";
import type { Parameter } from "../experiment";
import { fromOfficial, officialTensors } from "./official";
import { openSafetensors } from "./safetensors";
import { openTorchFile } from "./torch/archive";
import { isDict, type TorchTensor, type TorchValue } from "./torch/pickle";

/** The three networks of a checkpoint. */
const networks = ["encoder", "predictor", "target_encoder"] as const;
type Network = (typeof networks)[number];

/** A weight of the file: its shape, and its numbers when they are asked for. */
interface StoredWeight {
  readonly shape: readonly number[];
  readonly read: () => Promise<Float32Array>;
}

interface WeightsFile {
  /** By network, then by official name without `module.`. */
  readonly weights: ReadonlyMap<Network, ReadonlyMap<string, StoredWeight>>;
  readonly close: () => void | Promise<void>;
}

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
  readonly write: (statePath: string, values: Float32Array) => Promise<void>;
}): Promise<WeightsLoaded> {
  const { path, parameters } = what;
  const { weights, close } = await openWeights(path);
  try {
    const encoder = weights.get("encoder") ?? weights.get("target_encoder");
    if (encoder === undefined) throw noEncoderInFile({ path });
    const sources: Readonly<Record<Network, ReadonlyMap<string, StoredWeight> | undefined>> = {
      encoder,
      predictor: weights.get("predictor"),
      target_encoder: weights.get("target_encoder") ?? encoder,
    };
    const planned = officialTensors(parameters)
      .filter(({ name }) => !name.startsWith("opt."))
      .flatMap((tensor) => {
        const [network = "", ...rest] = tensor.name.split(".");
        const source = sources[network as Network]; // officialTensors names no other
        if (source === undefined) return [];
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
        ...(weights.has("predictor") ? [] : [`${path} has no predictor; it begins with drawn weights`]),
        ...(weights.has("target_encoder") ? [] : [`${path} has no target encoder; it begins as a copy of the encoder`]),
      ],
    };
  } finally {
    await close();
  }
}

async function openWeights(path: string): Promise<WeightsFile> {
  return (await isZip(path)) ? weightsOfTorch(path) : weightsOfSafetensors(path);
}

/** Every ZIP archive begins with these two letters; as a header length they would be absurd. */
async function isZip(path: string): Promise<boolean> {
  if (/\.pth(\.tar)?$|\.pt$|\.ckpt$|\.bin$/.test(path)) return true;
  try {
    const file = await open(path, "r");
    try {
      const { buffer } = await file.read({ buffer: new Uint8Array(4), position: 0 });
      return buffer[0] === 0x50 && buffer[1] === 0x4b && buffer[2] === 3 && buffer[3] === 4;
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw fileNotReadable({ path, why: reasonOf(cause), cause });
  }
}

/** Names of a network that ran in several processes begin with `module.`. */
const plainName = (name: string): string => name.replace(/^(module\.)+/, "");

async function weightsOfSafetensors(path: string): Promise<WeightsFile> {
  const file = await openSafetensors(path);
  const weights = new Map<Network, Map<string, StoredWeight>>();
  for (const [name, { shape }] of file.header.tensors) {
    const network = networks.find((known) => name.startsWith(`${known}.`));
    if (network === undefined) continue;
    const of = weights.get(network) ?? new Map<string, StoredWeight>();
    of.set(plainName(name.slice(network.length + 1)), { shape, read: () => file.readFloats(name, shape) });
    weights.set(network, of);
  }
  return { weights, close: () => file.close() };
}

async function weightsOfTorch(path: string): Promise<WeightsFile> {
  const file = await openTorchFile(path);
  const isTensor = (value: TorchValue): value is TorchTensor =>
    typeof value === "object" && value !== null && "kind" in value && value.kind === "tensor";
  const weights = new Map<Network, Map<string, StoredWeight>>();
  for (const network of networks) {
    const dict = isDict(file.root) ? file.root.get(network) : undefined;
    if (!isDict(dict)) continue;
    const of = new Map<string, StoredWeight>();
    for (const [name, value] of dict) {
      if (typeof name !== "string" || !isTensor(value)) continue;
      of.set(plainName(name), { shape: value.shape, read: () => file.readFloats(value) });
    }
    weights.set(network, of);
  }
  return { weights, close: () => file.close() };
}
