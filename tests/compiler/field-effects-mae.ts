/** Of the fields that masked autoencoders alone have. */
import type { FieldEffects } from "./field-effects";

export const maeFieldEffects: FieldEffects = {
  "encoder.classToken": [
    false,
    {
      experiment: "classToken true → false",
      features:
        "import ./step (NE →), embedPatches (classToken Weight classPosition 1 NE placed first o.addVector o.concatTokens tokens → N), encoderBlock (NE → N), pooledFeatures (NE xChosen o.sliceTokens start 1 tokens →), features (classPosition readonly F32 B 1 D weights.encoder.classToken →), import ijepa/runtime/ops/weights removed",
      main: "train(…) (classPosition constants.classPosition →)",
      parameters: "parameters (...maskToken encoder.classToken cls_token D 0.02 →)",
      report:
        "encoder 19,152 parameters → 19,128 parameters, operations per step 180 MFLOP → 176 MFLOP, memory (estimate) 7.6 MiB → 7.5 MiB, Programs, Operations per step, Passes that applied, Operations by function",
      step: "S (CE → C), Encoder (readonly classToken Weight D x →), Constants (readonly classPosition F32 B 1 D positions →), EmbedVisibleActs (CE → C), embedVisible, embedVisibleBackward (CE dClassToken Weight dFirst o.sliceTokens start 0 tokens 1 dPlaced →), VisibleBlockActs (CE → C), visibleBlock (CE → C), visibleBlockBackward (CE → C), VisibleNormActs (CE → C), visibleNorm (CE → C), visibleNormBackward (CE → C), DecoderInputActs (CE → C), decoderInput (CE encodedAt o.padTokens start 1 tokens → C), decoderInputBackward (CE → C), decoderLastBlock (CE → C), decoderLastBlockBackward (CE → C), step (weights.encoder.classToken constants.classPosition classToken embedVisibleGradients.dClassToken encoder.classToken →), NE removed, CE removed",
      texts: "graph, header",
      trees: "constants (classPosition constant B 1 D →)",
    },
  ],
  "decoder.dim": [
    48,
    {
      experiment: "decoder.dim 24 → 48, decoder.hidden 96 → 192",
      report:
        "decoder 19,920 parameters → 67,296 parameters, operations per step 180 MFLOP → 475 MFLOP, memory (estimate) 7.6 MiB → 11.1 MiB, Operations per step, Passes that applied, Operations by function",
      step: "P (24 → 48), PF (96 → 192)",
      texts: "graph, header",
    },
  ],
  "decoder.depth": [
    3,
    {
      experiment: "decoder.depth 2 → 3",
      parameters: "parameters (2 → 3)",
      report:
        "decoder 19,920 parameters → 27,144 parameters, operations per step 180 MFLOP → 249 MFLOP, memory (estimate) 7.6 MiB → 10.0 MiB, Operations per step, Operations by function",
      step: "Decoder, step (1 → 2)",
      texts: "graph, header",
    },
  ],
  "decoder.heads": [
    2,
    {
      experiment: "decoder.heads 3 → 2",
      report:
        "operations per step 180 MFLOP → 179 MFLOP, memory (estimate) 7.6 MiB → 7.1 MiB, Operations per step, Passes that applied, Operations by function",
      step: "PH (3 → 2)",
      texts: "graph",
    },
  ],
  "decoder.mlpRatio": [
    2,
    {
      experiment: "decoder.hidden 96 → 48",
      report:
        "decoder 19,920 parameters → 15,216 parameters, operations per step 180 MFLOP → 153 MFLOP, memory (estimate) 7.6 MiB → 6.9 MiB, Operations per step, Passes that applied, Operations by function",
      step: "PF (96 → 48)",
      texts: "graph",
    },
  ],
  maskRatio: [
    0.5,
    {
      experiment: "masks.programs 48:16 → 32:32",
      report:
        "operations per step 180 MFLOP → 194 MFLOP, memory (estimate) 7.6 MiB → 7.8 MiB, Programs, Operations per step, Passes that applied, Operations by function",
      step: "C (16 → 32), T (48 → 32)",
      texts: "graph, header",
    },
  ],
};
