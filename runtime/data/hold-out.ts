/** Which images of a folder are kept aside for evaluation: by a hash of their names, so that new files move none of the others. */

/** `name` is the path below the folder, with `/`; `share` of all names are held out. The same on every machine. */
export function isHeldOut(name: string, share: number): boolean {
  if (share <= 0) return false;
  return hash32(name) / 2 ** 32 < share;
}

/** FNV-1a over UTF-8, then the last mixing of MurmurHash3: names that differ in their last digit are spread evenly. */
function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
