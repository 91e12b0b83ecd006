/**
 * Tar shards as a set of images. They are read by an index of where each image lies, so that any image is one read away: a run
 * goes on in the middle of a shard, every thread and rank takes its share of the same order, and images are counted and kept
 * aside like those of a folder. Shards are never in memory, and reading follows their order as far as the shuffling allows.
 */
import { statSync } from "node:fs";
import { join } from "node:path";
import { dataFolderUnreadable, noImagesInFiles, UserError } from "../../errors";
import { reasonOf } from "../../exceptions";
import type { WebDatasetData } from "../../experiment";
import { areFileListParts, fileListBuilder, openFileList, sharedFileList } from "../file-list";
import { type FoundFiles, filesOfPattern } from "../file-pattern";
import { classesOf, type FoundLabels, type ImageSet, isIn, type LookOptions } from "../image-set";
import { fewestKept, type IndexCache, openIndexCache } from "../index-cache";
import { finished, finishing, type Looking, lookingLines } from "../looking";
import type { ShardReaderPlan } from "../reader";
import { openPlainCopies, type PlainCopies } from "./plain-copy";
import { indexShard, type ShardIndex } from "./shard-index";

export interface LookedShards {
  readonly where: string;
  readonly names: readonly string[];
  readonly indexes: readonly ShardIndex[];
  /** Where the plain copy of a compressed one lies; null for any other. */
  readonly copies: readonly (string | null)[];
}

/** An index, and the file as it was when that was made. */
interface KeptShard {
  readonly name: string;
  readonly size: number;
  readonly timeMs: number;
  readonly index: ShardIndex;
}

/** Throws R121 … R123, R128, R131, R142. */
export function* lookThroughShards(
  options: LookOptions & { readonly cache: IndexCache; readonly plain?: PlainCopies },
  keepFrom = fewestKept,
): Looking<LookedShards> {
  const { where, names } = shardsOf(options);
  const about = ["webdataset", where, options.given];
  const known = new Map((options.cache.get(about, areKept) ?? []).map((shard) => [shard.name, shard]));
  const { plain = openPlainCopies(options.progress) } = options;
  const kept: KeptShard[] = [];
  const copies: (string | null)[] = [];
  let [images, fresh] = [0, 0];
  for (const name of names) {
    yield { images, done: kept.length, of: names.length };
    const before = known.get(name);
    const path = join(where, name);
    try {
      // The time is taken first: a later change shows.
      const info = statSync(path);
      const { size, mtimeMs: timeMs } = info;
      const isAsItWas = before !== undefined && before.size === size && before.timeMs === timeMs;
      if (!isAsItWas) fresh++;
      const copy = plain.of(path, info);
      copies.push(copy);
      kept.push(isAsItWas ? before : { name, size, timeMs, index: indexOf(path, copy, () => plain.again(path, info)) });
    } catch (cause) {
      if (cause instanceof Error && "syscall" in cause) {
        throw dataFolderUnreadable({ folder: path, why: reasonOf(cause) });
      }
      throw cause;
    }
    images += kept.at(-1)?.index.offsets.length ?? 0;
  }
  if (fresh > 0 && images >= keepFrom) options.cache.put(about, kept);
  return { where, names, indexes: kept.map(({ index }) => index), copies };
}

const endings = [".tar", ".tar.gz", ".tgz"];

/** Under the name that a plain one has. */
const plainName = (name: string): string => name.replace(/\.(tar\.gz|tgz)$/i, ".tar");

/** Of a shard that lies there compressed and plain, the plain one. */
function shardsOf(options: LookOptions): FoundFiles {
  const { where, names } = filesOfPattern({ ...options, endings });
  const all = new Set(names);
  return { where, names: names.filter((name) => name === plainName(name) || !all.has(plainName(name))) };
}

/** A copy that is no tar file, whatever became of it, is made anew once. */
function indexOf(path: string, copy: string | null, again: () => string): ShardIndex {
  if (copy === null) return indexShard(path);
  const shown = `${path}, unpacked,`;
  try {
    return indexShard(copy, shown);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return indexShard(again(), shown);
  }
}

function areKept(value: unknown): value is readonly KeptShard[] {
  return Array.isArray(value) && value.every((shard: unknown) => isKeptShard(shard));
}

function isKeptShard(value: unknown): value is KeptShard {
  if (typeof value !== "object" || value === null || !("index" in value)) return false;
  const { index } = value;
  return (
    typeof index === "object" &&
    index !== null &&
    "names" in index &&
    areFileListParts(index.names) &&
    "offsets" in index &&
    index.offsets instanceof Float64Array &&
    "sizes" in index &&
    index.sizes instanceof Float64Array &&
    "labels" in index &&
    index.labels instanceof Int32Array &&
    "labelTexts" in index &&
    Array.isArray(index.labelTexts)
  );
}

/** How many images there are in the part, and whether any has a label; at once. */
export function countShards(options: LookOptions): { readonly images: number; readonly hasLabels: boolean } {
  const looked = finished(lookThroughShards({ ...options, cache: options.cache ?? openIndexCache() }));
  const hasLabels = looked.indexes.some(({ labelTexts }) => labelTexts.length > 0);
  return { images: chosenOf(looked, options.part).length, hasLabels };
}

export async function openShards(
  options: LookOptions,
  data: Pick<WebDatasetData, "shuffleBuffer" | "labels">,
): Promise<ImageSet> {
  const cache = options.cache ?? openIndexCache({ note: options.progress });
  const looking = lookThroughShards({ ...options, cache });
  const looked = await finishing(looking, lookingLines(options.given, options.progress ?? (() => {})));
  const { where, names, indexes, copies } = looked;
  const chosen = chosenOf(looked, options.part);
  if (chosen.length === 0) throw noImagesInFiles({ where, given: options.given });

  const firsts = firstsOf(indexes);
  const members = fileListBuilder();
  const shardOf = new Int32Array(new SharedArrayBuffer(4 * chosen.length));
  const offsets = new Float64Array(new SharedArrayBuffer(8 * chosen.length));
  const sizes = new Float64Array(new SharedArrayBuffer(8 * chosen.length));
  const starts = [0];
  let at = 0;
  for (const [shard, index] of indexes.entries()) {
    const list = sharedFileList(index.names);
    const first = firsts[shard] ?? 0;
    for (; at < chosen.length && (chosen[at] ?? 0) < first + list.length; at++) {
      const here = (chosen[at] ?? 0) - first;
      members.add(list.at(here));
      shardOf[at] = shard;
      offsets[at] = index.offsets[here] ?? 0;
      sizes[at] = index.sizes[here] ?? 0;
    }
    starts.push(at);
  }
  const reader: ShardReaderPlan = {
    kind: "webdataset",
    where,
    shards: names,
    copies,
    members: members.built().memory,
    shardOf: shardOf.buffer,
    offsets: offsets.buffer,
    sizes: sizes.buffer,
  };
  // The classes are those of all images, so that parts of a data set agree on them.
  const ofAll = data.labels
    ? classesOf(labelsOf(indexes), { where, nameOf: (image) => nameIn(looked, firsts, image) })
    : { classes: [], labels: new Int32Array(0) };
  const files = openFileList(reader.members);
  return {
    where,
    images: chosen.length,
    reader,
    classes: ofAll.classes,
    labels: ofAll.classes.length === 0 ? ofAll.labels : chosen.map((image) => ofAll.labels[image] ?? 0),
    shuffle: { starts, buffer: data.shuffleBuffer },
    fileOf: (index) => join(where, names[shardOf[index] ?? 0] ?? ""),
    nameOf: (index) => `${names[shardOf[index] ?? 0]}/${files.at(index)}`,
  };
}

/** Number of the first image of each shard, and that of all images. */
function firstsOf(indexes: readonly ShardIndex[]): readonly number[] {
  const firsts = [0];
  for (const { offsets } of indexes) firsts.push((firsts.at(-1) ?? 0) + offsets.length);
  return firsts;
}

/** Numbers of the images of the part, among all of them. */
function chosenOf({ names, indexes }: LookedShards, part: LookOptions["part"]): Int32Array {
  const total = firstsOf(indexes).at(-1) ?? 0;
  // The same images are held out whether they are compressed or not.
  const shards = names.map(plainName);
  const chosen = new Int32Array(total);
  let [image, count] = [0, 0];
  for (const [shard, index] of indexes.entries()) {
    const list = sharedFileList(index.names);
    for (let here = 0; here < list.length; here++, image++) {
      if (part === undefined || isIn(part, `${shards[shard]}/${list.at(here)}`)) chosen[count++] = image;
    }
  }
  return chosen.slice(0, count);
}

function nameIn({ names, indexes }: LookedShards, firsts: readonly number[], image: number): string {
  const shard = indexes.findIndex((_, i) => image < (firsts[i + 1] ?? 0));
  const index = indexes[shard];
  if (index === undefined) throw new Error(`internal: there is no image ${image}`);
  return `${names[shard]}/${sharedFileList(index.names).at(image - (firsts[shard] ?? 0))}`;
}

function labelsOf(indexes: readonly ShardIndex[]): FoundLabels {
  const numberOf = new Map<string, number>();
  const numbers = new Int32Array(firstsOf(indexes).at(-1) ?? 0);
  let at = 0;
  for (const { labels, labelTexts } of indexes) {
    for (const text of labelTexts) if (!numberOf.has(text)) numberOf.set(text, numberOf.size);
    const places = labelTexts.map((text) => numberOf.get(text) ?? -1);
    for (const label of labels) numbers[at++] = places[label] ?? -1;
  }
  return { numbers, texts: [...numberOf.keys()], areComplete: false };
}
