/** The patches that no target has: what is context in every strategy but multi-block masking. */

/** Fills `out` with the patches below `out.length + taken.length` that are not in `taken`, ascending. */
export function writeComplement(out: Int32Array, taken: Int32Array): void {
  const isTaken = new Uint8Array(out.length + taken.length);
  for (const patch of taken) isTaken[patch] = 1;
  let at = 0;
  for (let patch = 0; patch < isTaken.length; patch++) if (isTaken[patch] === 0) out[at++] = patch;
}
