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
      "If memory ran out, use a smaller batch with more accumulation, or fewer data workers.",
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
