/** The decoder that lies in a run folder, and whether it is one of the checkpoint's target encoder. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { NumbersOf } from "../../compiler/objectives/objective";
import type { Network } from "../../compiler/plan/model-numbers";
import { sha256 } from "../../runtime/checkpoint/checksums";
import { fromOfficial } from "../../runtime/checkpoint/official";
import { openSafetensors } from "../../runtime/checkpoint/safetensors";
import { decoderTensors } from "../../runtime/decode/decoder-file";
import { damagedFile } from "../../runtime/errors";
import type { DecoderOfRun } from "../export/onnx/predictions";
import type { ExportSource } from "../export/source";

/** In the folder of a run: the file, beside the program that trained it. */
export const decoderFolder = "decoder";
export const decoderFile = (run: string): string => join(run, decoderFolder, "decoder.safetensors");

export const hasDecoder = (run: string): boolean => existsSync(decoderFile(run));

/** What the file says of how it was made, in its metadata under `decoder`. */
export interface DecoderSaid {
  /** Of the target encoder's weights: another one has other representations. */
  readonly encoder: string;
  /** Of the run, whose checkpoint it was. */
  readonly step: number;
  /** Of the decoder's own training. */
  readonly steps: number;
  /** sha256 of step.ts, which trained it. */
  readonly program: string;
  readonly network: Network;
  readonly numbers: NumbersOf<"ijepa">;
}

export interface TrainedDecoder extends DecoderOfRun {
  readonly said: DecoderSaid;
  /** Mean training image in bytes, [3, H, W]. */
  readonly meanImage: Float32Array;
  readonly losses: readonly { readonly step: number; readonly loss: number }[];
  /** Training images. */
  readonly images: number;
}

/** Of the target encoder's weights, in the order of their names. */
export async function encoderSum({ encoder }: Pick<ExportSource, "encoder">): Promise<string> {
  const sum = createHash("sha256");
  for (const { name, read } of [...encoder].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    sum.update(`${name} ${sha256(await read())}\n`);
  }
  return sum.digest("hex").slice(0, 16);
}

/** Null where there is none. Throws R14x where the file is damaged, or is another one. */
export async function decoderOfRun(run: string): Promise<TrainedDecoder | null> {
  const path = decoderFile(run);
  if (!existsSync(path)) return null;
  const file = await openSafetensors(path);
  try {
    const { metadata } = file.header;
    const [text, losses, images] = ["decoder", "losses", "images"].map((key) => metadata.get(key));
    if (text === undefined || losses === undefined || images === undefined) {
      throw damagedFile({ path, why: "it says of itself no decoder that `ijepa decode` has trained" });
    }
    // The header has its own checksum: what was written is what is read.
    const said = JSON.parse(text) as DecoderSaid;
    const { imageHeight, imageWidth } = said.numbers;
    const meanImage = await file.readFloats(decoderTensors.meanImage, [3, imageHeight, imageWidth]);
    const weights = new Map<string, { readonly shape: readonly number[]; readonly values: Float32Array }>();
    for (const [name, { shape }] of file.header.tensors) {
      if (name !== decoderTensors.meanImage) {
        weights.set(name, { shape, values: await file.readFloats(name, shape) });
      }
    }
    return {
      said,
      network: said.network,
      numbers: said.numbers,
      meanImage,
      losses: JSON.parse(losses) as TrainedDecoder["losses"],
      images: Number(images),
      weight: (parameter) => {
        const found = weights.get(`decoder.${parameter.officialName}`);
        if (found === undefined) throw damagedFile({ path, why: `it has no decoder.${parameter.officialName}` });
        return fromOfficial(parameter, found.values);
      },
    };
  } finally {
    await file.close();
  }
}
