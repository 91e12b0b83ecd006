/** R17x: the decoder of `ijepa decode`. */
import { UserError } from "./user-error";

/** A decoder has fewer training images that can be used than one step takes. */
export function decoderWithoutImages(was: { readonly count: number; readonly wanted: number }): UserError {
  return new UserError(
    "R173",
    `The run has ${was.count} training images that can be used, and a step of its decoder takes ${was.wanted}: ` +
      "nothing was trained.",
  );
}

/** The loss of a decoder is no finite number: the features of the run's target encoder hold NaN or infinity. */
export function decoderNotFinite(was: { readonly step: number; readonly loss: number }): UserError {
  return new UserError(
    "R174",
    `The loss of step ${was.step} of the decoder is ${was.loss}: the target encoder's features are not finite. ` +
      "Decode an earlier checkpoint of the run.",
  );
}
