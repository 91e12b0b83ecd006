/** The packages with native code that a trainer looks for when it runs: all that are missing are named at once. */
import { turbojpegPackage } from "../data/jpeg/turbojpeg";
import { packagesMissing } from "../errors";
import type { Experiment } from "../experiment";
import { installCommand } from "../installs";
import type { EngineName } from "./engine";
import { resolveExternal } from "./external";

interface Needs {
  /** Without these nothing runs. */
  readonly required: readonly string[];
  /** Faster with these. */
  readonly wanted: readonly string[];
}

/** Those of tfjs depend on what is there; its engine says which. */
const needs: { readonly [E in EngineName]: Needs } = {
  onnx: { required: ["onnxruntime-node"], wanted: ["koffi"] },
  tfjs: { required: [], wanted: [] },
  xla: { required: ["koffi"], wanted: [] },
};

/** libjpeg-turbo is called through koffi. */
const imageDecoders: Needs = { required: ["sharp"], wanted: ["koffi", turbojpegPackage] };

/** Throws UserError R100 where a package is missing that the experiment cannot do without. */
export function lookForPackages({ hardware, data }: Pick<Experiment, "hardware" | "data">): void {
  const { required, wanted } = needs[hardware.engine];
  const isMissing = (name: string): boolean => resolveExternal(name) === undefined;
  const decoders: Needs = data.kind === "shapes" ? { required: [], wanted: [] } : imageDecoders;
  const must = [...required, ...decoders.required].filter(isMissing);
  if (must.length === 0) return;
  const names = [...new Set([...must, ...[...wanted, ...decoders.wanted].filter(isMissing)])];
  throw packagesMissing({ names, folder: process.cwd(), install: installCommand(names) });
}
