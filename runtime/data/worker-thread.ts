/** What runs in a data thread. The entry of the bundle calls `runWorker` when it was started as one. */
import { type MessagePort, parentPort } from "node:worker_threads";
import { UserError } from "../errors";
import { messageOf } from "../exceptions";
import type { BadImage } from "./bad-image";
import { useOneThread } from "./decode";
import { bytesOfImage } from "./pixels";
import { type AugmentOptions, createPrepare } from "./prepare";
import { openSource, type SourcePlan } from "./source";

/** `workerData` of a data thread. */
export interface DataWorkerData {
  readonly role: "data";
  readonly source: SourcePlan;
  readonly augment: AugmentOptions;
}

export interface WorkerJob {
  readonly job: number;
  readonly epoch: number;
  readonly images: Int32Array;
  /** Of the size of a batch; new memory is taken where it is undefined. */
  readonly memory: ArrayBuffer | undefined;
}

export type WorkerAnswer =
  | { readonly kind: "done"; readonly job: number; readonly memory: ArrayBuffer }
  | { readonly kind: "bad"; readonly image: BadImage }
  | { readonly kind: "failed"; readonly job: number; readonly code: string | null; readonly message: string };

/** True where this thread was started to prepare images: call `runWorker` then, and nothing else. */
export function isDataWorker(workerData: unknown): workerData is DataWorkerData {
  return typeof workerData === "object" && workerData !== null && "role" in workerData && workerData.role === "data";
}

/** Serves jobs, one after the other, until the thread is ended. */
export function runWorker(workerData: DataWorkerData): void {
  const port = parentPort;
  if (port === null) throw new Error("internal: runWorker outside of a worker thread");
  const answer = (what: WorkerAnswer, give: ArrayBuffer[] = []): void => port.postMessage(what, give);
  const { source: plan, augment } = workerData;
  const source = openSource(plan, (image) => answer({ kind: "bad", image }));
  const prepare = createPrepare(source, augment);
  const ready = plan.kind === "files" ? useOneThread() : Promise.resolve();

  const serve = async ({ job, epoch, images, memory }: WorkerJob): Promise<void> => {
    const batch = new Uint8Array(memory ?? new ArrayBuffer(images.length * bytesOfImage(augment.image)));
    try {
      await prepare({ epoch, images }, batch);
      answer({ kind: "done", job, memory: batch.buffer }, [batch.buffer]);
    } catch (error) {
      const code = error instanceof UserError ? error.code : null;
      answer({ kind: "failed", job, code, message: messageOf(error) });
    }
  };
  serveInTurn(port, ready, serve);
}

function serveInTurn(port: MessagePort, ready: Promise<void>, serve: (job: WorkerJob) => Promise<void>): void {
  let last = ready;
  port.on("message", (job: WorkerJob) => {
    last = last.then(() => serve(job));
  });
}
