/** The numbers of a model, of whichever objective. */
import type { IJepaNumbers } from "./ijepa/numbers";
import type { MaeNumbers } from "./mae/numbers";
import type { SimmimNumbers } from "./simmim/numbers";

export type ModelNumbers = IJepaNumbers | MaeNumbers | SimmimNumbers;
