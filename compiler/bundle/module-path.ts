/** Where a bundle finds the native packages that stay outside of it, when the folder it is started in has none. */
import { delimiter, dirname, join } from "node:path";
import { packageRoot } from "../emit/package-root";

/** NODE_PATH of a trainer: what was given, then beside this package, then the folder that it is installed in. */
export function modulePath(environment: NodeJS.ProcessEnv = process.env): string {
  const known = environment.NODE_PATH;
  const own = [join(packageRoot(), "node_modules"), dirname(packageRoot())];
  return [...(known === undefined || known === "" ? [] : [known]), ...own].join(delimiter);
}
