export interface WasmPackage {
  setWasmPaths(folder: string): void;
  setThreadsCount(threads: number): void;
  getThreadsCount(): number;
}
export async function startWithThreads({
  wasm,
  start,
}: {
  core: unknown;
  wasm: WasmPackage;
  folder: string;
  threads: number;
  start: () => Promise<void>;
}): Promise<number> {
  await start();
  return wasm.getThreadsCount();
}
