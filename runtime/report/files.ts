/** The small text files of a run, whole or not there. */
import { Buffer } from "node:buffer";
import { writeAtomically } from "../checkpoint/atomic";

export async function writeTextFile(path: string, text: string): Promise<void> {
  const bytes = Buffer.from(text);
  async function* once(): AsyncGenerator<Buffer> {
    yield bytes;
  }
  await writeAtomically(path, once(), bytes.length);
}
