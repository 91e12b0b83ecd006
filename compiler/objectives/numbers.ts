/** The numbers of a model, of whichever objective. */
import type { IJepaNumbers } from "./ijepa/numbers";
import type { MaeNumbers } from "./mae/numbers";

export type ModelNumbers = IJepaNumbers | MaeNumbers;
