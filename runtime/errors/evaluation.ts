/** R15x: evaluation. */
import { UserError } from "./user-error";

/** The features of an encoder are no finite numbers, so there is nothing to evaluate. */
export function featuresNotFinite(was: { readonly name: string; readonly split: string }): UserError {
  return new UserError(
    "R150",
    `The ${was.split} features of the ${was.name} hold NaN or infinity, so they cannot be evaluated. ` +
      "The weights have diverged; go back to an earlier checkpoint or lower the peak learning rate.",
  );
}

/** An evaluation needs a few labelled images in each of its splits. */
export function splitTooSmall(was: {
  readonly split: string;
  readonly images: number;
  readonly least: number;
}): UserError {
  return new UserError(
    "R151",
    `The ${was.split} split has ${was.images} labelled images; the evaluation needs at least ${was.least}. ` +
      "Add images, or leave the evaluation out of the experiment.",
  );
}

/** The splits of an evaluation have other tasks or classes than the training images. */
export function splitsDisagree(was: {
  readonly split: string;
  readonly found: string;
  readonly wanted: string;
}): UserError {
  return new UserError(
    "R152",
    `The ${was.split} split has the tasks ${was.found}, but the train split has ${was.wanted}. ` +
      "Every split needs the same tasks and classes.",
  );
}
