/** Images that are only looked at: they are no part of an experiment, and have no labels. */
import type { FolderData } from "../../runtime/experiment";

/** All images below a folder. However many are bad, none of them ends anything. */
export function imagesOf(folder: string): FolderData {
  return {
    kind: "folder",
    trainPath: folder,
    validationPath: null,
    trainImages: 0,
    holdOut: 0,
    labels: false,
    maxBadShare: 1,
  };
}
