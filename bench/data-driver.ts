/** Prepares the images of a folder as a trainer does and prints MeasuredImages: started by bench/data.ts, bundled. */
import { isMainThread, workerData } from "node:worker_threads";
import { openTrainingData } from "../runtime/data/training";
import { isDataWorker, runWorker } from "../runtime/data/worker-thread";
import type { Experiment } from "../runtime/experiment";

export interface DataDriverRequest {
  readonly experiment: Experiment;
  readonly root: string;
  readonly workers: number;
  /** Steps of its batch: those that warm up, and those that are timed. */
  readonly warmup: number;
  readonly steps: number;
}

async function main(): Promise<void> {
  // bench/data.ts wrote it, from this type.
  const { experiment, root, workers, warmup, steps } = JSON.parse(process.argv[2] ?? "null") as DataDriverRequest;
  const data = await openTrainingData({ experiment, root, workers, workerFile: __filename });
  let beganMs = 0;
  let before = process.cpuUsage();
  for await (const batch of data.batches({ fromStep: 0, toStep: warmup + steps })) {
    batch.release();
    if (batch.step + 1 !== warmup) continue;
    beganMs = performance.now();
    before = process.cpuUsage();
  }
  const seconds = (performance.now() - beganMs) / 1000;
  const { user, system } = process.cpuUsage(before);
  const images = steps * experiment.optimizer.globalBatch;
  console.log(JSON.stringify({ images, seconds, cpuSeconds: (user + system) / 1e6 }));
  await data.close();
}

if (isMainThread) void main();
else if (isDataWorker(workerData)) runWorker(workerData);
