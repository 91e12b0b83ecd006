/** Of the fields that SimMIM alone has, and of those that it shares with masked autoencoders. */
import type { FieldEffects } from "./field-effects";

export const simmimFieldEffects: FieldEffects = {
  "encoder.classToken": [
    false,
    {
      experiment: "classToken true → false",
      features:
        "import ./step (NE →), embedPatches (classToken Weight classPosition 1 NE placed first o.addVector o.concatTokens tokens → N), encoderBlock (NE → N), pooledFeatures (NE xChosen o.sliceTokens start 1 tokens →), features (classPosition readonly F32 B 1 D weights.encoder.classToken →), import ijepa/runtime/ops/weights removed",
      main: "train(…) (classPosition constants.classPosition →)",
      parameters: "parameters (...maskToken encoder.classToken cls_token D 0.02 →)",
      step: "S (CE → C), Encoder (readonly classToken Weight D x →), Constants (readonly classPosition F32 B 1 D positions →), embedMasked, embedMaskedBackward (readonly dClassToken Gradients Weight D x dSeen CE dFirst 1 dPlaced → dVisibleTokens), maskedLastBlock (CE → C), maskedLastBlockBackward (CE → C), step (weights.encoder.classToken constants.classPosition classToken embedMaskedGradients.dClassToken encoder.classToken →), NE removed, CE removed",
      trees: "constants (classPosition B 1 →)",
      report:
        "encoder 19,176 parameters → 19,152 parameters, operations per step 141 MFLOP → 139 MFLOP, memory (estimate) 6.0 MiB → 5.9 MiB, Programs, Operations per step, Passes that applied, Operations by function",
      texts: "graph, header",
    },
  ],
  maskRatio: [
    0.5,
    {
      experiment: "masks.programs 40:24 → 32:32",
      step: "C (24 → 32), T (40 → 32)",
      report:
        "operations per step 141 MFLOP → 132 MFLOP, memory (estimate) 6.0 MiB → 5.5 MiB, Programs, Operations per step, Passes that applied, Operations by function",
      texts: "graph, header",
    },
  ],
  maskUnit: [
    4,
    {
      experiment: "masks.unit 2 → 4, masks.programs 40:24 → 48:16",
      step: "C (24 → 16), T (40 → 48)",
      report:
        "operations per step 141 MFLOP → 150 MFLOP, memory (estimate) 6.0 MiB → 6.5 MiB, Programs, Operations per step, Passes that applied, Operations by function",
      texts: "graph, header",
    },
  ],
};
