/** Reads the checkpoints of a run in whole and says which are what was written. */
import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { parseMetadata } from "../../runtime/checkpoint/metadata";
import { openSafetensors } from "../../runtime/checkpoint/safetensors";
import { checkpointNotFound, UserError } from "../../runtime/errors";

export interface VerifiedFile {
  readonly path: string;
  readonly bytes: number;
  readonly tensors: number;
  /** Null where the file is damaged, or none of a trainer. */
  readonly step: number | null;
  /** Files of earlier versions, and of other programs, have no checksums: only their form can be judged. */
  readonly hasChecksums: boolean;
  /** Null: it is whole. */
  readonly problem: { readonly code: string; readonly message: string } | null;
}

/** The file, or every safetensors file of the folder, by name. Throws UserError R113 where there is none. */
export async function verify(path: string): Promise<readonly VerifiedFile[]> {
  const found = await stat(path).catch(() => null);
  if (found === null) throw checkpointNotFound({ path });
  if (!found.isDirectory()) return [await verifyFile(path)];
  const names = (await readdir(path)).filter((name) => name.endsWith(".safetensors") && !name.startsWith("."));
  if (names.length === 0) throw checkpointNotFound({ path: join(path, "*.safetensors") });
  const files: VerifiedFile[] = [];
  for (const name of names.sort()) files.push(await verifyFile(join(path, name)));
  return files;
}

async function verifyFile(path: string): Promise<VerifiedFile> {
  let known = { path, bytes: 0, tensors: 0, step: null as number | null, hasChecksums: false };
  try {
    known = { ...known, bytes: (await stat(path)).size };
    const file = await openSafetensors(path);
    try {
      const names = [...file.header.tensors.keys()];
      known = { ...known, tensors: names.length, hasChecksums: file.hasChecksums };
      for (const name of names) await file.read(name);
      const { progress } = parseMetadata(path, file.header.metadata);
      return { ...known, step: progress.step, problem: null };
    } finally {
      await file.close();
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { ...known, problem: { code: error.code, message: error.message } };
  }
}

/** A line for each file. */
export function verifiedText(files: readonly VerifiedFile[]): string {
  const width = Math.max(...files.map(({ path }) => basename(path).length));
  return files
    .map(({ path, bytes, tensors, step, hasChecksums, problem }) => {
      const name = basename(path).padEnd(width);
      if (problem !== null) return `${name}  ${problem.code}: ${problem.message}`;
      const how = hasChecksums ? "whole" : "no checksums; its form is right";
      return `${name}  step ${step}, ${tensors} tensors, ${(bytes / 1e6).toFixed(1)} MB: ${how}`;
    })
    .join("\n");
}
