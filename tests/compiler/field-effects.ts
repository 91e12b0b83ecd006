/**
 * For every field of the schema another value, and what it does to what is generated: these places and no others, with
 * the numbers that follow from it. 8192 images in batches of 16 are 512 steps an epoch, and 40 epochs of warm-up are 20480
 * of them; in batches of 32 they are half as many, each with twice the operations.
 */
import type { JsonValue } from "../../compiler/spec/json";
import type { Effects } from "./effects";

export interface FieldEffects {
  readonly [path: string]: readonly [to: JsonValue, effects: Effects];
}

export const fieldEffects: FieldEffects = {
  name: [
    "other",
    { experiment: "name x → other, runDirectory runs/x → runs/other", report: "How to run", texts: "header" },
  ],
  description: ["Another sentence.", { texts: "description" }],
  seed: [1, { experiment: "seed 0 → 1" }],
  loss: [
    "mse",
    {
      step: "lossOf (o.smoothL1 → o.mse), lossOfBackward (o.smoothL1Grad → o.mseGrad)",
      report: "Operations per step, Operations by function",
      texts: "graph",
    },
  ],
  "regularizer.weight": [
    0.01,
    {
      experiment: "regularizer.weight 0.001 → 0.01",
      step: "regularizerOf (0.001 → 0.01), regularizerOfBackward (0.001 → 0.01)",
      texts: "graph",
    },
  ],
  "regularizer.variance": [
    1,
    {
      experiment: "regularizer.variance 25 → 1",
      step: "regularizerOf (25 →), regularizerOfBackward (25 →)",
      texts: "graph",
    },
  ],
  "regularizer.covariance": [
    2,
    {
      experiment: "regularizer.covariance 1 → 2",
      step: "regularizerOf (1 → 2), regularizerOfBackward (1 → 2)",
      texts: "graph",
    },
  ],
  maskSets: [
    2,
    {
      experiment: "masks.setCount (none) → 2",
      step: "BM added, R (B → BM), Batch (B → BM), targetTokens (B → BM), EmbedContextActs (B → BM), embedContext (B → BM), embedContextBackward (B → BM), ContextBlockActs (B → BM), contextBlock (B → BM), contextBlockBackward (B → BM), ContextNormActs (B → BM), contextNorm (B → BM), contextNormBackward (B → BM), PredictorFirstBlockActs (B → BM), predictorFirstBlock (B → BM), predictorFirstBlockBackward (B → BM)",
      trees: "import ./step (→ BM), batch (→ BM)",
      report:
        "operations per step 205 MFLOP → 353 MFLOP, memory (estimate) 6.9 MiB → 13.2 MiB, Programs, Operations per step, Passes that applied, Operations by function",
      texts: "graph, header",
    },
  ],
  "image.size": [
    72,
    {
      experiment:
        "image.height 64 → 72, image.width 64 → 72, image.gridHeight 8 → 9, image.gridWidth 8 → 9, data.sceneSize 64 → 72, masks.gridHeight 8 → 9, masks.gridWidth 8 → 9, masks.sizes 3×4 5×3 4×4 5×4 → 3×5 4×4 4×5 5×4 6×4, masks.contextSizes 7×7 → 8×8, masks.programs 12:6 15:6 16:6 20:6 → 15:6 16:6 20:6 24:6",
      features: "features (64 → 72)",
      step: "N (64 → 81), Batch (64 → 72), imagePatches (64 → 72), targetLastBlock added, step (targetTokens → target.blocks.slice 0 1 targetLastBlock blockAt), targetTokens removed",
      trees: "batch (64 → 72)",
      report:
        "tokens of an image 64 = 8 × 8 → 81 = 9 × 9, operations per step 205 MFLOP → 244 MFLOP, memory (estimate) 6.9 MiB → 8.1 MiB, Programs, Operations per step, Passes that applied, Operations by function",
      texts: "graph, header",
    },
  ],
  "image.mean": [[0.5, 0.5, 0.5], { experiment: "image.mean [0.485,0.456,0.406] → [0.5,0.5,0.5]" }],
  "image.std": [[0.5, 0.5, 0.5], { experiment: "image.std [0.229,0.224,0.225] → [0.5,0.5,0.5]" }],
  "encoder.dim": [
    48,
    {
      experiment: "encoder.dim 24 → 48, encoder.hidden 96 → 192",
      step: "D (24 → 48), F (96 → 192)",
      report:
        "encoder 19,128 parameters → 65,904 parameters, predictor 15,720 parameters → 16,896 parameters, operations per step 205 MFLOP → 347 MFLOP, memory (estimate) 6.9 MiB → 8.2 MiB, Operations per step, Passes that applied, Operations by function",
      texts: "graph, header",
    },
  ],
  "encoder.depth": [
    3,
    {
      experiment: "encoder.depth 2 → 3",
      parameters: "parameters (2 → 3)",
      step: "Encoder",
      report:
        "encoder 19,128 parameters → 26,352 parameters, operations per step 205 MFLOP → 233 MFLOP, memory (estimate) 6.9 MiB → 7.1 MiB, Operations per step, Operations by function",
      texts: "graph, header",
    },
  ],
  "encoder.heads": [
    2,
    {
      experiment: "encoder.heads 3 → 2, predictor.heads 3 → 2",
      step: "H (3 → 2), PH (3 → 2)",
      report:
        "operations per step 205 MFLOP → 204 MFLOP, memory (estimate) 6.9 MiB → 6.6 MiB, Operations per step, Passes that applied, Operations by function",
      texts: "graph",
    },
  ],
  "encoder.mlpRatio": [
    2,
    {
      experiment: "encoder.hidden 96 → 48",
      step: "F (96 → 48)",
      report:
        "encoder 19,128 parameters → 14,424 parameters, operations per step 205 MFLOP → 192 MFLOP, memory (estimate) 6.9 MiB → 6.7 MiB, Operations per step, Operations by function",
      texts: "graph",
    },
  ],
  "encoder.patch": [
    4,
    {
      experiment:
        "image.patch 8 → 4, image.gridHeight 8 → 16, image.gridWidth 8 → 16, masks.gridHeight 8 → 16, masks.gridWidth 8 → 16, masks.sizes 3×4 5×3 4×4 5×4 → 6×8 7×8 8×7 9×7 8×8 10×7 9×8 11×7, masks.contextSizes 7×7 → 15×15, masks.programs 12:6 15:6 16:6 20:6 → 48:6 56:6 63:6 64:6 70:6 72:6 77:6",
      parameters: "parameters (8 → 4)",
      step: "N (64 → 256), V (192 → 48), imagePatches (8 → 4), targetLastBlock added, step (targetTokens → target.blocks.slice 0 1 targetLastBlock blockAt), targetTokens removed",
      report:
        "encoder 19,128 parameters → 15,672 parameters, tokens of an image 64 = 8 × 8 → 256 = 16 × 16, operations per step 205 MFLOP → 969 MFLOP, memory (estimate) 6.9 MiB → 30.9 MiB, Programs, Operations per step, Passes that applied, Operations by function",
      texts: "graph, header",
    },
  ],
  "encoder.dropPath": [
    0.1,
    {
      experiment: "dropPath 0 → 0.1",
      step: "Batch (→ readonly dropPath attn F32 B keep projected mlp), ContextBlockActs (→ readonly dropPathAttn F32 B keep projected dropPathMlp mlp), contextBlock (→ dropPathAttn keep dropPathMlp projectedKept o.scaleRows mlpKept), contextBlockBackward (→ dropPathAttn dropPathMlp dMlp o.scaleRows dProjected), step (weights.encoder.blocks → i weights.encoder.blocks.entries drop blockAt batch.dropPath drop.attn drop.mlp)",
      trees: "import ijepa/runtime/step/trees (→ blocks), batch (→ dropPath blocks 2 attn f32 mlp)",
      report: "Operations per step, Operations by function",
      texts: "graph",
    },
  ],
  "predictor.dim": [
    48,
    {
      experiment: "predictor.dim 24 → 48, predictor.hidden 96 → 192",
      step: "P (24 → 48), PF (96 → 192)",
      report:
        "predictor 15,720 parameters → 59,064 parameters, operations per step 205 MFLOP → 548 MFLOP, memory (estimate) 6.9 MiB → 12.5 MiB, Operations per step, Passes that applied, Operations by function",
      texts: "graph, header",
    },
  ],
  "predictor.depth": [
    1,
    {
      experiment: "predictor.depth 2 → 1",
      parameters: "parameters (2 → 1)",
      step: "Predictor, PredictorLastBlockActs (S → context B C D encoded placed maskTokens T norm1OfContextOnce norm1OfMasks), predictorLastBlock, predictorLastBlockBackward, step, PredictorFirstBlockActs removed, predictorFirstBlock removed, predictorFirstBlockBackward removed",
      report:
        "predictor 15,720 parameters → 8,496 parameters, operations per step 205 MFLOP → 130 MFLOP, memory (estimate) 6.9 MiB → 3.8 MiB, Operations per step, Passes that applied, Operations by function",
      texts: "graph, header",
    },
  ],
  "predictor.heads": [
    2,
    {
      experiment: "predictor.heads 3 → 2",
      step: "PH (3 → 2)",
      report:
        "operations per step 205 MFLOP → 204 MFLOP, memory (estimate) 6.9 MiB → 6.6 MiB, Operations per step, Passes that applied, Operations by function",
      texts: "graph",
    },
  ],
  "predictor.mlpRatio": [
    2,
    {
      experiment: "predictor.hidden 96 → 48",
      step: "PF (96 → 48)",
      report:
        "predictor 15,720 parameters → 11,016 parameters, operations per step 205 MFLOP → 167 MFLOP, memory (estimate) 6.9 MiB → 5.7 MiB, Operations per step, Passes that applied, Operations by function",
      texts: "graph",
    },
  ],
  "masking.sampler": [
    "unbiased",
    {
      experiment:
        "masks.sampler reference → unbiased, masks.sizes 3×4 5×3 4×4 5×4 → 3×3 3×4 4×3 3×5 5×3 4×4 4×5 5×4, masks.contextSizes 7×7 → 7×7 8×8, masks.programs 12:6 15:6 16:6 20:6 → 9:6 12:6 15:6 16:6 20:6",
      report: "operations per step 205 MFLOP → 197 MFLOP, Programs, Operations per step",
      texts: "graph, header",
    },
  ],
  "masking.allowOverlap": [true, { experiment: "masks.allowOverlap false → true" }],
  "masking.minKeep": [3, { experiment: "masks.minKeep 4 → 3" }],
  "masking.targets.count": [
    2,
    {
      experiment: "masks.targetCount 4 → 2",
      main: "train(…) (4 → 2)",
      step: "R (4 → 2), Lengths, Batch, targetLastBlock added, predictorFirstBlock (4 → 2), predictorFirstBlockBackward (4 → 2), step (4 targetTokens → 2 target.blocks.slice 0 1 targetLastBlock blockAt), targetTokens removed",
      report:
        "operations per step 205 MFLOP → 127 MFLOP, memory (estimate) 6.9 MiB → 3.9 MiB, Operations per step, Passes that applied, Operations by function",
      texts: "graph, header",
    },
  ],
  "masking.targets.scale": [
    [0.2, 0.25],
    {
      experiment: "masks.sizes 3×4 5×3 4×4 5×4 → 3×4 4×3 5×3 4×4, masks.programs 12:6 15:6 16:6 20:6 → 12:6 15:6 16:6",
      step: "targetLastBlock added, step (targetTokens → target.blocks.slice 0 1 targetLastBlock blockAt), targetTokens removed",
      report:
        "operations per step 205 MFLOP → 179 MFLOP, memory (estimate) 6.9 MiB → 5.7 MiB, Programs, Operations per step, Passes that applied, Operations by function",
      texts: "graph, header",
    },
  ],
  "masking.targets.aspect": [
    [1, 1.5],
    {
      experiment:
        "masks.sizes 3×4 5×3 4×4 5×4 → 3×3 4×3 5×3 4×4 5×4, masks.programs 12:6 15:6 16:6 20:6 → 9:6 12:6 15:6 16:6 20:6",
      report:
        "operations per step 205 MFLOP → 204 MFLOP, Programs, Operations per step, Passes that applied, Operations by function",
      texts: "graph, header",
    },
  ],
  "masking.context.count": [
    2,
    {
      experiment: "masks.contextCount 1 → 2",
      step: "BC added, R (B → BC), Batch (B → BC), targetTokens (1 → 2), EmbedContextActs (B → BC), embedContext (B → BC), embedContextBackward (B → BC), ContextBlockActs (B → BC), contextBlock (B → BC), contextBlockBackward (B → BC), ContextNormActs (B → BC), contextNorm (B → BC), contextNormBackward (B → BC), PredictorFirstBlockActs (B → BC), predictorFirstBlock (B 1 → BC 2), predictorFirstBlockBackward (B → BC)",
      trees: "import ./step (→ BC), batch (→ BC)",
      report:
        "operations per step 205 MFLOP → 353 MFLOP, memory (estimate) 6.9 MiB → 13.2 MiB, Operations per step, Passes that applied, Operations by function",
      texts: "graph",
    },
  ],
  "masking.context.scale": [[0.5, 0.6], { experiment: "masks.contextSizes 7×7 → 6×6" }],
  "masking.context.tokens": [
    "auto",
    {
      experiment:
        "masks.sizes 3×4 5×3 4×4 5×4 → 3×4 5×3 4×4 5×4, masks.programs 12:6 15:6 16:6 20:6 → 12:12 15:8 16:8 20:6",
      main: "import ./step (C →), train(…)",
      step: "Lengths (→ C), Batch (→ C), EmbedContextActs (→ C extends number), embedContext (→ C extends number), embedContextBackward (→ C extends number), ContextBlockActs (→ C extends number), contextBlock (→ extends number), contextBlockBackward (→ C extends number), ContextNormActs (→ C extends number), contextNorm (→ extends number), contextNormBackward (→ C extends number), PredictorFirstBlockActs (→ C), predictorFirstBlock, predictorFirstBlockBackward (→ l.C), predictorLastBlock (→ l.C), predictorLastBlockBackward (→ l.C), step, C removed",
      trees: "import ./step (C →), batch",
      report:
        "operations per step 205 MFLOP → 218 MFLOP, Programs, Operations per step, Passes that applied, Operations by function",
      texts: "graph, header",
    },
  ],
  "masking.targets.share": [
    0.75,
    {
      experiment: "masks.programs 32:32 → 48:16",
      step: "C (32 → 16), T (32 → 48)",
      report:
        "operations per step 222 MFLOP → 207 MFLOP, memory (estimate) 6.7 MiB → 6.1 MiB, Programs, Operations per step, Passes that applied, Operations by function",
      texts: "graph, header",
    },
  ],
  "targets.maskedAt": [
    "input",
    {
      experiment: "targetsMaskedAt output → input",
      features:
        "import ./step (embedPatches targetBlock → EncoderBlock Linear V E H), embedPatches added, encoderBlock added, features (targetBlock → encoderBlock)",
      step: "(comments), embedTargets added, targetBlock (B N → T extends number R), targetTokens, step (embedPatches → embedTargets), embedPatches removed",
      report:
        "operations per step 205 MFLOP → 196 MFLOP, Operations per step, Passes that applied, Operations by function",
      texts: "graph",
    },
  ],
  "targets.space": [
    "pixels",
    {
      features:
        "import ./step (embedPatches targetBlock → EncoderBlock Linear V E H), embedPatches added, targetBlock added",
      parameters: "parameters (D → V)",
      step: "(comments), Predictor (D → V), pixelTargets added, PredictorLastBlockActs (D → V), predictorLastBlock (D → V), predictorLastBlockBackward (D → V), lossOf (D encoded → V patches), lossOfBackward (D encoded → V patches), step, embedPatches removed, targetBlock removed, targetTokens removed",
      report:
        "predictor 15,720 parameters → 19,920 parameters, operations per step 205 MFLOP → 178 MFLOP, memory (estimate) 6.9 MiB → 9.3 MiB, Operations per step, Passes that applied, Operations by function",
      texts: "graph",
    },
  ],
  "targets.normalize": [
    false,
    {
      step: "targetTokens (normalize normalized o.normalize eps 1e-5 →), lossOf (normalize →), lossOfBackward (normalize →)",
      report: "Operations per step, Passes that applied, Operations by function",
      texts: "graph",
    },
  ],
  "data.trainImages": [
    4096,
    {
      experiment:
        "data.trainImages 8192 → 4096, schedule.steps 153600 → 76800, schedule.curveSteps 153600 → 76800, schedule.warmupSteps 20480 → 10240, schedule.momentumSteps 153600 → 76800, optimizer.stepsPerEpoch 512 → 256",
      report: "steps 153,600 = 300 epochs × 512 → 76,800 = 300 epochs × 256, Schedules",
    },
  ],
  "data.validationImages": [99, { experiment: "data.validationImages 2048 → 99" }],
  "data.testImages": [99, { experiment: "data.testImages 2048 → 99" }],
  "data.sceneSize": [80, { experiment: "data.sceneSize 64 → 80" }],
  "data.difficulty": [0.75, { experiment: "data.difficulty 0.5 → 0.75" }],
  "data.seed": [1, { experiment: "data.seed 0 → 1" }],
  "data.train": ["elsewhere", { experiment: "data.trainPath train → elsewhere" }],
  "data.validation": ["held-out", { experiment: "data.validationPath null → held-out" }],
  "data.images": [
    8192,
    {
      experiment:
        "data.trainImages 4096 → 8192, schedule.steps 76800 → 153600, schedule.curveSteps 76800 → 153600, schedule.warmupSteps 10240 → 20480, schedule.momentumSteps 76800 → 153600, optimizer.stepsPerEpoch 256 → 512",
      report: "steps 76,800 = 300 epochs × 256 → 153,600 = 300 epochs × 512, Schedules",
    },
  ],
  "data.holdOut": [0.2, { experiment: "data.holdOut 0 → 0.2" }],
  "data.labels": [false, { experiment: "data.labels true → false" }],
  "data.maxBadShare": [0.05, { experiment: "data.maxBadShare 0.01 → 0.05" }],
  "data.exifRotation": [true, { experiment: "data.exifRotation false → true" }],
  "data.shuffleBuffer": [64, { experiment: "data.shuffleBuffer 2048 → 64" }],
  "data.imageColumn": ["img", { experiment: "data.imageColumn image → img" }],
  "data.labelColumn": ["fine_label", { experiment: "data.labelColumn label → fine_label" }],
  "augmentation.cropScale": [[0.5, 1], { experiment: "augmentation.cropScale [0.3,1] → [0.5,1]" }],
  "augmentation.cropAspect": [[1, 1], { experiment: "augmentation.cropAspect [0.75,1.3333333333333333] → [1,1]" }],
  "augmentation.horizontalFlip": [true, { experiment: "augmentation.horizontalFlip false → true" }],
  "optimization.epochs": [
    100,
    {
      experiment:
        "schedule.steps 153600 → 51200, schedule.curveSteps 153600 → 51200, schedule.warmupSteps 20480 → 6826, schedule.momentumSteps 153600 → 51200, optimizer.epochs 300 → 100",
      report: "steps 153,600 = 300 epochs × 512 → 51,200 = 100 epochs × 512, Schedules",
    },
  ],
  "optimization.globalBatch": [
    32,
    {
      experiment:
        "schedule.steps 153600 → 76800, schedule.curveSteps 153600 → 76800, schedule.warmupSteps 20480 → 10240, schedule.momentumSteps 153600 → 76800, optimizer.stepsPerEpoch 512 → 256, optimizer.globalBatch 16 → 32, optimizer.deviceBatch 16 → 32",
      step: "B (16 → 32), R",
      report:
        "batch 16 images = 1 × 16 → 32 images = 1 × 32, steps 153,600 = 300 epochs × 512 → 76,800 = 300 epochs × 256, operations per step 205 MFLOP → 409 MFLOP, memory (estimate) 6.9 MiB → 13.2 MiB, Schedules, Operations per step",
      texts: "graph, header",
    },
  ],
  "optimization.accumulation": [
    2,
    {
      experiment: "optimizer.accumulation 1 → 2, optimizer.deviceBatch 16 → 8",
      main: "import ./step (→ accumulate update), train(…) (→ accumulate gradients update every ...generated)",
      step: "import ijepa/runtime/ops/blocks (→ mapAll zipAll), (comments), B (16 → 8), R, State (→ readonly gradients Gradients Weights), NextState (→ readonly gradients Gradients Weights), accumulate + update split",
      trees: "state (→ gradients)",
      report: "batch 16 images = 1 × 16 → 16 images = 2 × 8, memory (estimate) 6.9 MiB → 3.8 MiB, Operations per step",
      texts: "graph, header",
    },
  ],
  "optimization.learningRate.start": [0.0001, { experiment: "schedule.lrStart 0.0002 → 0.0001", report: "Schedules" }],
  "optimization.learningRate.peak": [0.002, { experiment: "schedule.lrPeak 0.001 → 0.002", report: "Schedules" }],
  "optimization.learningRate.final": [0, { experiment: "schedule.lrFinal 0.000001 → 0", report: "Schedules" }],
  "optimization.learningRate.warmupEpochs": [
    10,
    { experiment: "schedule.warmupSteps 20480 → 5120", report: "Schedules" },
  ],
  "optimization.weightDecay.start": [0.1, { experiment: "schedule.weightDecayStart 0.04 → 0.1", report: "Schedules" }],
  "optimization.weightDecay.final": [0.1, { experiment: "schedule.weightDecayFinal 0.4 → 0.1", report: "Schedules" }],
  "optimization.momentum.start": [0.9, { experiment: "schedule.momentumStart 0.996 → 0.9", report: "Schedules" }],
  "optimization.momentum.final": [0.999, { experiment: "schedule.momentumFinal 1 → 0.999", report: "Schedules" }],
  "optimization.scheduleScale": [
    1.25,
    { experiment: "schedule.curveSteps 153600 → 192000, schedule.momentumSteps 153600 → 192000", report: "Schedules" },
  ],
  "optimization.adamw.beta1": [
    0.8,
    { experiment: "optimizer.beta1 0.9 → 0.8", step: "step (0.9 → 0.8)", report: "Schedules" },
  ],
  "optimization.adamw.beta2": [
    0.98,
    { experiment: "optimizer.beta2 0.999 → 0.98", step: "step (0.999 → 0.98)", report: "Schedules" },
  ],
  "optimization.adamw.eps": [
    0.000001,
    { experiment: "optimizer.eps 1e-8 → 0.000001", step: "step (1e-8 → 0.000001)", report: "Schedules" },
  ],
  "optimization.skipNonFinite": [5, { experiment: "optimizer.skipNonFinite 0 → 5" }],
  "optimization.clipNorm": [
    1,
    {
      step: "import ijepa/runtime/ops/blocks (→ mapAll), step (→ means clip o.clipFactor max 1 mapAll g o.scaleBy)",
      report: "Operations per step",
    },
  ],
  "init.std": [0.03, { parameters: "parameters (0.02 → 0.03)" }],
  "init.patchStd": [0.1, { parameters: "parameters (0.02 → 0.1)" }],
  "init.positionScale": [0.5, { experiment: "positionScale 1 → 0.5" }],
  "init.depthRescale": [true, { parameters: "parameters (→ Math.sqrt 2 i 1)" }],
  "evaluation.everyEpochs": [1, { experiment: "evaluation.everyEpochs 0 → 1" }],
  "evaluation.knn.neighbours": [10, { experiment: "evaluation.knnNeighbours 20 → 10" }],
  "evaluation.knn.temperature": [0.1, { experiment: "evaluation.knnTemperature 0.07 → 0.1" }],
  "evaluation.trainImages": [100, { experiment: "evaluation.trainImages 8192 → 100" }],
  "evaluation.testImages": [100, { experiment: "evaluation.testImages 2048 → 100" }],
  "checkpoint.everyEpochs": [2, { experiment: "log.checkpointEveryEpochs 1 → 2" }],
  "checkpoint.keepLast": [3, { experiment: "log.keepLast 1 → 3" }],
  "checkpoint.keepBest.metric": ["loss", { experiment: "log.keepBestMetric null → loss" }],
  "checkpoint.keepEveryEpochs": [0, { experiment: "log.keepEveryEpochs 50 → 0" }],
  "log.everySteps": [10, { experiment: "log.logEverySteps 1 → 10" }],
  "log.tensorboard": [true, { experiment: "log.tensorboard false → true" }],
  "log.mlflow": ["http://localhost:5000", { experiment: "log.mlflow null → http://localhost:5000" }],
  "log.trackio": ["http://localhost:7860", { experiment: "log.trackio null → http://localhost:7860" }],
  "hardware.engine": ["tfjs", { experiment: "hardware.engine onnx → tfjs", main: "train(…) (onnx → tfjs)" }],
  "hardware.device": ["webgpu", { experiment: "hardware.device cpu → webgpu" }],
  "hardware.gpus": [
    2,
    {
      experiment: "optimizer.deviceBatch 16 → 8, hardware.gpus 1 → 2",
      step: "import ijepa/runtime/ops/blocks (→ mapAll), B (16 → 8), R, step (→ local mapAll g o.allReduce)",
      report:
        "batch 16 images = 1 × 16 → 16 images = 2 devices × 1 × 8, operations per step 205 MFLOP → 103 MFLOP on each device, memory (estimate) 6.9 MiB → 3.7 MiB on each device, Operations per step",
      texts: "graph, header",
    },
  ],
  "hardware.shardOptimizer": [true, { experiment: "hardware.shardOptimizer false → true" }],
  "hardware.reduceBucketMiB": [1, { experiment: "hardware.reduceBucketMiB 25 → 1" }],
  "hardware.threads": [1, { experiment: "hardware.threads 0 → 1" }],
  "hardware.workers": [1, { experiment: "hardware.workers 0 → 1" }],
};
