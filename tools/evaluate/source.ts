/** What is evaluated: an encoder of a run, of a checkpoint, or of a file of others whose architecture a spec says. */
import { createHash } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { errors } from "../../compiler/diagnostics/catalogue";
import type { Diagnostic } from "../../compiler/diagnostics/diagnostic";
import { packageVersion } from "../../compiler/emit/package-root";
import { buildPlan } from "../../compiler/plan/plan";
import { loadSpec } from "../../compiler/spec/load";
import { openWeights } from "../../runtime/checkpoint/weights-file";
import { noEncoderInFile, UserError, weightUnfit } from "../../runtime/errors";
import type { Experiment } from "../../runtime/experiment";
import { dataRootOf } from "../../runtime/loop/data-root";
import { runFiles } from "../../runtime/loop/run-folder";
import { sinCosPositions } from "../../runtime/model/positions";
import { encoderShapes } from "../export/onnx/graph";
import { ExportRefused } from "../export/refused";
import { type EncoderChoice, encoderNames, openSource, type SourceTensor } from "../export/source";

export interface EvaluatedSource {
  /** The file of the weights. */
  readonly path: string;
  readonly experiment: Experiment;
  readonly choice: EncoderChoice;
  readonly encoder: readonly SourceTensor[];
  /** Optimizer steps that it was trained for; null of weights of others. */
  readonly step: number | null;
  /** The log of its run, where the checkpoint lies in a run folder. */
  readonly log: string | null;
  /** Folder that relative paths of its data start from. */
  readonly root: string;
  readonly notes: readonly string[];
  close(): Promise<void>;
}

/** A spec that is wrong, with all that is. */
export class SpecRefused extends Error {
  override readonly name = "SpecRefused";
  constructor(readonly diagnostics: readonly Diagnostic[]) {
    super("the spec is wrong");
  }
}

/** Throws ExportRefused, SpecRefused, or R14x and R17x of the file. */
export async function openEvaluated(what: {
  readonly from: string;
  readonly choice: EncoderChoice;
  readonly spec: string | null;
}): Promise<EvaluatedSource> {
  return what.spec === null ? ofCheckpoint(what) : ofOthers({ ...what, spec: what.spec });
}

async function ofCheckpoint({ from, choice }: { readonly from: string; readonly choice: EncoderChoice }) {
  if (!existsSync(from)) throw new ExportRefused(from, errors.fileMissing({ near: null }));
  const isOthers = statSync(from).isFile()
    ? /\.(pth|pth\.tar|pt|bin|ckpt)$/.test(from)
    : existsSync(join(from, "model.safetensors")) && !existsSync(join(from, runFiles.jsonl));
  if (isOthers) throw new ExportRefused(from, errors.architectureUnknown());
  const opened = await openSource(from, choice).catch((error: unknown) => {
    // A safetensors file that no trainer wrote.
    if (error instanceof UserError && error.code === "R145")
      throw new ExportRefused(from, errors.architectureUnknown());
    throw error;
  });
  if (!opened.ok) throw new ExportRefused(opened.file, opened.problem);
  const { source } = opened;
  const lacks = lackingOf(source.experiment);
  if (lacks !== null) {
    await source.close();
    throw new ExportRefused(source.path, errors.checkpointSaysTooLittle({ lacks }));
  }
  const log = join(dirname(source.path), runFiles.jsonl);
  return {
    path: source.path,
    experiment: source.experiment,
    choice,
    encoder: source.encoder,
    step: source.metadata.progress.step,
    log: existsSync(log) ? log : null,
    root: dataRootOf(join("generated", source.experiment.name, "train.js")),
    notes:
      source.metadata.editedCode === null
        ? []
        : ["The trainer of this run was edited by hand: if its encoder was, these are features of another one."],
    close: () => source.close(),
  };
}

/** What an evaluation reads of the constants beside what an export does. */
function lackingOf(experiment: Experiment): string | null {
  const given: { readonly [K in keyof Experiment]?: unknown } = experiment;
  const lacking = (["evaluation", "augmentation", "seed"] as const).find((field) => given[field] === undefined);
  return lacking === undefined ? null : `experiment.${lacking}`;
}

async function ofOthers(what: { readonly from: string; readonly choice: EncoderChoice; readonly spec: string }) {
  const { from, choice, spec } = what;
  const loaded = loadSpec(spec);
  if (!loaded.ok) throw new SpecRefused(loaded.diagnostics);
  const { experiment } = buildPlan({ spec: loaded.spec, specHash: loaded.hash, generatorVersion: packageVersion() });
  const { weights, leftOver, objective, close } = await openWeights(from);
  try {
    const found = weights.get(encoderNames[choice]) ?? weights.get("target_encoder") ?? weights.get("encoder");
    if (found === undefined) throw noEncoderInFile({ path: from });
    const encoder = encoderShapes(experiment).map(({ name, shape }): SourceTensor => {
      const stored = found.get(name);
      if (stored === undefined && name === "pos_embed")
        return { name, shape, read: async () => positionsOf(experiment) };
      const fits = stored?.shape.length === shape.length && shape.every((size, i) => size === stored.shape[i]);
      if (stored === undefined || !fits) {
        throw weightUnfit({ path: from, objective, weight: name, found: stored?.shape ?? null, wanted: shape });
      }
      return { name, shape, read: stored.read };
    });
    const lostToken = found.has("cls_token") && !encoder.some(({ name }) => name === "cls_token");
    const shown = leftOver.slice(0, 3).join(", ");
    return {
      path: from,
      experiment,
      choice,
      encoder,
      step: null,
      log: null,
      root: dirname(spec),
      notes: [
        ...(weights.has(encoderNames[choice]) ? [] : [`${from} has one encoder alone: it is the one evaluated.`]),
        ...(lostToken
          ? [
              `Left out: the class token. The encoder of ${spec} has none, so the features are not those that ${from} was trained to ` +
                'give; a spec with `encoder.classToken` (objective "mae", "simmim" or "data2vec") keeps it.',
            ]
          : []),
        ...(leftOver.length === 0
          ? []
          : [`Left out, for want of a place: ${shown}${leftOver.length > 3 ? ", …" : ""}.`]),
      ],
      close: async () => close(),
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function positionsOf({ encoder, image, positionScale }: Experiment): Float32Array {
  const { gridHeight, gridWidth } = image;
  return sinCosPositions({ dim: encoder.dim, gridHeight, gridWidth, scale: positionScale });
}

/** sha256 of the architecture and of every weight. Throws E463 where a weight is not finite. */
export async function hashOfWeights({ path, experiment, encoder }: EvaluatedSource): Promise<string> {
  const hash = createHash("sha256").update(JSON.stringify([experiment.encoder, experiment.image]));
  for (const { name, read } of encoder) {
    const values = await read();
    if (!values.every(Number.isFinite)) {
      throw new ExportRefused(path, errors.evaluatedWeightNotFinite({ tensor: name }));
    }
    hash.update(name).update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
  return hash.digest("hex");
}
