/** The functions that an engine has loaded: each is released once, by its own user or with the engine. */
import type { LoadedFunction } from "./engine";

export class LoadedFunctions {
  readonly #open = new Set<LoadedFunction>();

  add<T extends LoadedFunction>(fn: T): T {
    const one: T = {
      ...fn,
      release: async () => {
        if (this.#open.delete(one)) await fn.release();
      },
    };
    this.#open.add(one);
    return one;
  }

  async release(): Promise<void> {
    for (const one of this.#open) await one.release();
  }
}
