/** The model card of an export: what it is, how to load it, what it was trained on, what that cost, how good it is. */
import { printable } from "../../compiler/diagnostics/problem-text";
import { formatMarkdown } from "../../runtime/evaluate/evaluation-report";
import type { DataPlan, Experiment, NetworkPlan, ObjectiveName, RegularizerPlan } from "../../runtime/experiment";
import { setsOf } from "../../runtime/masks/sets";
import type { LogEvent } from "../../runtime/report/jsonl";
import { durationText, rateText } from "../../runtime/report/text";
import { loggedProbes } from "../evaluate/logged";
import type { EvaluatedEncoder } from "../evaluate/result";
import type { ExportFormat, FormatName, Made } from "./format";
import { type ExportSource, encoderText, hasOneEncoder } from "./source";

/** The method, with its paper. */
const methods: { readonly [Name in ObjectiveName]: { readonly tag: string; readonly text: string } } = {
  ijepa: { tag: "i-jepa", text: "an [I-JEPA](https://arxiv.org/abs/2301.08243) pre-training" },
  mae: { tag: "mae", text: "the pre-training of a [masked autoencoder](https://arxiv.org/abs/2111.06377)" },
  simmim: { tag: "simmim", text: "a [SimMIM](https://arxiv.org/abs/2111.09886) pre-training" },
  data2vec: { tag: "data2vec-vision", text: "a [data2vec](https://arxiv.org/abs/2202.03555) pre-training" },
};

export function cardText(of: {
  readonly source: ExportSource;
  readonly name: FormatName;
  readonly format: ExportFormat;
  readonly made: Made;
}): string {
  const { source, name, format, made } = of;
  const { experiment, choice } = source;
  const method = methods[experiment.objective];
  const header = [
    "---",
    ...(format.library === null ? [] : [`library_name: ${format.library}`]),
    "pipeline_tag: image-feature-extraction",
    "tags:",
    `- ${method.tag}`,
    "- self-supervised-learning",
    "---",
  ];
  const parts = [
    header.join("\n"),
    `# ${experiment.name}`,
    `The ${encoderText(experiment, choice)}${choice === "target" ? " (the moving average)" : ""} of ${method.text}, as ${name}. ` +
      `Trained with ijepa ${experiment.generatorVersion}.`,
    ["```", made.loading.language, "\n", made.loading.lines.join("\n"), "\n```"].join(""),
    made.notes.map((note) => `- ${note}`).join("\n"),
    `## Experiment\n\n${tableOf(experimentRows(source))}`,
    `## Data\n\n${dataText(experiment.data)}`,
    `## Cost\n\n${costText(source)}`,
    `## Evaluation\n\n${evaluationText(source.events)}`,
    probesText(source),
    "## Licence\n\nNone is chosen yet: whoever publishes these weights chooses it, and states it here and as `license:` above. " +
      "The terms of the training images apply, and of weights that the run began with (`--init-from`); the weights that the " +
      "official I-JEPA code was released with are CC BY-NC 4.0, and what is trained from them is bound by that.",
  ];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

function tableOf(rows: readonly (readonly [string, string])[]): string {
  return ["| | |", "| --- | --- |", ...rows.map(([name, value]) => `| ${name} | ${value} |`)].join("\n");
}

function experimentRows({ experiment, metadata }: ExportSource): readonly (readonly [string, string])[] {
  const { image, encoder, optimizer, schedule, hardware, seed } = experiment;
  const { step, epoch, loss } = metadata.progress;
  return [
    ["images", `${image.width}×${image.height} pixels in patches of ${image.patch}`],
    ["encoder", `${encoder.depth} blocks, width ${encoder.dim}, ${encoder.heads} heads, MLP ${encoder.hidden}`],
    ...ownRows(experiment),
    ["batch", `${optimizer.globalBatch} images`],
    ["learning rate", `${schedule.lrStart} → ${schedule.lrPeak} → ${schedule.lrFinal}`],
    ["trained", `${step} of ${schedule.steps} steps, ${epoch} of ${optimizer.epochs} epochs`],
    ["loss", Number.isFinite(loss) ? loss.toPrecision(4) : "unknown"],
    ["precision, seed", `${hardware.precision}, ${seed}`],
    ["spec", `sha256 ${metadata.specHash}`],
    ...(metadata.editedCode === null
      ? []
      : [["code", `edited by hand, sha256 ${metadata.editedCode}: the encoder may not be what it says here`] as const]),
  ];
}

/** Of the network behind the encoder, and of the masks. */
function ownRows(experiment: Experiment): readonly (readonly [string, string])[] {
  const row = (name: string, { depth, dim, heads }: NetworkPlan) =>
    [name, `${depth} blocks, width ${dim}, ${heads} heads`] as const;
  if ("predictor" in experiment) {
    const { masks, predictor } = experiment;
    const { targetCount, contextCount } = masks;
    const sets = setsOf(masks) === 1 ? "" : ` in each of ${setsOf(masks)} sets`;
    const how = masks.strategy === "multiblock" ? `sampler ${masks.sampler}` : `${masks.strategy} masking`;
    const { regularizer } = experiment;
    return [
      row("predictor", predictor),
      ["masks", `${targetCount} targets, ${contextCount} context${sets}, ${how}`],
      ...(regularizer === undefined ? [] : [["regularizer", regularizerText(regularizer)] as const]),
    ];
  }
  const [{ contextTokens = 0, targetTokens = 0 } = {}] = experiment.masks.programs;
  const how = "blocks" in experiment.masks ? "in blocks" : "at random";
  const masks = `${targetTokens} of ${contextTokens + targetTokens} patches, ${how}`;
  return [...("decoder" in experiment ? [row("decoder", experiment.decoder)] : []), ["masks", masks]];
}

const regularizerText = ({ name, weight, variance, covariance }: RegularizerPlan): string =>
  `${name}, ${weight} · (${variance} · variance + ${covariance} · covariance)`;

function dataText(data: DataPlan): string {
  if (data.kind !== "shapes") {
    const from = { folder: "a folder", webdataset: "tar shards", parquet: "parquet files" }[data.kind];
    return `${data.trainImages} images of ${from}${data.labels ? "; labels served evaluation alone" : ""}.`;
  }
  return `${data.trainImages} rendered scenes of solids (\`data.source: "shapes"\`, difficulty ${data.difficulty}, seed ${data.seed}).`;
}

function costText({ experiment, events, metadata }: ExportSource): string {
  const images = metadata.progress.step * experiment.optimizer.globalBatch;
  const seen = `${images} images were seen.`;
  const steps = events.flatMap((event) => (event.event === "step" ? [event] : []));
  if (steps.length === 0) return `${seen} The run's log is not beside the checkpoint, so the time is not known.`;
  const timeMs = steps.reduce((sum, { timeMs: step, dataMs }) => sum + step + dataMs, 0);
  // The log may hold every n-th step only.
  const total = (timeMs / steps.length) * metadata.progress.step;
  const engine = events.flatMap((event) => (event.event === "start" ? [event.engine] : [])).at(-1);
  const rate = rateText(images / (total / 1000));
  return `${seen} About ${durationText(total)} of training steps at ${rate} images/s${engine === undefined ? "" : `, on ${engine}`}.`;
}

function evaluationText(events: readonly LogEvent[]): string {
  const last = events.flatMap((event) => (event.event === "evaluation" ? [event] : [])).at(-1);
  if (last === undefined) return "The run's log has no evaluation of these weights.";
  return `After step ${last.step} of the run:\n\n${formatMarkdown(last.report)}`;
}

/** What `ijepa evaluate` found of these very weights; empty where it was not called. */
function probesText({ events, experiment, choice, metadata }: ExportSource): string {
  const asked: EvaluatedEncoder = hasOneEncoder(experiment) ? "only" : choice;
  const { step } = metadata.progress;
  const { rows, tasks, choices, notes } = loggedProbes(
    events.filter((event) => event.step === step),
    ({ encoder }) => encoder === asked,
  );
  if (rows.length === 0) return "";
  const signals = rows.some(({ signal }) => signal !== null) ? ["signal"] : [];
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => printable(cell).replaceAll("|", "\\|")).join(" | ")} |`;
  const heads = ["measure", "features", "data", ...tasks.map((task) => `${task}, %`), ...signals];
  return [
    `By \`ijepa evaluate\` after step ${step}:`,
    "",
    line(heads),
    `| --- | --- | --- |${" ---: |".repeat(heads.length - 3)}`,
    ...rows.map(({ measure, features, data, accuracies, signal }) =>
      line([
        measure,
        features,
        data,
        ...tasks.map((task) => accuracies.get(task)?.text ?? ""),
        ...signals.map(() => signal?.text ?? ""),
      ]),
    ),
    "",
    ...[...notes, ...choices.map((one) => `${one}.`)].map((sentence) => `- ${printable(sentence)}`),
  ].join("\n");
}
