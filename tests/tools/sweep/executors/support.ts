/** What the tests of executors share: tasks that run anything, and a context that remembers what it was told. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ExecutorContext, PointTask, TaskEnd } from "../../../../tools/sweep/executors/executor";
import type { Tool, ToolResult } from "../../../../tools/sweep/executors/tool";
import { fakePoint, fakeSweep } from "../fake";

export const quick = { firstMs: 1, lastMs: 1 } as const;

export function pointTask(name: string, over: Partial<PointTask> = {}): PointTask {
  const runDirectory = over.runDirectory ?? `runs/s/${name}`;
  const command = ["node", `generated/s/${name}/train.js`, "--run-dir", runDirectory, "--resume=auto"];
  return { point: fakePoint(0, { name }), command, runDirectory, ...over };
}

export interface Told {
  readonly notes: string[];
  readonly statuses: string[];
  readonly ends: TaskEnd[];
}

export function recordingContext(runs: string, stop = new AbortController().signal): ExecutorContext & { told: Told } {
  const told: Told = { notes: [], statuses: [], ends: [] };
  return {
    sweep: fakeSweep(0, { name: "s" }),
    folders: { out: "generated", runs },
    note: (line) => told.notes.push(line),
    status: (name, status) => told.statuses.push(`${name}: ${status}`),
    ended: (end) => told.ends.push(end),
    stop,
    told,
  };
}

export const scratch = (): string => mkdtempSync(join(tmpdir(), "ijepa-executor-"));

/** Answers calls of programs; remembers them as one line each. */
export function fakeTool(answer: (program: string, args: readonly string[]) => Partial<ToolResult> | null): {
  readonly tool: Tool;
  readonly calls: string[];
} {
  const calls: string[] = [];
  const tool: Tool = async (program, args) => {
    calls.push([program, ...args].join(" "));
    const result = answer(program, args);
    return result === null ? null : { exitCode: 0, stdout: "", stderr: "", ...result };
  };
  return { tool, calls };
}
