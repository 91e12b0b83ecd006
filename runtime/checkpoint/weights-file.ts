/**
 * Files of weights, whoever wrote them: checkpoints of this project and of the official code, encoders of timm and of Hugging
 * Face; safetensors or PyTorch. Their tensors come sorted by network, under the official names.
 */
import { statSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { fileNotReadable } from "../errors";
import { reasonOf } from "../exceptions";
import { fromHuggingFace } from "./layouts";
import { openSafetensors } from "./safetensors";
import { openTorchFile } from "./torch/archive";
import { isDict, type TorchDict, type TorchTensor, type TorchValue } from "./torch/pickle";

/** The three networks of a checkpoint. */
export const networks = ["encoder", "predictor", "target_encoder"] as const;
export type Network = (typeof networks)[number];

/** A weight of the file: its shape, and its numbers when they are asked for. */
export interface StoredWeight {
  readonly shape: readonly number[];
  readonly read: () => Promise<Float32Array>;
}

type Weights = ReadonlyMap<string, StoredWeight>;

export interface WeightsFile {
  /** By network, then by official name without `module.`. */
  readonly weights: ReadonlyMap<Network, Weights>;
  /** Whose names the file has. */
  readonly layout: "networks" | "timm" | "hugging face";
  /** Tensors of an encoder of others that have no place here: a class token, a head. */
  readonly leftOver: readonly string[];
  readonly close: () => void | Promise<void>;
}

/** `path` is a file, or a folder as timm and Hugging Face write them. Close what it gives. */
export async function openWeights(path: string): Promise<WeightsFile> {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  const file = isFolder ? join(path, "model.safetensors") : path;
  const { named, close } = (await isZip(file)) ? await namedOfTorch(file) : await namedOfSafetensors(file);
  return { ...sorted(named), close };
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

/** Tensors by their names in the file, and by the name of their dict before it, if they lie in one. */
interface Named {
  readonly named: Weights;
  readonly close: () => void | Promise<void>;
}

async function namedOfSafetensors(path: string): Promise<Named> {
  const file = await openSafetensors(path);
  const named = [...file.header.tensors].map(([name, { shape }]): [string, StoredWeight] => [
    name,
    { shape, read: () => file.readFloats(name, shape) },
  ]);
  return { named: new Map(named), close: () => file.close() };
}

async function namedOfTorch(path: string): Promise<Named> {
  const file = await openTorchFile(path);
  const isTensor = (value: TorchValue): value is TorchTensor =>
    typeof value === "object" && value !== null && "kind" in value && value.kind === "tensor";
  const named = new Map<string, StoredWeight>();
  const take = (dict: TorchDict, prefix: string): void => {
    for (const [name, value] of dict) {
      if (typeof name !== "string" || !isTensor(value)) continue;
      named.set(`${prefix}${name}`, { shape: value.shape, read: () => file.readFloats(value) });
    }
  };
  if (isDict(file.root)) {
    take(file.root, "");
    for (const network of networks) {
      const dict = file.root.get(network);
      if (isDict(dict)) take(dict, `${network}.`);
    }
  }
  return { named, close: () => file.close() };
}

/** Names of a network that ran in several processes begin with `module.`. */
const plainName = (name: string): string => name.replace(/^(module\.)+/, "");

function sorted(named: Weights): Omit<WeightsFile, "close"> {
  const names = [...named.keys()];
  if (names.some((name) => fromHuggingFace(name)?.official === "patch_embed.proj.weight")) return ofHuggingFace(named);
  if (names.some((name) => plainName(name) === "patch_embed.proj.weight")) return ofTimm(named);
  const weights = new Map<Network, Map<string, StoredWeight>>();
  for (const [name, weight] of named) {
    const network = networks.find((known) => name.startsWith(`${known}.`));
    if (network === undefined) continue;
    const of = weights.get(network) ?? new Map<string, StoredWeight>();
    of.set(plainName(name.slice(network.length + 1)), weight);
    weights.set(network, of);
  }
  return { weights, layout: "networks", leftOver: [] };
}

/** One encoder under the official names; what others hand on is the target encoder. */
function ofTimm(named: Weights): Omit<WeightsFile, "close"> {
  const target = new Map([...named].map(([name, weight]) => [plainName(name), weight]));
  const known =
    /^(pos_embed|(patch_embed\.proj|norm|blocks\.\d+\.(norm[12]|attn\.(qkv|proj)|mlp\.fc[12]))\.(weight|bias))$/;
  const leftOver = [...target.keys()].filter((name) => !known.test(name));
  return { weights: new Map([["target_encoder", target]]), layout: "timm", leftOver };
}

function ofHuggingFace(named: Weights): Omit<WeightsFile, "close"> {
  const parts = new Map<string, Map<number, StoredWeight>>();
  const leftOver: string[] = [];
  for (const [name, weight] of named) {
    const meant = fromHuggingFace(name);
    if (meant === null) leftOver.push(name);
    else {
      const of = parts.get(meant.official) ?? new Map<number, StoredWeight>();
      parts.set(meant.official, of.set(meant.third ?? 0, weight));
    }
  }
  const target = new Map<string, StoredWeight>();
  for (const [official, of] of parts) {
    const wanted = official.includes(".attn.qkv.") ? [0, 1, 2] : [0];
    const found = wanted.flatMap((third) => of.get(third) ?? (third === KEY ? noKeyBias(official, of.get(0)) : []));
    // Without one of them the whole is missing, and is said to be by whoever needs it.
    if (found.length === wanted.length) target.set(official, joined(found));
  }
  return { weights: new Map([["target_encoder", target]]), layout: "hugging face", leftOver };
}

const KEY = 1;

/** Some encoders (BEiT's, data2vec's) have no bias of keys, which is one of zeros. */
function noKeyBias(official: string, query: StoredWeight | undefined): StoredWeight | [] {
  if (!official.endsWith(".attn.qkv.bias") || query === undefined) return [];
  const [size = 0] = query.shape;
  return { shape: query.shape, read: async () => new Float32Array(size) };
}

/** Query, key and value one below the other. */
function joined(parts: readonly StoredWeight[]): StoredWeight {
  const [first] = parts;
  if (parts.length === 1 && first !== undefined) return first;
  const rows = parts.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0);
  return {
    shape: [rows, ...(first?.shape.slice(1) ?? [])],
    read: async () => {
      const values: Float32Array[] = [];
      for (const part of parts) values.push(await part.read());
      const out = new Float32Array(values.reduce((sum, { length }) => sum + length, 0));
      let at = 0;
      for (const part of values) {
        out.set(part, at);
        at += part.length;
      }
      return out;
    },
  };
}
