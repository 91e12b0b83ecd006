/** Writes a PyTorch checkpoint: an archive of a pickle and one uncompressed file for each tensor, read when it is its turn. */
import { Readable } from "node:stream";
import { ZipFile } from "yazl";
import { writeAtomically } from "../../../runtime/checkpoint/atomic";
import { elementsOf } from "../../../runtime/checkpoint/header";
import type { SourceTensor } from "../source";
import { type Pickled, type PickledTensor, pickle } from "./pickle";

/** Every file has this local time, which is all that such an archive knows: the same weights give the same bytes. */
const mtime = new Date(1985, 9, 26, 8, 15);
const stored = { compress: false, mtime, forceDosTimestamp: true } as const;

/** Collects the tensors of a checkpoint while its dicts are put together. */
export class TorchTensors {
  readonly all: SourceTensor[] = [];

  add(tensor: SourceTensor): PickledTensor {
    const key = String(this.all.length);
    this.all.push(tensor);
    return { kind: "tensor", key, shape: tensor.shape };
  }
}

/** `root` names the folder inside of the archive, as torch.save takes it from the name of the file. */
export async function writeTorchFile(what: {
  readonly path: string;
  readonly root: string;
  readonly value: Pickled;
  readonly tensors: TorchTensors;
}): Promise<void> {
  const { path, root, value, tensors } = what;
  const zip = new ZipFile();
  zip.on("error", (error) => (zip.outputStream as Readable).destroy(error));
  zip.addBuffer(Buffer.from(pickle(value)), `${root}/data.pkl`, stored);
  zip.addBuffer(Buffer.from("little"), `${root}/byteorder`, stored);
  for (const [key, { read }] of tensors.all.entries()) {
    zip.addReadStreamLazy(`${root}/data/${key}`, stored, (give) => {
      read().then(
        ({ buffer, byteOffset, byteLength }) =>
          give(null, Readable.from([Buffer.from(buffer, byteOffset, byteLength)], { objectMode: false })),
        (error: unknown) => give(error, Readable.from([])),
      );
    });
  }
  zip.addBuffer(Buffer.from("3\n"), `${root}/version`, stored);
  zip.end();
  const bytes = tensors.all.reduce((sum, { shape }) => sum + 4 * elementsOf(shape), 0);
  await writeAtomically(path, zip.outputStream as Readable, bytes);
}
