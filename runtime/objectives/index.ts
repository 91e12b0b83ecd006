/** The objectives by name, for tools that find one in a checkpoint. A trainer imports its own alone. */
import type { ExperimentOf, ObjectiveName, RuntimeObjective } from "../experiment";
import { objective as data2vec } from "./data2vec/objective";
import { objective as ijepa } from "./ijepa/objective";
import { objective as mae } from "./mae/objective";
import { objective as simmim } from "./simmim/objective";

export const objectives: { readonly [Name in ObjectiveName]: RuntimeObjective<ExperimentOf<Name>> } = {
  ijepa,
  mae,
  simmim,
  data2vec,
};
