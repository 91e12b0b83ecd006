/** Images that are only looked at: they are no part of an experiment, and have no labels. */
import { errors } from "../../compiler/diagnostics/catalogue";
import type { FileData } from "../../runtime/experiment";
import { dataOf, givenImages } from "../given-images";
import { ExportRefused } from "./refused";

/** All images that somebody named. However many are bad, none of them ends anything. Throws ExportRefused where there are none. */
export function imagesOf(given: string): FileData {
  const found = givenImages(given);
  if (found === null) throw new ExportRefused(given, errors.noLabelledFolder());
  return dataOf(given, { kind: found.kind, train: found.all, validation: null }, { holdOut: 0, labels: false });
}
