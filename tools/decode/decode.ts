/**
 * What `ijepa decode` does before and after a decoder is trained: the run's checkpoint and spec become a program, and its
 * files lie in the run folder. What the decoder makes of predictions is shown by a report (tools/report/decoded.ts).
 */
import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { errors } from "../../compiler/diagnostics/catalogue";
import type { NumbersOf } from "../../compiler/objectives/objective";
import type { Trainer } from "../../compiler/step/step";
import type { DecodeRequest } from "../../runtime/decode/request";
import { UserError } from "../../runtime/errors";
import { writeTextFile } from "../../runtime/report/files";
import { nameOfRun } from "../export/experiment";
import { fitsOneModel, tooLarge } from "../export/onnx/predictions";
import { ExportRefused } from "../export/refused";
import { type ExportSource, openSource } from "../export/source";
import { specOfRun } from "../replay/spec-of-run";
import { bundleDecoder, compileDecoder, decoderNetwork } from "./compile";
import { type DecoderSaid, decoderFile, decoderFolder, decoderOfRun, encoderSum } from "./decoder-of-run";

export interface DecodeOptions {
  /** Run folder. */
  readonly run: string;
  /** Null: it is looked for. */
  readonly spec: string | null;
  readonly settings: readonly string[];
  /** Where relative paths of the data start; null: at the folder of the spec. */
  readonly data: string | null;
  /** Of the decoder. */
  readonly steps: number;
  readonly threads: number;
  /** Train also where there is a decoder like it already. */
  readonly again: boolean;
}

export interface PreparedDecoder {
  /** Where the file lies, or will. */
  readonly file: string;
  /** Folder that relative paths of the data start from. */
  readonly dataRoot: string;
  /** Null where it is there already: this checkpoint's, by this program. */
  readonly training: { readonly script: string; readonly request: DecodeRequest } | null;
}

/** Throws ExportRefused and SpecRefused, R14x of the checkpoint, R165 and R166 of the spec. */
export async function prepareDecoder(options: DecodeOptions): Promise<PreparedDecoder> {
  const { run } = options;
  if (nameOfRun(run) === null) throw new ExportRefused(run, errors.notARun());
  const opened = await openSource(run, "target");
  if (!opened.ok) throw new ExportRefused(opened.file, opened.problem);
  const { source } = opened;
  try {
    const { experiment } = source;
    const refuse = (why: string): ExportRefused => new ExportRefused(run, errors.nothingToDecode({ why }));
    if (experiment.editedCode !== undefined) throw refuse("its trainer was edited by hand, and may predict anything");
    if (!fitsOneModel(source)) throw refuse(tooLarge);
    const found = specOfRun({ ...options, experiment });
    const compiled = compileDecoder({ ...found, steps: options.steps });
    if (!compiled.ok) throw refuse(compiled.why);
    const { trainer, typescript } = compiled;
    const said = await saidOf(source, trainer, textOf(typescript, "step.ts"));
    const file = decoderFile(run);
    const dataRoot = resolve(options.data ?? found.dataRoot);
    if (!options.again && (await isThere(run, said))) return { file, dataRoot, training: null };
    const script = await bundleDecoder(trainer, typescript);
    await mkdir(join(run, decoderFolder), { recursive: true });
    for (const { name, text } of typescript) await writeTextFile(join(run, decoderFolder, name), text);
    const request: DecodeRequest = {
      checkpoint: resolve(source.path),
      dataRoot,
      threads: options.threads,
      out: resolve(file),
      metadata: { decoder: JSON.stringify(said) },
    };
    return { file, dataRoot, training: { script, request } };
  } finally {
    await source.close();
  }
}

const textOf = (files: readonly { readonly name: string; readonly text: string }[], of: string): string =>
  files.find(({ name }) => name === of)?.text ?? "";

async function saidOf(source: ExportSource, { plan }: Trainer, step: string): Promise<DecoderSaid> {
  return {
    encoder: await encoderSum(source),
    step: source.metadata.progress.step,
    steps: plan.experiment.schedule.steps,
    program: createHash("sha256").update(step).digest("hex").slice(0, 16),
    network: decoderNetwork,
    // Objectives without a predictor have been refused.
    numbers: plan.model as NumbersOf<"ijepa">,
  };
}

/** Whether the run has a decoder that training it would give once more; one that cannot be read is none. */
async function isThere(run: string, said: DecoderSaid): Promise<boolean> {
  try {
    const found = await decoderOfRun(run);
    return found !== null && JSON.stringify(found.said) === JSON.stringify(said);
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
}
