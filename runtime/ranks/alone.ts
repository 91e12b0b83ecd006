/** One rank: nothing to reduce, nobody to wait for. */
import { hostname } from "node:os";
import type { Communicator } from "./communicator";

export function aloneCommunicator(): Communicator {
  return {
    rank: 0,
    size: 1,
    host: hostname(),
    allReduceMean: async () => {},
    allGatherBlocks: async () => {},
    allGather: async (bytes) => [bytes.slice()],
    broadcast: async (bytes) => bytes.slice(),
    barrier: async () => {},
    agree: async () => {},
    abort: async (_reason, exitCode) => process.exit(exitCode),
    close: async () => {},
  };
}
