/** The objectives by name. One is added as a folder, a member of ModelNumbers, and a line of the table, which asks for it. */
import type { ObjectiveName } from "../../runtime/experiment";
import type { Model } from "../model/model";
import type { IJepaNumbers } from "./ijepa/numbers";
import { ijepa } from "./ijepa/objective";
import type { Objective } from "./objective";

/** The numbers of a model, of whichever objective. */
export type ModelNumbers = IJepaNumbers;

export const objectives: {
  readonly [Name in ObjectiveName]: Objective<Extract<ModelNumbers, { readonly objective: Name }>>;
} = { ijepa };

export function buildModel(numbers: ModelNumbers): Model {
  // Every entry takes the numbers of its own objective.
  const build = objectives[numbers.objective].model as (numbers: ModelNumbers) => Model;
  return build(numbers);
}
