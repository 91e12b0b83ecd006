/** Folders, made with those above them. */
import { existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";

/**
 * As mkdir with `recursive`, which never returns where the file system says ENOENT of a folder whose parent is there
 * (/proc, automounters): Node makes the parent again for ever.
 */
export function makeFolder(path: string): void {
  if (existsSync(path)) {
    // A file of that name is for mkdir to refuse.
    mkdirSync(path, { recursive: true });
    return;
  }
  const above = dirname(path);
  if (above !== path) makeFolder(above);
  try {
    mkdirSync(path);
  } catch (error) {
    // Another process may have been faster.
    if (!existsSync(path)) throw error;
  }
}
