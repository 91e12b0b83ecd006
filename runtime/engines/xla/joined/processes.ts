/**
 * Several processes as one PJRT client: the plugin tells and asks through callbacks what the others need to know of its
 * devices, and later how their collectives find each other. Between the processes the values go through rank 0.
 */
import { MessageChannel, Worker } from "node:worker_threads";
import { openKeyValues } from "../../../ranks/key-values";
import type { Reducer } from "../../engine";
import { loadKoffi, type Pointer } from "../../koffi";
import type { ClientOptions, KeyValueCallbacks } from "../pjrt/client";
import { KEY_VALUE } from "../pjrt/layout";
import { bytesAt } from "../pjrt/struct";
import type { Entry, ThreadData } from "./thread";
import { callbacksOf, ERRORS } from "./values";

export interface JoinedProcesses {
  readonly options: ClientOptions;
  readonly callbacks: KeyValueCallbacks;
  /** After the client. */
  release(): Promise<void>;
}

/** To be called by all processes of the run. Throws R213. */
export async function joinProcesses(ranks: Pick<Reducer, "rank" | "size" | "broadcast">): Promise<JoinedProcesses> {
  const values = await openKeyValues(ranks);
  const koffi = loadKoffi();
  const { port1: port, port2 } = new MessageChannel();
  const count = new Int32Array(new SharedArrayBuffer(4));
  const data: ThreadData = { role: "xla values", port: port2, count };
  const thread = new Worker(threadFile(), { workerData: data, transferList: [port2] });
  const get = await new Promise<Pointer>((done, failed) => thread.once("message", done).once("error", failed));
  thread.unref();
  values.listen((key, value) => {
    const entry: Entry = { key, value };
    port.postMessage(entry);
    Atomics.add(count, 0, 1);
    Atomics.notify(count, 0);
  });
  port.unref();
  const callbacks = callbacksOf(koffi);
  const put = callbacks.register("put", (call) => {
    const { value, valueSize } = KEY_VALUE.put;
    values.put(call.key, bytesAt(koffi, call.word(value), Number(call.word(valueSize))));
    return null;
  });
  const tryGet = callbacks.register("tryGet", (call) => {
    const value = values.get(call.key);
    if (value !== undefined) return call.give(value);
    return call.failed(ERRORS.notFound, `no process has said ${call.key} so far`);
  });
  return {
    options: { node_id: ranks.rank, num_nodes: ranks.size },
    callbacks: { get, put, tryGet },
    release: async () => {
      callbacks.release();
      await thread.terminate();
      port.close();
      values.close();
    },
  };
}

/** The bundle, which calls `runThread` when it finds itself in such a thread; the sources run in none. */
function threadFile(): string {
  if (typeof __filename !== "string") throw new Error("internal: processes are joined by bundled trainers alone");
  return __filename;
}
