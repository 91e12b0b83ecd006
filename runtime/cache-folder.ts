/** Where what can be made anew is kept: a folder of ours in the user's folder for caches. */
import { homedir } from "node:os";
import { join } from "node:path";

export function cacheFolder(name: string, env: Readonly<Record<string, string | undefined>>): string {
  return join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "ijepa", name);
}
