/**
 * A recorded run of an implementation that is not ours (docs/parity.md; tests/golden/official/README.md): a safetensors file, and a JSON file of
 * the same name beside it. A trace of several ranks may leave its initial weights to `step_<name>.safetensors` in the same
 * folder. Opening one checks everything that decides what has to be compiled: sizes, steps, ranks and
 * the lengths of every mask.
 *
 *   init.{encoder,predictor,decoder}.<p>      weights before the first step
 *   [rank{r}.]step{s}.images                  [B, 3, S, S]
 *   [rank{r}.]step{s}.mask_{enc,pred}.{j}     [S·B, K]: patches that are seen, and that are predicted; of S sets of masks, the
 *                                             rows by set, then image
 *   seq.{lr,wd,momentum}                      [steps]; momentum where there is a moving average
 *   fwd.*, grad.*, after{n}.*, seq.loss_*     what came out, as far as it was recorded
 */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { openSafetensors, type SafetensorsFile } from "../checkpoint/safetensors";
import { fileNotReadable, traceIncomplete, traceNotUnderstood, traceUnfit } from "../errors";
import { reasonOf } from "../exceptions";
import { objectives } from "../objectives";
import { parseTraceJson, type TraceFacts } from "./config";

/** Token counts of one micro-batch. */
export interface TraceLengths {
  readonly contextTokens: number;
  readonly targetTokens: number;
}

export interface Trace extends TraceFacts {
  readonly path: string;
  /** File name without its end. */
  readonly title: string;
  readonly file: SafetensorsFile;
  /** Where `init.*` lies: this file, or the trace of one rank that began with the same weights. */
  readonly weights: SafetensorsFile;
  readonly close: () => Promise<void>;
  readonly steps: number;
  /** 1 where the run had no ranks. */
  readonly ranks: number;
  /** Whether the names of batches begin with their rank. */
  readonly namesRanks: boolean;
  /** Images of one micro-batch. */
  readonly images: number;
  /** Sets of masks that each image has. */
  readonly sets: number;
  readonly contexts: number;
  readonly targets: number;
  readonly grid: number;
  readonly hidden: number;
  /** Of the network behind the encoder. */
  readonly secondHidden: number;
  /** Whether the encoder has a class token. */
  readonly classToken: boolean;
  /** Whether the state has a moving average of the encoder. */
  readonly averages: boolean;
  /** By step, then by rank. */
  readonly lengths: readonly (readonly TraceLengths[])[];
  /** Steps after which the weights were recorded, ascending. */
  readonly recordedAfter: readonly number[];
}

/** Name of a tensor of a micro-batch. */
export function batchName(trace: { readonly namesRanks: boolean }, rank: number, step: number, rest: string): string {
  return `${trace.namesRanks ? `rank${rank}.` : ""}step${step}.${rest}`;
}

export interface OpenOptions {
  /** The file with the initial weights, where the trace has none and they do not lie beside it. */
  readonly init?: string | undefined;
}

/** Opens and checks; throws UserError. Close it when done. */
export async function openTrace(path: string, { init }: OpenOptions = {}): Promise<Trace> {
  const open: SafetensorsFile[] = [];
  const close = async (): Promise<void> => {
    for (const file of open) await file.close();
  };
  const openFile = async (at: string): Promise<SafetensorsFile> => {
    const file = await openSafetensors(at);
    open.push(file);
    return file;
  };
  try {
    const file = await openFile(path);
    const jsonPath = path.replace(/\.safetensors$/, "").concat(".json");
    const facts = parseTraceJson(jsonPath, await textOf(jsonPath, path));
    const elsewhere = hasWeights(file) ? null : (init ?? weightsBeside(path, facts.name));
    const weights = elsewhere === null ? file : await openFile(elsewhere);
    return { ...describe(path, file, weights, facts), close };
  } catch (error) {
    await close();
    throw error;
  }
}

function hasWeights(file: SafetensorsFile): boolean {
  return [...file.header.tensors.keys()].some((name) => name.startsWith("init."));
}

/** The trace of one rank that a trace of several began with: `step_<name>.safetensors` in its folder. */
function weightsBeside(path: string, name: string | null): string | null {
  if (name === null || /[\\/]/.test(name)) return null;
  const beside = join(dirname(path), `step_${name}.safetensors`);
  return existsSync(beside) ? beside : null;
}

async function textOf(jsonPath: string, path: string): Promise<string> {
  try {
    return await readFile(jsonPath, "utf8");
  } catch (cause) {
    const why = `${reasonOf(cause)}; the JSON file of a trace lies beside ${path}`;
    throw fileNotReadable({ path: jsonPath, why, cause });
  }
}

function describe(
  path: string,
  file: SafetensorsFile,
  weights: SafetensorsFile,
  facts: TraceFacts,
): Omit<Trace, "close"> {
  const names = [...file.header.tensors.keys()];
  const numbers = (pattern: RegExp): number[] =>
    [...new Set(names.flatMap((name) => pattern.exec(name)?.[1] ?? []))].map(Number).sort((a, b) => a - b);
  const needOf = (
    from: SafetensorsFile,
    name: string,
    shape: readonly (number | string)[],
    dtypes: readonly string[],
  ): readonly number[] => {
    const entry = from.header.tensors.get(name);
    if (entry === undefined) throw traceIncomplete({ path: from.path, tensor: name });
    const sameRank = entry.shape.length === shape.length;
    const fits = sameRank && shape.every((size, i) => typeof size === "string" || size === entry.shape[i]);
    if (fits && dtypes.includes(entry.dtype)) return entry.shape;
    const found = `${entry.dtype} [${entry.shape.join(", ")}]`;
    throw traceUnfit({ path: from.path, tensor: name, found, wanted: `${dtypes[0]} [${shape.join(", ")}]` });
  };
  const need = (name: string, shape: readonly (number | string)[], dtypes: readonly string[]): readonly number[] =>
    needOf(file, name, shape, dtypes);
  const agree = (what: string, stated: number | null, found: number): void => {
    if (stated === null || stated === found) return;
    throw traceNotUnderstood({ path, why: `its JSON says ${what} = ${stated}, but its tensors have ${found}` });
  };
  const { config } = facts;
  const objective = objectives[config.objective];
  const averages = objective.judged.tree === "target";
  const floats = ["F32", "F64", "F16", "BF16"];
  const indices = ["I32", "I64"];

  const ranksNamed = numbers(/^rank(\d+)\.step\d+\./);
  const namesRanks = ranksNamed.length > 0;
  const ranks = namesRanks ? Math.max(...ranksNamed) + 1 : 1;
  agree("world_size", facts.ranks, ranks);
  const [steps = 0] = need("seq.lr", ["steps"], floats);
  if (steps === 0) throw traceNotUnderstood({ path, why: "it has no step" });
  need("seq.wd", [steps], floats);
  if (averages) need("seq.momentum", [steps], floats);
  agree("steps", facts.steps, steps);
  const lastStep = Math.max(-1, ...numbers(namesRanks ? /^rank\d+\.step(\d+)\./ : /^step(\d+)\./));
  if (lastStep >= steps) {
    throw traceNotUnderstood({ path, why: `it has a step ${lastStep}, but schedule values for ${steps} steps only` });
  }

  const countOf = (kind: "enc" | "pred"): number => {
    const found = numbers(new RegExp(`step\\d+\\.mask_${kind}\\.(\\d+)$`));
    if (found.length === 0) throw traceIncomplete({ path, tensor: batchName({ namesRanks }, 0, 0, `mask_${kind}.0`) });
    return Math.max(...found) + 1;
  };
  const contexts = countOf("enc");
  const targets = countOf("pred");
  agree("mask.nenc", config.contexts, contexts);
  agree("mask.npred", config.targets, targets);
  const first = batchName({ namesRanks }, 0, 0, "images");
  const [images = 0] = need(first, ["B", 3, config.crop, config.crop], floats);
  if (images === 0) throw traceNotUnderstood({ path, why: `${first} holds no image` });
  agree("B", config.images, images);
  const firstMask = batchName({ namesRanks }, 0, 0, "mask_enc.0");
  const [rows = 0] = need(firstMask, [objective.recorded.severalSets ? "S·B" : images, "K"], indices);
  const sets = rows / images;
  if (sets < 1 || !Number.isInteger(sets)) {
    const why = `${firstMask} has ${rows} rows, but every set of masks has one for each of ${images} images`;
    throw traceNotUnderstood({ path, why });
  }
  agree("mask.nsets", config.sets, sets);

  const lengthOf = (rank: number, step: number, kind: "enc" | "pred", count: number): number => {
    const masks = Array.from({ length: count }, (_, j) => batchName({ namesRanks }, rank, step, `mask_${kind}.${j}`));
    const [length = 0, ...others] = masks.map((name) => need(name, [sets * images, "K"], indices)[1] ?? 0);
    const odd = others.findIndex((other) => other !== length);
    if (odd >= 0 || length === 0) {
      const why = `${masks[odd + 1]} keeps ${others[odd] ?? 0} patches and ${masks[0]} ${length}`;
      throw traceNotUnderstood({ path, why: `${why}; all masks of one kind in a batch are equally long` });
    }
    return length;
  };
  const lengths = Array.from({ length: steps }, (_, step) =>
    Array.from({ length: ranks }, (_, rank): TraceLengths => {
      need(batchName({ namesRanks }, rank, step, "images"), [images, 3, config.crop, config.crop], floats);
      const contextTokens = lengthOf(rank, step, "enc", contexts);
      const targetTokens = lengthOf(rank, step, "pred", targets);
      return { contextTokens, targetTokens };
    }),
  );

  const hiddenOf = (name: string, dim: number): number => needOf(weights, name, ["hidden", dim], floats)[0] ?? 0;
  const { second } = objective.recorded;
  const recordedAfter = numbers(/^after(\d+)\./);
  const beyond = recordedAfter.find((after) => after < 1 || after > steps);
  if (beyond !== undefined) {
    throw traceNotUnderstood({ path, why: `it has weights after step ${beyond}, but ${steps} steps` });
  }
  return {
    ...facts,
    path,
    title: path.replace(/^.*[\\/]/, "").replace(/\.safetensors$/, ""),
    file,
    weights,
    steps,
    ranks,
    namesRanks,
    images,
    sets,
    contexts,
    targets,
    grid: Math.floor(config.crop / config.patch),
    hidden: hiddenOf("init.encoder.blocks.0.mlp.fc1.weight", config.dim),
    secondHidden: second === null ? 0 : hiddenOf(second.hidden, config.predictorDim),
    classToken: weights.header.tensors.has("init.encoder.cls_token"),
    averages,
    lengths,
    recordedAfter,
  };
}
