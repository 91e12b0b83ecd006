/** A communicator whose collective calls are watched. */
import { UserError } from "../../errors";
import type { Communicator } from "../communicator";
import type { Watch } from "./watch";

/** Errors of an exchange that another rank has not seen through. */
export const exchangeFailed: ReadonlySet<string> = new Set(["R198", "R214"]);

export function watched(communicator: Communicator, watch: Watch): Communicator {
  const within = async <T>(call: () => Promise<T>): Promise<T> => {
    watch.entered();
    try {
      return await call();
    } catch (error) {
      // MPI tells that an exchange failed, and not which rank is gone; if one is, the watch finds it now and ends the run. So
      // does a connection that is closed: whoever failed has said why.
      if (error instanceof UserError && exchangeFailed.has(error.code)) await watch.lookAgain();
      throw error;
    } finally {
      watch.left();
    }
  };
  return {
    rank: communicator.rank,
    size: communicator.size,
    host: communicator.host,
    allReduceMean: (buckets) => within(() => communicator.allReduceMean(buckets)),
    allGatherBlocks: (values) => within(() => communicator.allGatherBlocks(values)),
    allGather: (bytes) => within(() => communicator.allGather(bytes)),
    broadcast: (bytes) => within(() => communicator.broadcast(bytes)),
    barrier: () => within(() => communicator.barrier()),
    agree: (what, value) => within(() => communicator.agree(what, value)),
    abort: async (reason, exitCode) => {
      // MPI_Abort may end the others at once, so they get the time to read and print why.
      await watch.failed(reason, exitCode);
      return communicator.abort(reason, exitCode);
    },
    close: async () => {
      await within(() => communicator.close());
      watch.end();
    },
  };
}
