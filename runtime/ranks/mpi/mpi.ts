/** The communicator over MPI, for ranks that mpirun or srun started. */
import { hostname } from "node:os";
import { launcherWithoutMpi, mpiFailed, mpiSizeDiffers } from "../../errors";
import { exitAtOnce } from "../../exit";
import { agreeOn } from "../agree";
import type { Communicator } from "../communicator";
import type { Launch } from "../launch";
import type { Variables } from "../launchers/variables";
import { callsOf, type MpiCalls } from "./calls";
import { collectivesOf } from "./collectives";
import { findMpi } from "./library";

/** Calls come from threads of a pool, one at a time. */
const THREAD_SERIALIZED = 2;
const THREAD_MULTIPLE = 3;

/** How long MPI_Abort may take before this process ends without it. */
const abortMs = 5_000;

/**
 * Joins the ranks that the launcher started; returns when all are there. Throws R194 to R198 where the launcher, the MPI
 * library and what they say of the ranks do not fit together.
 */
export async function openMpiCommunicator(launch: Launch, variables: Variables): Promise<Communicator> {
  const launcher = launch.launcher ?? "nothing";
  if (launch.wireUp === null) throw launcherWithoutMpi({ launcher, size: launch.size });
  const found = findMpi(launch.wireUp === "pmix" ? "Open MPI" : "MPICH", variables);
  const calls = callsOf(found);
  const { world, errorsReturn } = calls.abi;
  const provided = new Int32Array(1);
  await calls.inTurn("Init_thread", null, null, THREAD_MULTIPLE, provided);
  calls.now("Comm_set_errhandler", world, errorsReturn);
  const threads = provided[0] ?? 0;
  if (threads < THREAD_SERIALIZED) {
    throw mpiFailed({ call: "MPI_Init_thread", why: "this library was built for programs of a single thread" });
  }
  const told = { rank: launch.rank, size: launch.size };
  const place = { rank: numberOf(calls, "Comm_rank"), size: numberOf(calls, "Comm_size") };
  if (place.rank !== told.rank || place.size !== told.size) {
    // Otherwise its launcher would wait for it, and call its end a crash.
    await calls.inTurn("Finalize");
    throw mpiSizeDiffers({ launcher, told, found: place, version: found.version.split("\n")[0] ?? "" });
  }
  const host = launch.host ?? hostname();
  const collectives = collectivesOf(calls, place);
  return {
    ...place,
    host,
    ...collectives,
    agree: (what, value) => agreeOn({ host, allGather: collectives.allGather }, { what, value }),
    abort: async (_reason, exitCode) => {
      // Without a library for many threads, or if MPI itself hangs, the launcher sees this process end, and ends the others.
      const ended =
        threads === THREAD_MULTIPLE ? calls.beside("Abort", world, exitCode).catch(() => {}) : Promise.resolve();
      await Promise.race([ended, new Promise((done) => setTimeout(done, abortMs))]);
      return exitAtOnce(exitCode);
    },
    close: () => calls.inTurn("Finalize"),
  };
}

function numberOf(calls: MpiCalls, name: "Comm_rank" | "Comm_size"): number {
  const out = new Int32Array(1);
  calls.now(name, calls.abi.world, out);
  return out[0] ?? 0;
}
