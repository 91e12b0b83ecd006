/** Rules between fields, which a schema can not say. A flat list: a rule is a name, what it reads, and what it finds. */
import { errors } from "../diagnostics/catalogue";
import { trainImagesOf } from "./defaults";
import { hardwareRules } from "./hardware-rules";
import { headsProblem, nearestDivisors } from "./heads";
import { rises } from "./rises";
import type { Rule, Subject } from "./rule";
import { schemaRoot } from "./schema";
import { wantWords } from "./words";

/** Files that lie beside the folders of trainers. */
const takenNames: readonly string[] = ["train.js", "package.json"];

export const rules: readonly Rule[] = [
  {
    name: "the file name is a name",
    reads: ["name"],
    check: ({ spec: { name } }) => {
      const field = schemaRoot.properties?.name;
      if (field?.pattern === undefined) throw new Error("internal: the schema says nothing of names");
      if (new RegExp(field.pattern, "u").test(name)) return [];
      return [{ path: ["name"], problem: errors.fileNameUnfit({ fileName: name, want: wantWords(field) }) }];
    },
  },
  {
    name: "the name can be a folder of a trainer",
    reads: ["name"],
    check: ({ spec: { name } }) =>
      takenNames.includes(name) ? [{ path: ["name"], problem: errors.nameTaken({ name }) }] : [],
  },
  rises("augmentation.cropScale", (spec) => spec.augmentation.cropScale),
  rises("augmentation.cropAspect", (spec) => spec.augmentation.cropAspect),
  {
    name: "patch divides image",
    reads: ["image.size", "encoder.patch"],
    check: ({ spec: { image, encoder }, given }) => {
      if (image.size % encoder.patch === 0 && image.size / encoder.patch >= 2) return [];
      const nearest = nearestDivisors(image.size, encoder.patch).filter((patch) => patch <= image.size / 2);
      const path = given(["encoder", "patch"]) || !given(["image", "size"]) ? ["encoder", "patch"] : ["image", "size"];
      return [{ path, problem: errors.patchDividesImage({ imageSize: image.size, patch: encoder.patch, nearest }) }];
    },
  },
  {
    name: "encoder by size or by numbers",
    reads: ["encoder"],
    check: ({ given }) => {
      const keys = givenNumbers(given);
      if (!given(["encoder", "size"]) || keys.length === 0) return [];
      return [{ path: ["encoder", keys[0] ?? "dim"], problem: errors.encoderSizeAndNumbers({ keys }) }];
    },
  },
  {
    name: "encoder is complete",
    reads: ["encoder"],
    check: ({ given }) => {
      const keys = givenNumbers(given);
      const missing = ["dim", "depth", "heads"].filter((key) => !keys.includes(key));
      if (given(["encoder", "size"]) || keys.length === 0 || missing.length === 0) return [];
      return [{ path: ["encoder"], problem: errors.encoderIncomplete({ given: keys, missing }) }];
    },
  },
  {
    name: "heads divide the encoder's width",
    reads: ["encoder.size", "encoder.dim", "encoder.heads"],
    check: ({ spec: { encoder }, given }) => {
      const whole = given(["encoder", "dim"]) && given(["encoder", "heads"]);
      if (!whole || encoder.dim % encoder.heads === 0) return [];
      return [{ path: ["encoder", "heads"], problem: headsProblem(encoder, false) }];
    },
  },
  {
    name: "batch divides by devices and accumulation",
    reads: ["optimization.globalBatch", "optimization.accumulation", "hardware.gpus"],
    check: ({ spec: { optimization, hardware } }) => {
      const { globalBatch, accumulation } = optimization;
      const parts = hardware.gpus * accumulation;
      if (globalBatch % parts === 0) return [];
      const below = Math.floor(globalBatch / parts) * parts;
      const nearest = [below, below + parts].filter((batch) => batch > 0);
      const problem = errors.batchDivides({ globalBatch, gpus: hardware.gpus, accumulation, nearest });
      return [{ path: ["optimization", "globalBatch"], problem }];
    },
  },
  {
    name: "an epoch has a batch",
    reads: ["data", "optimization.globalBatch"],
    check: ({ spec: { data, optimization } }) => {
      const images = trainImagesOf(data);
      const { globalBatch } = optimization;
      if (globalBatch <= images) return [];
      return [{ path: ["optimization", "globalBatch"], problem: errors.epochTooShort({ images, globalBatch }) }];
    },
  },
  {
    name: "the warm-up ends",
    reads: ["optimization.epochs", "optimization.scheduleScale", "optimization.learningRate.warmupEpochs"],
    check: ({ spec: { optimization } }) => {
      const { warmupEpochs } = optimization.learningRate;
      const curveEpochs = optimization.epochs * optimization.scheduleScale;
      if (warmupEpochs < curveEpochs) return [];
      const path = ["optimization", "learningRate", "warmupEpochs"];
      return [{ path, problem: errors.warmupTooLong({ warmupEpochs, curveEpochs }) }];
    },
  },
  {
    name: "the learning rate peaks at its peak",
    reads: ["optimization.learningRate"],
    check: ({ spec: { optimization } }) => {
      const { peak, ...ends } = optimization.learningRate;
      return (["start", "final"] as const)
        .filter((field) => ends[field] > peak)
        .map((field) => ({
          path: ["optimization", "learningRate", field],
          problem: errors.learningRateOrder({ field, value: ends[field], peak }),
        }));
    },
  },
  {
    name: "scenes are at least as large as the crop",
    reads: ["data", "image.size"],
    check: ({ spec: { data, image } }) => {
      if (data.source !== "shapes" || data.sceneSize >= image.size) return [];
      const problem = errors.sceneTooSmall({ sceneSize: data.sceneSize, imageSize: image.size });
      return [{ path: ["data", "sceneSize"], problem }];
    },
  },
  {
    name: "images are held out once",
    reads: ["data"],
    check: ({ spec: { data } }) => {
      if (data.source === "shapes" || data.validation === null || data.holdOut === 0) return [];
      return [{ path: ["data", "holdOut"], problem: errors.heldOutTwice({ holdOut: data.holdOut }) }];
    },
  },
  {
    name: "the metric of the best checkpoint is measured",
    reads: ["data", "checkpoint.keepBest.metric", "evaluation.everyEpochs"],
    check: ({ spec: { data, checkpoint, evaluation } }) => {
      const { metric } = checkpoint.keepBest;
      if (metric === null || metric === "loss") return [];
      const isProbed = data.source === "shapes" || (data.labels && (data.validation !== null || data.holdOut > 0));
      if (isProbed && evaluation.everyEpochs > 0) return [];
      const problem = errors.bestNotMeasured({ metric, isProbed });
      return [{ path: ["checkpoint", "keepBest", "metric"], problem }];
    },
  },
  {
    name: "there are enough neighbours",
    reads: ["data", "evaluation.knn.neighbours", "evaluation.trainImages"],
    check: ({ spec: { data, evaluation } }) => {
      const { neighbours } = evaluation.knn;
      const images = Math.min(evaluation.trainImages, trainImagesOf(data));
      // Without labels there is nothing to vote on.
      const isProbed = data.source === "shapes" || data.labels;
      if (!isProbed || neighbours <= images) return [];
      const problem = errors.tooManyNeighbours({ neighbours, images });
      return [{ path: ["evaluation", "knn", "neighbours"], problem }];
    },
  },
  ...hardwareRules,
];

function givenNumbers(given: Subject["given"]): string[] {
  return ["dim", "depth", "heads", "mlpRatio"].filter((key) => given(["encoder", key]));
}
