/** R13x, and R129: images and labels. */
import { type BadImage, countsOf, countsText } from "../data/bad-image";
import { imageEndingsText } from "../data/image-format";
import { UserError } from "./user-error";

const imageFiles = `Images are files named ${imageEndingsText}.`;

/** A folder of images that the experiment names is not there. */
export function dataFolderMissing(was: {
  readonly folder: string;
  /** What the experiment says, before it is joined to the root. */
  readonly given: string;
  readonly what: "train" | "validation";
}): UserError {
  return new UserError(
    "R130",
    `There is no folder ${was.folder}, which should hold the ${was.what} images (the experiment says "${was.given}"). ` +
      "Put the images there, or name the folder that the path starts from with --data.",
  );
}

/** The system does not let a folder of images be read. */
export function dataFolderUnreadable(was: { readonly folder: string; readonly why: string }): UserError {
  return new UserError("R131", `The folder ${was.folder} cannot be read: ${was.why}.`);
}

/** A folder of images has no file that is one. */
export function dataFolderEmpty(was: { readonly folder: string; readonly otherFiles: number }): UserError {
  const found = was.otherFiles === 0 ? "It holds no files." : `It holds ${was.otherFiles} files, but none is an image.`;
  return new UserError("R132", `There is no image in ${was.folder} or below it. ${found} ${imageFiles}`);
}

/** Epochs and schedules were compiled for more training images than the folder has. */
export function tooFewImages(was: {
  readonly folder: string;
  readonly found: number;
  readonly wanted: number;
}): UserError {
  return new UserError(
    "R133",
    `${was.folder} holds ${was.found} images, but the experiment was compiled for ${was.wanted}: its epochs and ` +
      `schedules count on them. Add the rest, or set the number of training images to ${was.found} and compile again.`,
  );
}

/** Images with labels lie in one folder for each class, and one of them does not. */
export function imagesOutsideClasses(was: { readonly folder: string; readonly example: string }): UserError {
  return new UserError(
    "R134",
    `${was.folder} should hold one folder for each class, but ${was.example} lies in none of them. ` +
      "Move it into the folder of its class, or set the labels of the data to false.",
  );
}

/** The validation images have a class that the training images do not have. */
export function unknownClass(was: {
  readonly folder: string;
  readonly found: string;
  readonly trainFolder: string;
  readonly classes: number;
}): UserError {
  return new UserError(
    "R135",
    `${was.folder} has a class "${was.found}", which is none of the ${was.classes} classes of ${was.trainFolder}. ` +
      "The folders of both must have the same names.",
  );
}

/** An evaluation on held-out images was asked for, and the experiment names none. */
export function noHeldOutImages(): UserError {
  return new UserError(
    "R136",
    "The experiment names no folder of validation images, so nothing can be evaluated on held-out images. " +
      "Name one in its data, or evaluate on the train split.",
  );
}

/** Many images in a row can not be used. A single one is replaced by another. */
export function imagesUnreadable(was: {
  readonly file: string;
  readonly why: string;
  /** Images that were drawn to take its place. */
  readonly drawn: number;
}): UserError {
  return new UserError(
    "R137",
    `${was.file} cannot be used (${was.why}), and neither can ${was.drawn} other images that were drawn in its place. ` +
      "A few bad images would be replaced; so many look like a damaged folder.",
  );
}

/** A worker thread that prepares images ended before its work was done. */
export function imageWorkerFailed(was: { readonly why: string; readonly cause?: unknown }): UserError {
  return new UserError(
    "R138",
    `A thread that prepares images ended: ${was.why}. If memory ran out, use fewer of them with --workers.`,
    { cause: was.cause },
  );
}

/** The folder of the images went away while they were read, and did not come back in time. */
export function imagesGone(was: {
  readonly folder: string;
  readonly why: string;
  readonly cause?: unknown;
}): UserError {
  return new UserError(
    "R139",
    `The folder ${was.folder} went away while images were read from it: ${was.why}. ` +
      "What was trained is saved; bring the folder back and go on with --resume.",
    { cause: was.cause },
  );
}

/** More images are bad than the experiment allows. */
export function tooManyBadImages(was: {
  readonly badImages: readonly BadImage[];
  readonly imageCount: number;
  readonly share: number;
}): UserError {
  const { badImages, imageCount, share } = was;
  const last = badImages.at(-1);
  return new UserError(
    "R129",
    `${badImages.length} of ${imageCount} images cannot be used (${countsText(countsOf(badImages))}), more than the ` +
      `share of ${share} that data.maxBadShare allows. The last one is ${last?.file}: ${last?.why}. Mend the images and go ` +
      "on with --resume, or allow a larger share and compile again.",
  );
}
