/**
 * Times the step of the experiment that it is bundled with (bench/scaling.ts) on one of its ranks; rank 0 prints one line of
 * JSON. A barrier before every reduction parts the wait for the slowest rank from the exchange itself.
 *
 *   --threads N --steps N --warmup N
 *   --beside         the exchange of a step runs beside the whole of the next one: the most that overlap could ever bring
 */
import { parseArgs } from "node:util";
import { measureStep, median } from "../runtime/doctor/measure";
import { createEngine } from "../runtime/engines/onnx/engine";
import type { TrainerProgram } from "../runtime/experiment";
import { aloneCommunicator } from "../runtime/ranks/alone";
import type { Communicator } from "../runtime/ranks/communicator";
import { launchOf } from "../runtime/ranks/launch";
import { openMpiCommunicator } from "../runtime/ranks/mpi/mpi";
import { gatherNumbers } from "../runtime/ranks/numbers";
import type { MeasuredRanks } from "./scaling-record";

export { generated } from "../runtime/model/generated";

export function train(program: TrainerProgram): void {
  measure(program).catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
}

interface Exchange {
  readonly waitSeconds: number;
  readonly seconds: number;
}

/** The communicator, and how long each of its reductions took. */
function timed(ranks: Communicator): { readonly reducer: Communicator; readonly exchanges: Exchange[] } {
  const exchanges: Exchange[] = [];
  const within = async (exchange: () => Promise<void>): Promise<void> => {
    const begunMs = performance.now();
    await ranks.barrier();
    const metMs = performance.now();
    await exchange();
    exchanges.push({ waitSeconds: (metMs - begunMs) / 1000, seconds: (performance.now() - metMs) / 1000 });
  };
  const reducer: Communicator = {
    ...ranks,
    allReduceMean: (buckets) => within(() => ranks.allReduceMean(buckets)),
    allGatherBlocks: (values) => within(() => ranks.allGatherBlocks(values)),
  };
  return { reducer, exchanges };
}

/**
 * The exchange of a step is waited for in the next one. It exchanges as many numbers, which nobody reads: only its time is that
 * of a training.
 */
function beside(ranks: Communicator): Communicator {
  let before: Promise<void> = Promise.resolve();
  let travelling: readonly Float32Array[] = [];
  return {
    ...ranks,
    allReduceMean: async (buckets) => {
      await before;
      if (travelling.length === 0) travelling = buckets.map((bucket) => bucket.slice());
      before = ranks.allReduceMean(travelling);
      before.catch(() => {});
    },
  };
}

async function measure(program: TrainerProgram): Promise<void> {
  const { values: flags } = parseArgs({
    options: {
      threads: { type: "string", default: "1" },
      steps: { type: "string", default: "5" },
      warmup: { type: "string", default: "2" },
      beside: { type: "boolean", default: false },
    },
  });
  const launch = launchOf(process.env);
  const ranks = launch.size === 1 ? aloneCommunicator() : await openMpiCommunicator(launch, process.env);
  const { reducer, exchanges } = flags.beside ? { reducer: beside(ranks), exchanges: [] } : timed(ranks);
  const engine = await createEngine({ threads: Number(flags.threads), reducer });
  const { seconds, losses } = await measureStep(program, engine, {
    warmup: Number(flags.warmup),
    steps: Number(flags.steps),
  });
  // The last ones, as untimed steps come first.
  const ofTimedSteps = exchanges.slice(exchanges.length - (exchanges.length / losses.length) * seconds.length);
  const total = (of: readonly number[]): number => of.reduce((a, b) => a + b, 0);
  const mine = [
    total(seconds),
    total(ofTimedSteps.map((of) => of.waitSeconds)),
    total(ofTimedSteps.map((of) => of.seconds)),
  ];
  const all = await gatherNumbers(ranks, mine);
  const ofAll = (column: number): number => total(all.map((row) => row[column] ?? Number.NaN));
  const report: MeasuredRanks = {
    secondsMedian: median(seconds),
    secondsMin: Math.min(...seconds),
    secondsMax: Math.max(...seconds),
    waitShare: ofAll(1) / ofAll(0),
    reductionShare: ofAll(2) / ofAll(0),
  };
  if (ranks.rank === 0) console.log(JSON.stringify(report));
  await engine.release();
  await ranks.close();
}
