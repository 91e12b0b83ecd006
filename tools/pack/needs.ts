/** The packages with native code that a trainer loads when it runs: its bundle holds everything else. */
import type { Spec } from "../../compiler/spec/spec";
import { turbojpegPackage } from "../../runtime/data/jpeg/turbojpeg";
import { installCommand } from "../../runtime/installs";
import { subjects } from "../doctor/subjects";

export interface Need {
  /** Any one of them is enough; the first that is installed goes along. */
  readonly packages: readonly [string, ...string[]];
  /** The command that installs the simplest of them. */
  readonly install: string;
  /** Faster with it: it goes along where it is installed. */
  readonly isOptional?: boolean;
}

const plain = (name: string): Need => ({ packages: [name], install: installCommand([name]) });

interface Brings {
  /** What the engine loads beside the package that it is named after. */
  readonly beside: readonly Need[];
  /** Whether it computes through a PJRT plugin. */
  readonly plugin: boolean;
}

const engines: { readonly [E in Spec["hardware"]["engine"]]: Brings } = {
  // The C interfaces of onnxruntime and of PJRT are called through koffi.
  onnx: { beside: [plain("koffi")], plugin: false },
  tfjs: { beside: [], plugin: false },
  xla: { beside: [plain("koffi")], plugin: true },
};

export const takesPlugin = (engine: Spec["hardware"]["engine"]): boolean => engines[engine].plugin;

/** libjpeg-turbo decodes JPEG, where it is, through koffi. */
const ofFiles: readonly Need[] = [
  plain("sharp"),
  ...[turbojpegPackage, "koffi"].map((name) => ({ ...plain(name), isOptional: true })),
];

/** What decodes the images of a source. */
const decoders: { readonly [S in Spec["data"]["source"]]: readonly Need[] } = {
  folder: ofFiles,
  webdataset: ofFiles,
  parquet: ofFiles,
  shapes: [],
};

export function needsOf({ hardware, data }: Pick<Spec, "hardware" | "data">): readonly Need[] {
  const { engine, device } = hardware;
  const subject = subjects[engine][device];
  // The rules of a spec refuse it.
  if (subject === null) throw new Error(`internal: ${engine} has no device ${device}`);
  const [first, ...others] = subject.packages;
  const own: readonly Need[] =
    first === undefined
      ? []
      : [{ packages: [first, ...others], install: subject.install[0] ?? `npm install ${first}` }];
  return [...own, ...engines[engine].beside, ...decoders[data.source]];
}
