/** The pictures of a report: masks and features of its runs, and a warning for each that could not be made. */
import { errors } from "../../compiler/diagnostics/catalogue";
import { type Diagnostic, unplaced } from "../../compiler/diagnostics/diagnostic";
import type { Experiment } from "../../runtime/experiment";
import type { MaskPlan } from "../../runtime/masks/plan";
import { hasDecoder } from "../decode/decoder-of-run";
import { decodingOf } from "../decode/decoding";
import { decodedSection } from "./decoded";
import { featureSection } from "./features";
import { heldOutFeatures } from "./held-out";
import { maskSection } from "./masks";
import type { RunRecord } from "./runs";
import type { Section } from "./section";

export interface PictureOptions {
  /** Folder that relative data paths start from. */
  readonly root: string;
  /** Held-out images that features are shown of; 0 = none. */
  readonly images: number;
}

export interface Pictures {
  readonly sections: readonly Section[];
  readonly warnings: readonly Diagnostic[];
}

export async function picturesOf(runs: readonly RunRecord[], options: PictureOptions): Promise<Pictures> {
  const masks = await maskSections(runs, options);
  const features = await featureSections(runs, options);
  const decoded = await decodedSections(runs, options);
  return {
    sections: [...features.sections, ...decoded.sections, ...masks],
    warnings: [...features.warnings, ...decoded.warnings],
  };
}

/** Of the runs that have a decoder. */
async function decodedSections(runs: readonly RunRecord[], { root, images }: PictureOptions): Promise<Pictures> {
  const sections: Section[] = [];
  const warnings: Diagnostic[] = [];
  for (const { folder, label } of images === 0 ? [] : runs) {
    const found = hasDecoder(folder) ? await decodingOf({ run: folder, root }) : null;
    if (found === null) continue;
    if (typeof found === "string") {
      warnings.push(
        unplaced(folder, errors.sectionLeftOut({ section: "pictures of what the predictor expects", why: found })),
      );
    } else {
      const of = runs.length > 1 ? label : null;
      sections.push(await decodedSection(found, { id: `decoded-${sections.length}`, of }));
    }
  }
  return { sections, warnings };
}

/** Runs with the same masks and data share their picture. */
async function maskSections(runs: readonly RunRecord[], { root }: PictureOptions): Promise<readonly Section[]> {
  const sections: Section[] = [];
  const seen = new Set<string>();
  for (const { experiment, label } of runs) {
    const { masks, data, image } = experiment;
    const key = JSON.stringify([masks, data, image]);
    if (seen.has(key) || !hasMasks(experiment)) continue;
    seen.add(key);
    const of = runs.length > 1 ? label : null;
    sections.push(await maskSection({ experiment, root, id: `masks-${sections.length}`, of }));
  }
  return sections;
}

/** Another version may have written other constants: drawn from those, the picture would show what nobody trained on. */
export const hasMasks = ({ masks }: Experiment): boolean =>
  typeof masks === "object" &&
  [masks.programs, ...("strategy" in masks ? sizeLists(masks) : [])].every(Array.isArray) &&
  ("strategy" in masks || "blocks" in masks || Number.isInteger(masks.unit));

function sizeLists(masks: MaskPlan): readonly unknown[] {
  if (masks.strategy === "multiblock") return [masks.sizes, masks.contextSizes];
  return masks.strategy === "block" ? [masks.sizes] : [];
}

/** Patches of so many images are coloured together. */
const patchImages = 32;

async function featureSections(runs: readonly RunRecord[], { root, images: limit }: PictureOptions): Promise<Pictures> {
  const sections: Section[] = [];
  const warnings: Diagnostic[] = [];
  for (const { folder, label } of limit === 0 ? [] : runs) {
    const found = await heldOutFeatures({ folder, root, limit, patchImages });
    if (typeof found === "string") {
      warnings.push(unplaced(folder, errors.sectionLeftOut({ section: "pictures of features", why: found })));
    } else {
      const of = runs.length > 1 ? label : null;
      sections.push(await featureSection(found, { id: `features-${sections.length}`, of }));
    }
  }
  return { sections, warnings };
}
