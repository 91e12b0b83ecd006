/** The numbers of a model, of whichever objective. */
import type { Data2VecNumbers } from "./data2vec/numbers";
import type { IJepaNumbers } from "./ijepa/numbers";
import type { MaeNumbers } from "./mae/numbers";
import type { SimmimNumbers } from "./simmim/numbers";

export type ModelNumbers = IJepaNumbers | MaeNumbers | SimmimNumbers | Data2VecNumbers;
