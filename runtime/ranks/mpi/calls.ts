/**
 * The few functions of MPI that are used, called through koffi on another thread so that the event loop stays free.
 *
 * One call at a time: a call begins when the one before it has ended, so MPI_THREAD_SERIALIZED is enough. The exception
 * is MPI_Abort, which does not wait for a call that may never end.
 */
import { type Argument, type Callable, loadKoffi, type Pointer } from "../../engines/koffi";
import { mpiFailed } from "../../errors";
import type { Abi } from "./abi";
import type { MpiLibrary } from "./library";

/** Arguments; H stands for a handle. All give an error code, 0 where all went well. */
const signatures = {
  Initialized: "void *",
  Finalized: "void *",
  Init_thread: "void *, void *, int, void *",
  Comm_set_errhandler: "H, H",
  Comm_rank: "H, void *",
  Comm_size: "H, void *",
  Error_string: "int, void *, void *",
  Allreduce: "void *, void *, int, H, H, H",
  Alltoallv: "void *, void *, void *, H, void *, void *, void *, H, H",
  Reduce_local: "void *, void *, int, H, H",
  Allgather: "void *, int, H, void *, int, H, H",
  Allgatherv: "void *, int, H, void *, void *, void *, H, H",
  Bcast: "void *, int, H, int, H",
  Barrier: "H",
  Abort: "H, int",
  Finalize: "",
} as const;

export type CallName = keyof typeof signatures;
type CallArgument = Pointer | number | ArrayBufferView | null;

export interface MpiCalls {
  readonly abi: Abi;
  /** At once, on this thread. Throws R198. */
  now(name: CallName, ...args: readonly CallArgument[]): void;
  /** After all calls before it, on another thread. Arrays are read and written in place. Rejects with R198. */
  inTurn(name: CallName, ...args: readonly CallArgument[]): Promise<void>;
  /** On another thread, beside a call that may never end. */
  beside(name: CallName, ...args: readonly CallArgument[]): Promise<void>;
}

export function callsOf({ library, abi }: MpiLibrary): MpiCalls {
  const koffi = loadKoffi();
  const functions = new Map<CallName, Callable>();
  const callable = (name: CallName): Callable => {
    const known = functions.get(name);
    if (known !== undefined) return known;
    const made = library.func(`int MPI_${name}(${signatures[name].replaceAll("H", abi.handle)})`);
    functions.set(name, made);
    return made;
  };
  const native = (args: readonly CallArgument[]): Argument[] =>
    args.map((each) => (ArrayBuffer.isView(each) ? koffi.address(each) : each));
  const check = (name: CallName, code: unknown): void => {
    if (code === 0) return;
    const text = Buffer.alloc(1024);
    const length = new Int32Array(1);
    callable("Error_string")(Number(code), koffi.address(text), koffi.address(length));
    throw mpiFailed({ call: `MPI_${name}`, why: text.toString("latin1", 0, length[0]) || `error ${String(code)}` });
  };
  const beside = (name: CallName, ...args: readonly CallArgument[]): Promise<void> =>
    new Promise((resolve, reject) => {
      callable(name).async(...native(args), (error, code) => {
        // `args` is named here so that its arrays live until the call is over: MPI only knows their addresses.
        if (error !== null)
          return reject(new Error(`internal: MPI_${name} of ${args.length} arguments`, { cause: error }));
        try {
          check(name, code);
          resolve();
        } catch (cause) {
          reject(cause);
        }
      });
    });
  let last: Promise<void> = Promise.resolve();
  return {
    abi,
    now: (name, ...args) => check(name, callable(name)(...native(args))),
    beside,
    inTurn: (name, ...args) => {
      const turn = last.then(() => beside(name, ...args));
      last = turn.catch(() => {});
      return turn;
    },
  };
}
