/** E44x a package of a trainer. */
import { kind } from "./kind";

const gibibytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(2)} GiB`;

export const packErrors = {
  packageNotInstalled: kind(
    "E440",
    "A package with native code that the trainer needs is not installed here, so it cannot go along.",
    (facts: { name: string; install: string }) => ({
      what: `the package ${facts.name} is not installed`,
      hint: `Install it here:  ${facts.install}`,
    }),
  ),
  packageInTheWay: kind(
    "E441",
    "A package is written where nothing is yet: a folder may hold runs, and is never overwritten.",
    () => ({
      what: "there is something of this name already",
      hint: "Remove it, or choose another folder with --out.",
    }),
  ),
  noRoomForPackage: kind(
    "E442",
    "The disk has less room than a package takes; nothing of it is left there.",
    (facts: { needed: number; free: number | null }) => ({
      what: "the disk has no room for the package",
      ...(facts.free === null ? {} : { found: `${gibibytes(facts.free)} free` }),
      want: `about ${gibibytes(facts.needed)}`,
    }),
  ),
  pluginUnfit: kind(
    "E443",
    "The file of --pjrt-plugin cannot go along: it is not there, or it is no shared library for Linux.",
    (facts: { why: string }) => ({
      what: `is no PJRT plugin: ${facts.why}`,
      want: "a shared library that exports GetPjrtApi, such as xla_cuda_plugin.so of jax-cuda13-pjrt",
    }),
  ),
} as const;
