/** Where what can be made anew is kept: a folder of ours in the user's folder for caches. */
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";

/** The user's folder. Where the system knows none (HOME is not set, and the user is in no list, as in containers), that for temporary files. */
export function homeFolder(): string {
  try {
    return homedir();
  } catch {
    return tmpdir();
  }
}

export function cacheFolder(name: string, env: Readonly<Record<string, string | undefined>>): string {
  return join(env.XDG_CACHE_HOME || join(homeFolder(), ".cache"), "ijepa", name);
}
