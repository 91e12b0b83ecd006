/**
 * Files of weights, whoever wrote them: checkpoints of this project and of the official code, encoders of timm and of Hugging
 * Face; safetensors or PyTorch. Their tensors come sorted by network, under the official names.
 */
import { statSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { fileNotReadable } from "../errors";
import { reasonOf } from "../exceptions";
import { byChannel, overTokens, withoutTokenPosition } from "./from-others";
import { fromHuggingFace, simmimHead } from "./layouts";
import { openSafetensors } from "./safetensors";
import type { StoredWeight } from "./stored-weight";
import { openTorchFile } from "./torch/archive";
import { isDict, type TorchDict, type TorchTensor, type TorchValue } from "./torch/pickle";

type Weights = ReadonlyMap<string, StoredWeight>;

export interface WeightsFile {
  /** By network (`encoder`, `target_encoder`, `predictor`, `decoder`, …), then by official name without `module.`. */
  readonly weights: ReadonlyMap<string, Weights>;
  /** Whose names the file has. */
  readonly layout: "networks" | "timm" | "hugging face";
  /** Tensors of an encoder of others that have no place here: a head, a scale of layers. */
  readonly leftOver: readonly string[];
  /** What was trained, where the file says so or its tensors tell. */
  readonly objective: string | null;
  readonly close: () => void | Promise<void>;
}

/** `path` is a file, or a folder as timm and Hugging Face write them. Close what it gives. */
export async function openWeights(path: string): Promise<WeightsFile> {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  const file = isFolder ? join(path, "model.safetensors") : path;
  const { named, objective, close } = (await isZip(file)) ? await namedOfTorch(file) : await namedOfSafetensors(file);
  const tensors = sorted(named);
  return { ...tensors, objective: objective ?? objectiveOf(tensors), close };
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
  readonly objective: string | null;
  readonly close: () => void | Promise<void>;
}

async function namedOfSafetensors(path: string): Promise<Named> {
  const file = await openSafetensors(path);
  const named = [...file.header.tensors].map(([name, { shape }]): [string, StoredWeight] => [
    name,
    { shape, read: () => file.readFloats(name, shape) },
  ]);
  const { metadata } = file.header;
  // What `ijepa import` made of a file of others has no experiment.
  const objective = objectiveIn(metadata.get("experiment") ?? JSON.stringify({ objective: metadata.get("objective") }));
  return { named: new Map(named), objective, close: () => file.close() };
}

/** What only one of the others' models has behind its encoder. */
const objectivesOfOthers = { decoder: "mae", head: "simmim" } as const;

function objectiveOf({ weights, layout }: Pick<WeightsFile, "weights" | "layout">): string | null {
  if (layout === "networks") return null;
  return weights.has("decoder") ? objectivesOfOthers.decoder : weights.has("head") ? objectivesOfOthers.head : null;
}

/** Of the experiment that a checkpoint of a trainer has in its metadata. */
function objectiveIn(experiment: string | undefined): string | null {
  try {
    const { objective = null } = JSON.parse(experiment ?? "{}");
    return typeof objective === "string" && /^[\w-]{1,40}$/.test(objective) ? objective : null;
  } catch {
    return null;
  }
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
    for (const [name, dict] of file.root) {
      if (typeof name !== "string" || !isDict(dict)) continue;
      // Many save a network as the one part of its file.
      take(dict, name === "model" || name === "state_dict" ? "" : `${name}.`);
    }
  }
  return { named, objective: null, close: () => file.close() };
}

/** Names of a network that ran in several processes begin with `module.`. */
const plainName = (name: string): string => name.replace(/^(module\.)+/, "");

function sorted(named: Weights): Omit<WeightsFile, "close" | "objective"> {
  const names = [...named.keys()];
  if (names.some((name) => fromHuggingFace(name)?.official === "patch_embed.proj.weight")) return ofHuggingFace(named);
  if (names.some((name) => plainName(name) === "patch_embed.proj.weight")) return ofTimm(named);
  const weights = new Map<string, Map<string, StoredWeight>>();
  for (const [name, weight] of named) {
    const [, kind] = simmimHead.exec(name) ?? [];
    const [, network = "", rest = ""] =
      /^([a-z_]+)\.(.*)$/s.exec(kind === undefined ? name : `head.proj.${kind}`) ?? [];
    // The moments of AdamW.
    if (network === "" || network === "opt") continue;
    const of = weights.get(network) ?? new Map<string, StoredWeight>();
    of.set(plainName(rest), kind === undefined ? weight : overTokens(weight));
    weights.set(network, of);
  }
  return { weights, layout: "networks", leftOver: [] };
}

/** One encoder under the official names; a masked autoencoder's with its decoder, whose names stand beside those of the encoder. */
function ofTimm(named: Weights): Omit<WeightsFile, "close" | "objective"> {
  const ofEncoder =
    /^(pos_embed|cls_token|(patch_embed\.proj|norm|blocks\.\d+\.(norm[12]|attn\.(qkv|proj)|mlp\.fc[12]))\.(weight|bias))$/;
  const ofDecoder =
    /^(mask_token|decoder_pos_embed|(decoder_(embed|norm|pred)|decoder_blocks\.\d+\.(norm[12]|attn\.(qkv|proj)|mlp\.fc[12]))\.(weight|bias))$/;
  const all = [...named].map(([name, weight]) => [plainName(name), weight] as const);
  const hasDecoder = all.some(([name]) => name === "decoder_embed.weight");
  const isOfDecoder = (name: string): boolean => hasDecoder && ofDecoder.test(name);
  return {
    weights: ofOthers({
      encoder: new Map(all.filter(([name]) => ofEncoder.test(name))),
      decoder: new Map(all.filter(([name]) => isOfDecoder(name))),
    }),
    layout: "timm",
    leftOver: all.flatMap(([name]) => (ofEncoder.test(name) || isOfDecoder(name) ? [] : [name])),
  };
}

function ofHuggingFace(named: Weights): Omit<WeightsFile, "close" | "objective"> {
  const parts = { encoder: new Map<string, Map<number, StoredWeight>>(), decoder: new Map(), head: new Map() };
  const leftOver: string[] = [];
  for (const [name, weight] of named) {
    const meant = fromHuggingFace(name);
    if (meant === null) leftOver.push(name);
    else {
      const of = parts[meant.network].get(meant.official) ?? new Map<number, StoredWeight>();
      parts[meant.network].set(meant.official, of.set(meant.third ?? 0, weight));
    }
  }
  const weights = ofOthers({
    encoder: joinedAll(parts.encoder),
    decoder: joinedAll(parts.decoder),
    head: joinedAll(parts.head),
  });
  return { weights, layout: "hugging face", leftOver };
}

/** What others hand on is the target encoder, but for a masked autoencoder and SimMIM, which have no other. */
function ofOthers(of: { readonly encoder: Weights; readonly decoder?: Weights; readonly head?: Weights }) {
  const own = withoutTokenPosition(of.encoder);
  const { decoder = new Map(), head = new Map() } = of;
  const behind: readonly (readonly [network: string, weights: Weights])[] = [
    ["decoder", byChannel(decoder)],
    ["head", new Map([...head].map(([name, weight]) => [name, overTokens(weight)]))],
  ];
  const there = behind.filter(([, weights]) => weights.size > 0);
  return new Map<string, Weights>([[there.length === 0 ? "target_encoder" : "encoder", own], ...there]);
}

function joinedAll(parts: ReadonlyMap<string, ReadonlyMap<number, StoredWeight>>): Weights {
  const whole = new Map<string, StoredWeight>();
  for (const [official, of] of parts) {
    const wanted = official.includes(".attn.qkv.") ? [0, 1, 2] : [0];
    const found = wanted.flatMap((third) => of.get(third) ?? (third === KEY ? noKeyBias(official, of.get(0)) : []));
    // Without one of them the whole is missing, and is said to be by whoever needs it.
    if (found.length === wanted.length) whole.set(official, joined(found));
  }
  return whole;
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
