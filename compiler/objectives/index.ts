/** The objectives by name. One is added as a folder, a member of ModelNumbers, and a line of the table, which asks for it. */
import type { ObjectiveName } from "../../runtime/experiment";
import type { Model } from "../model/model";
import { data2vec } from "./data2vec/objective";
import { ijepa } from "./ijepa/objective";
import { mae } from "./mae/objective";
import type { ModelNumbers } from "./numbers";
import type { Objective } from "./objective";
import { simmim } from "./simmim/objective";

export type { ModelNumbers } from "./numbers";

const objectives: { readonly [Name in ObjectiveName]: Objective<Name> } = { ijepa, mae, simmim, data2vec };

/** Whoever asks hands it specs, numbers and experiments of this name alone. */
export const objectiveOf = (name: ObjectiveName): Objective<ObjectiveName> =>
  objectives[name] as Objective<ObjectiveName>;

export const buildModel = (numbers: ModelNumbers): Model => objectiveOf(numbers.objective).model(numbers);
