/** Threads that prepare batches. They give their memory away and get it back: nothing is copied on the main thread. */
import { Worker } from "node:worker_threads";
import { imageWorkerFailed, UserError } from "../errors";
import { messageOf } from "../exceptions";
import type { BadImage } from "./bad-image";
import type { TrainingJob } from "./prepare";
import type { DataWorkerData, WorkerAnswer, WorkerJob } from "./worker-thread";

/** Fills batches, in this thread or another. */
export interface BatchMaker {
  /** Jobs that should be under way to keep it busy. */
  readonly depth: number;
  /** `memory`, where given, may be used for the batch; it is gone then. */
  make(job: TrainingJob, memory: Uint8Array | undefined): Promise<Uint8Array>;
  close(): Promise<void>;
}

export interface PoolOptions {
  /** The bundle, which calls `runWorker` when it finds itself in such a thread. */
  readonly workerFile: string;
  readonly workers: number;
  readonly workerData: DataWorkerData;
  readonly bad: (image: BadImage) => void;
}

interface Waiting {
  resolve(batch: Uint8Array): void;
  reject(error: Error): void;
}

interface Thread {
  readonly worker: Worker;
  /** Jobs under way, by number. */
  readonly waiting: Map<number, Waiting>;
  failure: Error | undefined;
}

export function createWorkerPool(options: PoolOptions): BatchMaker {
  let closing = false;
  let nextJob = 0;
  const threads = Array.from({ length: options.workers }, () => startThread());

  function startThread(): Thread {
    const worker = new Worker(options.workerFile, { workerData: options.workerData });
    const thread: Thread = { worker, waiting: new Map(), failure: undefined };
    worker.unref(); // an idle thread keeps no process alive
    worker.on("message", (answer: WorkerAnswer) => {
      if (answer.kind === "bad") return options.bad(answer.image);
      const waiting = thread.waiting.get(answer.job);
      thread.waiting.delete(answer.job);
      // Not in closing: the process could end before it has heard that the thread is gone.
      if (thread.waiting.size === 0 && !closing) worker.unref();
      if (answer.kind === "done") waiting?.resolve(new Uint8Array(answer.memory));
      else
        waiting?.reject(answer.code === null ? new Error(answer.message) : new UserError(answer.code, answer.message));
    });
    const fail = (why: string, cause?: unknown): void => {
      if (closing) return;
      thread.failure ??= imageWorkerFailed({ why, cause });
      for (const { reject } of thread.waiting.values()) reject(thread.failure);
      thread.waiting.clear();
    };
    worker.on("error", (error) => fail(messageOf(error), error));
    worker.on("exit", (code) => fail(`it stopped with code ${code}`));
    return thread;
  }

  return {
    // One under way and one waiting in each thread.
    depth: 2 * options.workers,
    make: ({ epoch, images }, memory) => {
      const thread = leastBusy(threads);
      if (thread.failure !== undefined) return Promise.reject(thread.failure);
      const job = nextJob++;
      const message: WorkerJob = { job, epoch, images, memory: memory?.buffer as ArrayBuffer | undefined };
      return new Promise<Uint8Array>((resolve, reject) => {
        thread.waiting.set(job, { resolve, reject });
        thread.worker.ref();
        thread.worker.postMessage(message, message.memory === undefined ? [] : [message.memory]);
      });
    },
    close: async () => {
      closing = true;
      // They are waited for, busy or not.
      for (const { worker } of threads) worker.ref();
      await Promise.all(threads.map(({ worker }) => worker.terminate()));
    },
  };
}

function leastBusy(threads: readonly Thread[]): Thread {
  const [first, ...others] = threads;
  if (first === undefined) throw new Error("internal: a pool without threads");
  return others.reduce((best, thread) => (thread.waiting.size < best.waiting.size ? thread : best), first);
}
