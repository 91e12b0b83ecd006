/** What the entry of a trainer's bundle does with its data threads; bundled by training.test.ts. */
import { isMainThread, workerData } from "node:worker_threads";
import { isDataWorker, runWorker } from "../../../runtime/data/worker-thread";

if (!isMainThread && isDataWorker(workerData)) runWorker(workerData);
