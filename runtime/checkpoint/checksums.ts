/**
 * What a file of weights says of its own bytes. Two strings of its metadata: `sha256` is a JSON object from the name of each
 * tensor to the SHA-256 of its data, `header_sha256` that of the header with its own digits as zeros. A file without them,
 * as other programs write it, is taken as it is.
 */
import { createHash } from "node:crypto";
import { HeaderError } from "./header";

export const checksumKeys = { tensors: "sha256", header: "header_sha256" } as const;

/** In place of digits that are not known yet; as long as they are. */
const unknown = "0".repeat(64);

/** The strings of a file that is about to be written. */
export function emptyChecksums(names: readonly string[]): Readonly<Record<string, string>> {
  return filled(new Map(names.map((name) => [name, unknown])));
}

/** The same strings, in the same length, when the data of every tensor is known. */
export function filled(sums: ReadonlyMap<string, string>): Readonly<Record<string, string>> {
  return { [checksumKeys.header]: unknown, [checksumKeys.tensors]: JSON.stringify(Object.fromEntries(sums)) };
}

export function sha256(values: ArrayBufferView): string {
  return createHash("sha256")
    .update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    .digest("hex");
}

/** Writes the header's own sum into its bytes, which hold zeros in its place. */
export function sealHeader(bytes: Uint8Array): Uint8Array {
  const at = placeOf(bytes, unknown);
  if (at < 0) throw new Error("internal: a header without a place for its sum");
  const sealed = bytes.slice();
  sealed.set(new TextEncoder().encode(sha256(bytes)), at);
  return sealed;
}

/** Throws HeaderError where the header is not what was written. `bytes` with the 8 of its length. */
export function checkHeader(bytes: Uint8Array, metadata: ReadonlyMap<string, string>): void {
  const wanted = metadata.get(checksumKeys.header);
  if (wanted === undefined && !metadata.has(checksumKeys.tensors)) return;
  if (wanted === undefined) throw new HeaderError(`its metadata has checksums but no ${checksumKeys.header}`);
  const at = placeOf(bytes, wanted);
  const zeroed = bytes.slice();
  if (at >= 0) zeroed.set(new TextEncoder().encode(unknown), at);
  if (sha256(zeroed) !== wanted) throw new HeaderError("its header is not what was written, by its checksum");
}

/** The sum of each tensor that has one; throws HeaderError where the text is none of ours. */
export function tensorChecksums(metadata: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const text = metadata.get(checksumKeys.tensors);
  if (text === undefined) return new Map();
  try {
    const sums: unknown = JSON.parse(text);
    if (typeof sums === "object" && sums !== null) {
      return new Map(Object.entries(sums).map(([name, sum]): [string, string] => [name, String(sum)]));
    }
  } catch {
    // The same as any other text that is no object.
  }
  throw new HeaderError(`its metadata has ${checksumKeys.tensors}, which are no checksums`);
}

/** What is left is what the file says of its content. */
export function withoutChecksums(metadata: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const keys: readonly string[] = Object.values(checksumKeys);
  return new Map([...metadata].filter(([key]) => !keys.includes(key)));
}

/** Where the digits of the header's sum stand; JSON puts nothing between a key and its value here. */
function placeOf(bytes: Uint8Array, digits: string): number {
  const key = `"${checksumKeys.header}":"`;
  const at = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).indexOf(key + digits);
  return at < 0 ? -1 : at + key.length;
}
