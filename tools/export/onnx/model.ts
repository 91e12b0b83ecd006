/** Writes an encoder as an ONNX model; the weights of a large one lie in a file beside it. */
import { basename } from "node:path";
import { writeAtomically } from "../../../runtime/checkpoint/atomic";
import { fromOfficial } from "../../../runtime/checkpoint/official";
import { type ModelWeight, modelBytes } from "../../../runtime/engines/onnx/model";
import type { ExportSource } from "../source";
import { encoderGraph } from "./graph";
import type { ExportPrecision, Stored } from "./weights";

/** A model has less than 2 GiB, and while it is written its weights lie in memory twice. */
const mostBytesInside = 1e9;

const byteCount = { f32: 4, u8: 1, i32: 4, u32: 4, i64: 8, f16: 2, i8: 1 } as const;
const sizeOf = ({ type, dims }: Stored): number => dims.reduce((product, size) => product * size, byteCount[type]);

export interface WrittenModel {
  /** Whether weights lie in `<name>_data` beside the model. */
  readonly weightsBeside: boolean;
}

export async function writeEncoderModel(
  source: Pick<ExportSource, "experiment" | "encoder" | "choice">,
  { path, precision, mostInside = mostBytesInside, pooledLayers = 0 }: ModelOptions,
): Promise<WrittenModel> {
  const { parts, weights } = encoderGraph(source.experiment, precision, pooledLayers);
  const byName = new Map(source.encoder.map((tensor) => [tensor.name, tensor]));
  async function* stored(): AsyncGenerator<{ readonly tensor: Stored; readonly bytes: Uint8Array }> {
    for (const { parameter, stored: tensors } of weights) {
      const found = byName.get(parameter.officialName);
      if (found === undefined) throw new Error(`internal: no tensor ${parameter.officialName}`);
      const weight = fromOfficial(parameter, await found.read());
      for (const tensor of tensors) yield { tensor, bytes: tensor.bytes(weight) };
    }
  }
  const total = weights.flatMap((weight) => weight.stored).reduce((sum, tensor) => sum + sizeOf(tensor), 0);
  const weightsBeside = total > mostInside;
  const described: ModelWeight[] = [];
  if (weightsBeside) {
    const beside = `${path}_data`;
    let offset = 0;
    async function* contents(): AsyncGenerator<Uint8Array> {
      for await (const { tensor, bytes } of stored()) {
        described.push({ ...tensor, data: { file: basename(beside), offset, bytes: bytes.length } });
        offset += bytes.length;
        yield bytes;
      }
    }
    await writeAtomically(beside, contents(), total);
  } else {
    for await (const { tensor, bytes } of stored()) described.push({ ...tensor, data: bytes });
  }
  const { name, generatorVersion } = source.experiment;
  const metadata = { experiment: name, encoder: source.choice, ijepa_version: generatorVersion, precision };
  const model = modelBytes({ ...parts, weights: described, metadata });
  async function* whole(): AsyncGenerator<Uint8Array> {
    yield model;
  }
  await writeAtomically(path, whole(), model.length);
  return { weightsBeside };
}

export interface ModelOptions {
  readonly path: string;
  readonly precision: ExportPrecision;
  /** Bytes of weights up to which they go into the model itself. */
  readonly mostInside?: number;
  /** Pooled features of so many last blocks as further outputs; an export has none. */
  readonly pooledLayers?: number;
}
