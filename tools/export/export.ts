/** One export: opens what is to be exported, writes it in its format with a model card, puts it in place whole. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { errors } from "../../compiler/diagnostics/catalogue";
import type { Problem } from "../../compiler/diagnostics/diagnostic";
import type { Experiment } from "../../runtime/experiment";
import { cardText } from "./card";
import { inTheWay, writeExport } from "./folder";
import { type FormatName, formatNames, type Made } from "./format";
import { formats } from "./formats/index";
import type { ExportPrecision } from "./onnx/weights";
import { ExportRefused } from "./refused";
import { type EncoderChoice, type ExportSource, openSource, type SourceTensor } from "./source";

export interface ExportOptions {
  /** A run folder or a checkpoint. */
  readonly from: string;
  readonly format: FormatName;
  readonly encoder: EncoderChoice;
  readonly precision: ExportPrecision;
  readonly out: string | null;
  readonly images: string | null;
}

export interface Exported extends Made {
  readonly folder: string;
  readonly checkpoint: string;
  readonly bytes: number;
}

/** Throws ExportRefused, or R14x of a damaged checkpoint; nothing half-written stays. */
export async function exportRun(options: ExportOptions): Promise<Exported> {
  const { format: name, encoder, precision, images } = options;
  const opened = await openSource(options.from, encoder);
  if (!opened.ok) throw new ExportRefused(opened.file, opened.problem);
  const source = finite(opened.source);
  try {
    const { experiment, metadata } = source;
    const format = formats[name];
    const unfit = unfitOf(name, experiment);
    if (unfit !== null) throw new ExportRefused(source.path, unfit);
    const out = options.out ?? `exports/${experiment.name}-${name}`;
    const { step, loss } = metadata.progress;
    const manifest = {
      generator: experiment.generatorVersion,
      format: name,
      experiment: experiment.name,
      weights: `${metadata.specHash} step ${step} loss ${loss} ${encoder}`,
    };
    const refused = inTheWay({ out, manifest });
    if (refused !== null) throw new ExportRefused(out, refused);
    const { made, bytes } = await writeExport({ out, manifest }, async (folder) => {
      const result = await format.make({ source, folder, out, precision, images });
      writeFileSync(join(folder, "README.md"), cardText({ source, name, format, made: result }));
      writeFileSync(join(folder, "experiment.json"), `${JSON.stringify(experiment, null, 2)}\n`);
      return result;
    });
    // Its networks can differ from what the constants say, and an export can not look into code.
    const edited =
      "The trainer of this run was edited by hand: if its encoder was, other programs compute something else.";
    const notes = [...made.notes, ...(metadata.editedCode === null ? [] : [edited])];
    return { ...made, notes, folder: out, checkpoint: source.path, bytes };
  } finally {
    await source.close();
  }
}

/** Why a format cannot hold the encoder; null where it can. */
function unfitOf(name: FormatName, experiment: Experiment): Problem | null {
  const { objective } = experiment;
  const others = formatNames.filter((other) => formats[other].objectives.includes(objective));
  if (!others.includes(name)) {
    return errors.exportFormatUnfit({ format: name, found: `an encoder of \`objective: "${objective}"\``, others });
  }
  // ViTMAEModel, ViTModel and Data2VecVisionModel have a class token whatever their configurations say.
  const lacksToken = name === "hf" && "classToken" in experiment && !experiment.classToken;
  const found = "an encoder of masked patches without a class token";
  return lacksToken
    ? errors.exportFormatUnfit({ format: name, found, others: others.filter((other) => other !== name) })
    : null;
}

/** Nobody hands on NaN: every tensor is looked at when it is read. */
function finite(source: ExportSource): ExportSource {
  const looked = ({ name, shape, read }: SourceTensor): SourceTensor => ({
    name,
    shape,
    read: async () => {
      const values = await read();
      if (values.every(Number.isFinite)) return values;
      throw new ExportRefused(source.path, errors.exportedWeightNotFinite({ tensor: name }));
    },
  });
  return { ...source, encoder: source.encoder.map(looked), all: source.all.map(looked) };
}
