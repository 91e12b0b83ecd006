/** R10x: the engine, its package and its device. */
import { UserError } from "./user-error";

/** The engine of the experiment is a package, and it is neither beside the trainer nor where it was started. */
export function packageMissing(was: {
  readonly name: string;
  readonly folder: string;
  /** The command that installs it. */
  readonly install: string;
  /** What else has to be known, as whole sentences. */
  readonly note?: string | undefined;
}): UserError {
  return new UserError(
    "R101",
    `The package ${was.name} is not installed: it was looked for beside this program and in ${was.folder}. ` +
      `Install it there:  ${was.install}${was.note === undefined ? "" : `\n${was.note}`}`,
  );
}

/** Packages that the trainer needs are neither beside it nor where it was started. */
export function packagesMissing(was: {
  readonly names: readonly string[];
  readonly folder: string;
  /** The command that installs all of them. */
  readonly install: string;
}): UserError {
  const [what, are] = was.names.length === 1 ? ["The package", "is"] : ["The packages", "are"];
  const names = [was.names.slice(0, -1).join(", "), ...was.names.slice(-1)].filter(Boolean).join(" and ");
  return new UserError(
    "R100",
    `${what} ${names} ${are} not installed: looked for in node_modules beside this program, above it, and in ` +
      `${was.folder}. Install there:  ${was.install}\nOr let ijepa start it, which brings them:  ijepa run SPEC`,
  );
}

/** The package of an engine is there, but does not load. */
export function packageBroken(was: {
  readonly name: string;
  readonly path: string;
  readonly why: string;
  readonly install: string;
  readonly note?: string | undefined;
  readonly cause?: unknown;
}): UserError {
  return new UserError(
    "R102",
    `The package ${was.name} at ${was.path} does not load: ${was.why}. ` +
      `Its native part may be missing or made for another system; install it again here:  ${was.install}` +
      `${was.note === undefined ? "" : `\n${was.note}`}`,
    { cause: was.cause },
  );
}

/** The engine could not make its graph, or could not run it. */
export function engineFailed(was: {
  readonly what: string;
  readonly why: string;
  readonly cause?: unknown;
}): UserError {
  return new UserError(
    "R103",
    `The engine could not ${was.what}: ${was.why}. ` +
      "`ijepa doctor` says which engines work on this machine; from a checkpoint, --resume goes on.",
    { cause: was.cause },
  );
}

/** The memory of the device did not suffice for the step, or that of the machine. */
export function outOfMemory(was: {
  readonly what: string;
  readonly why: string;
  /** Bytes that were asked for, where the library says it. */
  readonly wantedBytes: number | undefined;
  readonly cause?: unknown;
}): UserError {
  const { what, why, wantedBytes } = was;
  const wanted = wantedBytes === undefined ? "" : `, for want of ${bytesText(wantedBytes)} in one piece`;
  return new UserError(
    "R117",
    `Memory ran out: the engine could not ${what}${wanted} (${why}). What takes less, the mildest change first: more ` +
      "`optimization.accumulation` (parts of the same batch, one after the other); `hardware.precision` bf16, which engine " +
      "xla has; more devices that share the batch (`hardware.gpus`), with `hardware.shardOptimizer` where the engine has " +
      "it; a smaller `optimization.globalBatch`, which is another training. " +
      "`ijepa inspect SPEC --set optimization.accumulation=2` says what a change comes to. Look too whether another " +
      "process holds memory of the device.",
    { cause: was.cause },
  );
}

/** 3.2 GB, 512 B: as libraries count them, in powers of ten. */
function bytesText(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const unit = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  const value = bytes / 1000 ** unit;
  return `${unit === 0 ? value : value.toPrecision(3)} ${units[unit]}`;
}

/** The device went away or broke down while it computed. */
export function deviceLost(was: { readonly what: string; readonly why: string; readonly cause?: unknown }): UserError {
  return new UserError(
    "R118",
    `The device was lost: the engine could not ${was.what} (${was.why}). The last checkpoint is whole. Look at the card ` +
      "and its driver (nvidia-smi, dmesg), free or reset it, and go on with --resume; where it comes again, on another card.",
    { cause: was.cause },
  );
}

/** The compiler of the engine does not take the program of a step. */
export function programRefused(was: {
  readonly what: string;
  readonly why: string;
  readonly cause?: unknown;
}): UserError {
  return new UserError(
    "R119",
    `The engine could not ${was.what}: its compiler refuses the program (${was.why}). Another version of the plugin may ` +
      "take it (`ijepa doctor` lists those that are here, --pjrt-plugin FILE names one); engine onnx trains the same spec. " +
      "Please report it with this message: a plugin of docs/engines.md should take every program of ours.",
    { cause: was.cause },
  );
}

/** There is no GPU that onnxruntime's WebGPU can use, or no driver for it. */
export function noWebgpu(was: { readonly why: string; readonly cause?: unknown }): UserError {
  return new UserError(
    "R104",
    `The device "webgpu" cannot be used: ${was.why}. It needs a GPU with Vulkan on Linux (the loader libvulkan.so.1 and ` +
      "the driver of the card), Metal on macOS, or Direct3D 12 on Windows. SwiftShader computes the same without one, " +
      'slowly (docs/engines.md); to train without a GPU, set hardware.device to "cpu".',
    { cause: was.cause },
  );
}

/** There is no PJRT plugin for the device of the experiment, or not where a flag or a variable says. */
export function noPjrtPlugin(was: {
  readonly device: string;
  /** Folders, or the file that was named. */
  readonly looked: readonly string[];
  /** The command that gets one. */
  readonly install: string;
}): UserError {
  return new UserError(
    "R105",
    `There is no PJRT plugin for the device "${was.device}": it was looked for in ${was.looked.join(", ") || "no folder"}. ` +
      `Get one:  ${was.install}\nOr name one that you have, with --pjrt-plugin FILE or in IJEPA_PJRT_PLUGIN.`,
  );
}

/** The file is no PJRT plugin, or one for another machine or device. */
export function pjrtPluginBroken(was: {
  readonly path: string;
  /** A clause. */
  readonly why: string;
  readonly install: string;
  readonly cause?: unknown;
}): UserError {
  return new UserError(
    "R106",
    `${was.path} cannot be used as a PJRT plugin: ${was.why}. Name another one with --pjrt-plugin FILE or in ` +
      `IJEPA_PJRT_PLUGIN, or get one:  ${was.install}`,
    { cause: was.cause },
  );
}

/** The PJRT plugin has an interface that is older than what the engine needs. */
export function pjrtPluginTooOld(was: {
  readonly path: string;
  readonly found: string;
  readonly oldest: string;
  readonly install: string;
}): UserError {
  return new UserError(
    "R107",
    `The PJRT plugin ${was.path} has version ${was.found} of the interface; ${was.oldest} or a later one is needed. ` +
      `Get a newer one:  ${was.install}`,
  );
}

/** The PJRT plugin is there, but it finds no device that it can use. */
export function pjrtDeviceMissing(was: {
  readonly path: string;
  readonly device: string;
  readonly why: string;
  readonly cause?: unknown;
}): UserError {
  return new UserError(
    "R108",
    `The PJRT plugin ${was.path} can not use the device "${was.device}": ${was.why}. Look whether the card, its driver ` +
      'and its memory are there and free (nvidia-smi, rocm-smi); to train without it, set hardware.device to "cpu".',
    { cause: was.cause },
  );
}

/** The plugin finds fewer devices than a process is to hold of those that share the batch. */
export function pjrtTooFewDevices(was: {
  readonly path: string;
  readonly device: string;
  /** Devices of this host that it was asked for: so many, from this one on. */
  readonly first: number;
  readonly count: number;
  readonly found: number;
}): UserError {
  const devices = (count: number): string => (count === 1 ? "one device" : `${count} devices`);
  const where = was.first === 0 ? "" : `, numbers ${was.first} to ${was.first + was.count - 1} of this host`;
  return new UserError(
    "R109",
    `This process is to hold ${devices(was.count)} "${was.device}" of those that share a batch${where}, and the PJRT ` +
      `plugin ${was.path} finds ${devices(was.found)}. Set hardware.gpus to as many as there are, over all hosts, and ` +
      "compile again; or start the trainer on more hosts or as more ranks, so that each holds fewer (docs/clusters.md).",
  );
}
