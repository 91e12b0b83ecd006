/** Several ranks in one process, for tests of what runs on each of them: they meet in memory. */
import { agreeOn } from "../../runtime/ranks/agree";
import { blockOf, type Communicator } from "../../runtime/ranks/communicator";
import { meanOfRows } from "../../runtime/ranks/mean";

interface Meeting {
  readonly what: string;
  readonly given: Map<number, unknown>;
  readonly done: Promise<void>;
  readonly open: () => void;
  readonly fail: (reason: Error) => void;
}

/**
 * Runs `program` once for each rank, side by side; gives what each returned. As with MPI, collective calls meet in their
 * order; here a rank that calls another one than the others do, or returns while they wait, is an error.
 */
export async function onRanks<T>(size: number, program: (ranks: Communicator) => Promise<T>): Promise<readonly T[]> {
  const meetings: Meeting[] = [];
  let aborted: Error | null = null;
  const abortAll = (reason: Error): void => {
    aborted ??= reason;
    for (const meeting of meetings) meeting.fail(aborted);
  };
  const meetingAt = (index: number, what: string): Meeting => {
    const known = meetings[index];
    if (known !== undefined) return known;
    let open = (): void => {};
    let fail = (_: Error): void => {};
    const done = new Promise<void>((resolve, reject) => {
      open = resolve;
      fail = reject;
    });
    done.catch(() => {});
    const made: Meeting = { what, given: new Map(), done, open, fail };
    meetings[index] = made;
    return made;
  };
  const communicator = (rank: number): Communicator => {
    let calls = 0;
    /** What every rank gave, by rank. */
    const meet = async <V>(what: string, value: V): Promise<readonly V[]> => {
      if (aborted !== null) throw aborted;
      const meeting = meetingAt(calls, what);
      calls++;
      if (meeting.what !== what) {
        abortAll(new Error(`rank ${rank} calls ${what} where another one calls ${meeting.what}`));
        throw new Error(`rank ${rank} calls ${what} where another one calls ${meeting.what}`);
      }
      meeting.given.set(rank, value);
      if (meeting.given.size === size) meeting.open();
      await meeting.done;
      // Values of one meeting are of one type, since all ranks called the same function.
      return Array.from({ length: size }, (_, of) => meeting.given.get(of) as V);
    };
    const meanOf = async (what: string, values: Float32Array): Promise<Float32Array> => {
      const given = await meet(`${what} of ${values.length}`, values.slice());
      const rows = new Float32Array(size * values.length);
      for (const [of, row] of given.entries()) rows.set(row, of * values.length);
      const mean = new Float32Array(values.length);
      meanOfRows(rows, mean, size);
      return mean;
    };
    const allGather: Communicator["allGather"] = async (bytes) =>
      (await meet("allGather", bytes.slice())).map((each) => each.slice());
    const host = `host${rank}`;
    return {
      rank,
      size,
      host,
      allGather,
      allReduceMean: async (buckets) => {
        for (const bucket of buckets) bucket.set(await meanOf("allReduceMean", bucket));
      },
      allGatherBlocks: async (values) => {
        const given = await meet(`allGatherBlocks of ${values.length}`, values.slice());
        for (const [of, block] of given.entries()) {
          const { start, end } = blockOf(values.length, { rank: of, size });
          values.set(block.subarray(start, end), start);
        }
      },
      broadcast: async (bytes) => (await meet("broadcast", bytes.slice()))[0]?.slice() ?? new Uint8Array(0),
      barrier: async () => {
        await meet("barrier", null);
      },
      agree: (what, value) => agreeOn({ host, allGather }, { what, value }),
      abort: async (reason) => {
        const error = new Error(`rank ${rank} aborted: ${reason}`);
        abortAll(error);
        throw error;
      },
      close: async () => {
        await meet("close", null);
      },
    };
  };
  return Promise.all(
    Array.from({ length: size }, async (_, rank) => {
      try {
        return await program(communicator(rank));
      } catch (error) {
        // Those that wait for this rank would wait for ever.
        abortAll(error instanceof Error ? error : new Error(String(error)));
        throw error;
      }
    }),
  );
}
