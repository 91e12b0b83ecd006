/** Where a bundle finds the native packages that stay outside of it, when the folder it is started in has none. */
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";
import { packageRoot } from "../emit/package-root";

/** NODE_PATH of a trainer: what was given, then wherever this package finds its own. */
export function modulePath(environment: NodeJS.ProcessEnv = process.env): string {
  const given = (environment.NODE_PATH ?? "").split(delimiter).filter((path) => path !== "");
  const own = createRequire(join(packageRoot(), "package.json")).resolve.paths("onnxruntime-node") ?? [];
  return [...new Set([...given, ...own])].join(delimiter);
}
