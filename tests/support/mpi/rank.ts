/**
 * What a rank of the tests of MPI does: `mpirun … node rank.cjs MODE FOLDER [RANK]`. Bundled by mpi.ts. FOLDER gets the
 * signs of life (`ranks/`), a file `result-<rank>.json` or `fault-<rank>`.
 */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { launchOf } from "../../../runtime/ranks/launch";
import { openMpiCommunicator } from "../../../runtime/ranks/mpi/mpi";
import { streamsOfRank } from "../../../runtime/ranks/streams";
import { startWatch } from "../../../runtime/ranks/watch/watch";
import { watched } from "../../../runtime/ranks/watch/watched";
import { errorText } from "../../../runtime/trainer";
import { collectivesResult } from "./collectives";

const [mode = "", folder = ".", chosen = "-1"] = process.argv.slice(2);

async function main(): Promise<void> {
  const launch = launchOf(process.env);
  const { stdout, stderr } = streamsOfRank(launch.rank, process);
  const isChosen = launch.rank === Number(chosen);
  const watch = startWatch({
    folder: join(folder, "ranks"),
    rank: launch.rank,
    size: launch.size,
    onFault: (error) => {
      writeFileSync(join(folder, `fault-${launch.rank}`), errorText(error));
      stderr.write(`${errorText(error)}\n`);
    },
    limits: { beatMs: 500, silentMs: 6_000 },
  });
  const ranks = watched(await openMpiCommunicator(launch, process.env), watch);
  const save = (result: unknown): void =>
    writeFileSync(join(folder, `result-${launch.rank}.json`), JSON.stringify(result));
  stdout.write("joined\n");
  if (mode === "collectives") save(await collectivesResult(ranks));
  if (mode === "free") {
    // The others come only when a timer of rank 0 has run while rank 0 waits for them. Where none ever does, nobody would
    // end this run, so they give up after a minute.
    const sign = join(folder, "timer-0");
    if (launch.rank === 0) setTimeout(() => writeFileSync(sign, ""), 1);
    else
      for (let polls = 0; !existsSync(sign); polls++) await (polls < 6_000 ? wait(10) : ranks.abort("no timer ran", 1));
    await ranks.allReduceMean([new Float32Array(1000).fill(launch.rank)]);
    save("met");
  }
  if (mode === "disagree") {
    await ranks.agree("number of steps", "100");
    await ranks
      .agree("experiment", isChosen ? "beefbeef" : "cafecafe")
      .catch((error) => save({ error: error.message }));
  }
  if (mode === "loop") {
    let stop = false;
    process.on("SIGTERM", () => {
      stop = true;
    });
    process.on("SIGINT", () => {
      stop = true;
    });
    const gradients = new Float32Array(200_000).fill(1);
    const flag = new Float32Array(1);
    let step = 0;
    for (; ; step++) {
      watch.doing(`step ${step}`, 4_000);
      if (isChosen && step === 20) await misbehave(ranks);
      flag[0] = stop ? 1 : 0;
      await ranks.allReduceMean([gradients, flag]);
      if ((flag[0] ?? 0) > 0) break;
    }
    save({ step });
    process.exitCode = 130;
  }
  await ranks.close();
}

async function misbehave(ranks: { abort(reason: string, exitCode: number): Promise<never> }): Promise<void> {
  const how = process.env.MISBEHAVE;
  if (how === "hang") await new Promise(() => setInterval(() => {}, 1000));
  if (how === "stand still") process.kill(process.pid, "SIGSTOP");
  if (how === "fail") await ranks.abort("R133: images/train holds 12 images.", 1);
  if (how === "crash") process.exit(3);
  if (how === "die") process.kill(process.pid, "SIGKILL");
}

main().catch((error: unknown) => {
  process.stderr.write(`${errorText(error)}\n`);
  process.exitCode = 1;
});
