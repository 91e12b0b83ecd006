/** Runs the command-line programs of schedulers. Arguments go to them as they are; no shell reads them. */
import { execFile } from "node:child_process";

export interface ToolResult {
  /** Null where a signal ended it. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Null where there is no such program. */
export type Tool = (program: string, args: readonly string[]) => Promise<ToolResult | null>;

/** A large sweep has thousands of lines of states. */
const mostBytes = 256 * 2 ** 20;

export const runTool: Tool = (program, args) =>
  new Promise((resolve, reject) => {
    execFile(program, [...args], { maxBuffer: mostBytes, encoding: "utf8" }, (error, stdout, stderr) => {
      if (error === null) resolve({ exitCode: 0, stdout, stderr });
      else if (error.code === "ENOENT") resolve(null);
      else if (typeof error.code === "string") reject(error);
      else resolve({ exitCode: error.code ?? null, stdout, stderr });
    });
  });
