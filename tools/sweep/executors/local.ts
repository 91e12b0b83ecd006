/** Points of a sweep as processes of this machine, so many at a time, and no more than it has devices for. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { modulePath } from "../../../compiler/bundle/module-path";
import { sweepFiles } from "../folders";
import type { Executor, ExecutorContext, PointTask, TaskEnd } from "./executor";
import { needsOf } from "./needs";
import { cardsHere, type Machine, roomOf } from "./room";
import { shellWords } from "./shell";

export interface LocalExecutorSettings {
  /** Points at a time. */
  readonly jobs: number;
  /** Left out: this one. */
  readonly machine?: Machine;
}

/** A trainer that does not end at once by a second signal (a hung disk) is killed after this. */
const patienceMs = 3000;

export function localExecutor({ jobs, machine }: LocalExecutorSettings): Executor {
  const running = new Set<ChildProcess>();
  return {
    name: "local",
    run: async (tasks, context) => {
      const room = roomOf(machine ?? (await thisMachine(tasks)));
      const waiting = [...tasks];
      const ends: TaskEnd[] = [];
      const ask = (): void => {
        for (const child of running) child.kill(stopSignal(context));
      };
      context.stop.addEventListener("abort", ask);
      const lane = async (): Promise<void> => {
        for (let task = waiting.shift(); task !== undefined; task = waiting.shift()) {
          const held = await room.hold(needsOf(task.point.spec), context.stop);
          if (held === null) return;
          const end = await runTask({ task, context, running, variables: held.variables }).finally(held.release);
          ends.push(end);
          context.ended(end);
        }
      };
      // A fault of ours in one lane must leave no trainer behind that nobody looks after.
      const fault = (cause: unknown): never => {
        waiting.length = 0;
        ask();
        throw cause;
      };
      const lanes = Array.from({ length: Math.min(jobs, tasks.length) }, () => lane().catch(fault));
      const settled = await Promise.allSettled(lanes);
      context.stop.removeEventListener("abort", ask);
      for (const result of settled) if (result.status === "rejected") throw result.reason;
      return ends;
    },
    kill: () => {
      for (const child of running) {
        // To a trainer a second signal means: at once, without a checkpoint.
        child.kill("SIGTERM");
        setTimeout(() => child.kill("SIGKILL"), patienceMs).unref();
      }
    },
  };
}

const stopSignal = ({ stop }: ExecutorContext): "SIGINT" | "SIGTERM" =>
  stop.reason === "SIGTERM" ? "SIGTERM" : "SIGINT";

async function thisMachine(tasks: readonly PointTask[]): Promise<Machine> {
  const needsCards = tasks.some(({ point }) => needsOf(point.spec).cards !== null);
  return { cores: availableParallelism(), cards: needsCards ? await cardsHere() : null };
}

async function runTask(what: {
  readonly task: PointTask;
  readonly context: ExecutorContext;
  readonly running: Set<ChildProcess>;
  readonly variables: Readonly<Record<string, string>>;
}): Promise<TaskEnd> {
  const { task, context, running } = what;
  const { name } = task.point;
  const [program = "node", ...args] = task.command;
  mkdirSync(task.runDirectory, { recursive: true });
  const output = openSync(join(task.runDirectory, sweepFiles.output), "a");
  writeSync(output, `$ ${shellWords(task.command)}\n`);
  context.status(name, "starting");
  return new Promise((resolve) => {
    const child = spawn(program === "node" ? process.execPath : program, args, {
      stdio: ["ignore", output, output],
      env: { ...process.env, NODE_PATH: modulePath(), ...what.variables },
      // Its own process group: a Ctrl-C of the terminal reaches the sweep alone, which passes it on exactly once.
      detached: true,
    });
    running.add(child);
    let isOver = false;
    const over = (end: Omit<TaskEnd, "name">): void => {
      if (isOver) return;
      isOver = true;
      running.delete(child);
      closeSync(output);
      resolve({ name, ...end });
    };
    child.on("spawn", () => context.status(name, `process ${child.pid}`));
    child.on("error", (error) => over({ exitCode: null, why: `could not start: ${error.message}` }));
    child.on("exit", (code, signal) => over({ exitCode: code, why: signal === null ? null : `killed by ${signal}` }));
  });
}
