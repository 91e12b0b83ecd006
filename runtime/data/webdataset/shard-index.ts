/**
 * The images of one shard in the layout of WebDataset: files of the same name up to the first dot of its last part, one after
 * the other, are a sample. Its first image is the one that counts, and its label is the text of `.cls`, or `label`, `cls` or
 * `class` of `.json`.
 */
import { shardDamaged } from "../../errors";
import { type FileListParts, fileListBuilder, partsOf } from "../file-list";
import { isImageName } from "../image-format";
import { eachMember, TarDamaged, type TarMember, type TarReader } from "./tar-members";

export interface ShardIndex {
  readonly names: FileListParts;
  /** Where the bytes of each image begin in the shard, and how many they are. */
  readonly offsets: Float64Array;
  readonly sizes: Float64Array;
  /** Number of the label's text; −1 where there is none. */
  readonly labels: Int32Array;
  readonly labelTexts: readonly string[];
}

/** A longer label is none. */
const mostLabelBytes = { cls: 1024, json: 1 << 20 };

interface Sample {
  readonly key: string;
  image: TarMember | null;
  cls: string | null;
  json: string | null;
}

/** Throws R122, of `shown`, where it is not whole; else what the system says. */
export function indexShard(path: string, shown = path): ShardIndex {
  const names = fileListBuilder();
  const offsets: number[] = [];
  const sizes: number[] = [];
  const labels: number[] = [];
  const texts = new Map<string, number>();
  let sample: Sample | null = null;

  const add = ({ image, cls, json }: Sample): void => {
    if (image === null) return;
    names.add(shownName(image.name));
    offsets.push(image.offset);
    sizes.push(image.size);
    const label = cls ?? json;
    if (label !== null && !texts.has(label)) texts.set(label, texts.size);
    labels.push(label === null ? -1 : (texts.get(label) ?? -1));
  };

  const member = (found: TarMember, reader: TarReader): void => {
    const parts = /^((?:[\s\S]*\/)?[^./]+)\.([^/]+)$/.exec(found.name);
    if (parts === null) return; // hidden, or without an ending
    const [, key = "", ending = ""] = parts;
    if (sample?.key !== key) {
      if (sample !== null) add(sample);
      sample = { key, image: null, cls: null, json: null };
    }
    const text = (most: number): string | null =>
      found.size > most ? null : Buffer.from(reader.read(found.offset, found.size)).toString("utf8");
    if (isImageName(found.name)) sample.image ??= found;
    else if (ending.toLowerCase() === "cls") sample.cls ??= text(mostLabelBytes.cls)?.trim() || null;
    else if (ending.toLowerCase() === "json") sample.json ??= labelIn(text(mostLabelBytes.json));
  };

  try {
    eachMember(path, member);
  } catch (error) {
    if (!(error instanceof TarDamaged)) throw error;
    throw shardDamaged({ file: shown, at: error.at, why: error.why });
  }
  if (sample !== null) add(sample);
  return {
    names: partsOf(names.built()),
    offsets: Float64Array.from(offsets),
    sizes: Float64Array.from(sizes),
    labels: Int32Array.from(labels),
    labelTexts: [...texts.keys()],
  };
}

/** As it may stand in a log and on a terminal. */
function shownName(name: string): string {
  return name.replace(/^(\.\/)+/, "").replaceAll(/\p{Cc}/gu, "\ufffd");
}

function labelIn(json: string | null): string | null {
  if (json === null) return null;
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value !== "object" || value === null) return null;
    const fields: Readonly<Record<string, unknown>> = { ...value };
    const label = fields.label ?? fields.cls ?? fields.class;
    if (typeof label === "number") return String(label);
    return typeof label === "string" && label.trim() !== "" ? label.trim().slice(0, mostLabelBytes.cls) : null;
  } catch {
    return null;
  }
}
