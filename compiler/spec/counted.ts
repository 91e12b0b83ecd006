/** What a spec may leave to the folder of its images: how many there are, and whether some are kept aside for the probes. */
import { resolve } from "node:path";
import { errors } from "../diagnostics/catalogue";
import { hasClasses, lookAtFolder, trainingImages } from "./image-folder";
import { isObject, type JsonObject } from "./json";
import type { Finding } from "./rule";

/** Kept aside of a folder with classes, and the fewest images of which that many make sense. */
const heldOutShare = 0.1;
const fewestToHoldOut = 100;

export interface Counted {
  readonly document: JsonObject;
  /** Why nothing could be counted; null where it could, or need not. */
  readonly finding: Finding | null;
}

/** `document` is one that the schema accepts; `folder` is where its relative paths start. */
export function counted(document: JsonObject, folder: string): Counted {
  const { data } = document;
  if (!isObject(data) || data.source !== "folder" || data.images !== undefined || typeof data.train !== "string") {
    return { document, finding: null };
  }
  const path = resolve(folder, data.train);
  const look = lookAtFolder(path);
  const holdsOut =
    data.labels !== false &&
    typeof data.validation !== "string" &&
    look !== null &&
    hasClasses(look) &&
    look.images.length >= fewestToHoldOut;
  const holdOut = typeof data.holdOut === "number" ? data.holdOut : holdsOut ? heldOutShare : 0;
  const images = look === null ? 0 : trainingImages(look, holdOut);
  const finding = (why: "missing" | "empty"): Finding => ({
    path: ["data", "train"],
    problem: errors.imagesUncounted({ folder: path, why }),
  });
  return {
    document: { ...document, data: { ...data, images: Math.max(1, images), holdOut } },
    finding: images > 0 ? null : finding(look === null ? "missing" : "empty"),
  };
}
