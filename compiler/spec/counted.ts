/** What a spec may leave to its images: how many there are, and whether some are kept aside for the probes. */
import { lookAtData } from "./data-look";
import { isObject, type JsonObject } from "./json";
import type { Finding } from "./rule";

/** Kept aside of images with classes, and the fewest images of which that many make sense. */
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
  if (!isObject(data) || data.images !== undefined || typeof data.train !== "string") {
    return { document, finding: null };
  }
  const look = lookAtData({ ...data, train: data.train }, folder);
  const found = "problem" in look ? null : look;
  const holdsOut =
    data.labels !== false &&
    typeof data.validation !== "string" &&
    found?.hasClasses === true &&
    found.images(0) >= fewestToHoldOut;
  const holdOut = typeof data.holdOut === "number" ? data.holdOut : holdsOut ? heldOutShare : 0;
  const images = found?.images(holdOut) ?? 0;
  const problem = "problem" in look ? look.problem : images > 0 ? null : look.empty;
  return {
    document: { ...document, data: { ...data, images: Math.max(1, images), holdOut } },
    finding: problem === null ? null : { path: ["data", "train"], problem },
  };
}
