/** What has to be in the environment before the process starts. */
import type { EngineOptions } from "../engine";

/**
 * XLA allocates and frees its temporary memory at every step, and a fifth of the time went into mapping pages of 4 KiB.
 * With huge pages a step of ViT-S/16 takes 0.83 of the time; glibc (2.35 or later) reads the variable when it starts, and
 * others do not know it.
 */
export function startVariables({ device }: Pick<EngineOptions, "device">): Readonly<Record<string, string>> {
  return process.platform === "linux" && device === "cpu" ? { GLIBC_TUNABLES: "glibc.malloc.hugetlb=1" } : {};
}
