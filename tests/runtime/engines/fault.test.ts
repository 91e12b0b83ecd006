/** What libraries say where memory runs out or a device is lost, and what a person is told. */
import { describe, expect, it } from "vitest";
import { faultOf } from "../../../runtime/engines/fault";
import { UserError } from "../../../runtime/errors";

/** Where no source is named, the words were seen here. */
const said: readonly (readonly [library: string, words: string, code: string, wanted?: string])[] = [
  [
    "XLA on a card",
    "RESOURCE_EXHAUSTED: Out of memory while trying to allocate 90194313216 bytes.\nBuffer assignment:\n…",
    "R117",
    "90.2 GB",
  ],
  [
    "XLA on a card (its allocator)",
    "RESOURCE_EXHAUSTED: Out of memory allocating 4294967296 bytes.",
    "R117",
    "4.29 GB",
  ],
  ["TensorFlow", "OOM when allocating tensor with shape[128,16,256,256] and type float on /device:GPU:0", "R117"],
  [
    "onnxruntime's arena",
    "[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : Failed to allocate memory for requested buffer of size 1099511627776",
    "R117",
    "1.10 TB",
  ],
  [
    "onnxruntime's arena with a limit",
    "Available memory of 1048576 is smaller than requested bytes of 2097152",
    "R117",
    "2.10 MB",
  ],
  ["onnxruntime", "std::bad_alloc", "R117"],
  ["WebGPU", "Buffer size (5368709120) exceeds the max buffer size limit (4294967296).", "R117", "5.37 GB"],
  ["JavaScript", "Array buffer allocation failed", "R117"],
  ["JavaScript, of no size there is", "Invalid typed array length: 70368744177664", "R117"],
  ["WebAssembly", "WebAssembly.Memory.grow(): Maximum memory size exceeded", "R117"],
  ["CUDA", "INTERNAL: CUDA_ERROR_ECC_UNCORRECTABLE: uncorrectable ECC error encountered", "R118"],
  ["CUDA", "INTERNAL: Failed to launch: CUDA_ERROR_LAUNCH_FAILED: unspecified launch failure", "R118"],
  ["WebGPU", "The device was lost: VK_ERROR_DEVICE_LOST", "R118"],
  ["anything else", "INVALID_ARGUMENT: a shape", "R103"],
];

describe("what libraries say", () => {
  it.each(said)("%s: %s", (_, words, code, wanted) => {
    const error = faultOf({ what: "run step", cause: new Error(words) });
    expect(error).toBeInstanceOf(UserError);
    expect(error).toMatchObject({ code });
    const { message } = error as UserError;
    expect(message).toContain("could not run step");
    expect(message).not.toContain("\n");
    expect(/for want of (.*?) in one piece/.exec(message)?.[1]).toBe(wanted);
  });

  it("a program that is refused, unless memory is why", () => {
    const refused = (words: string) => faultOf({ what: "compile step", cause: new Error(words), compiles: true });
    expect(refused("UNIMPLEMENTED: chlo.erf")).toMatchObject({ code: "R119" });
    expect(refused("RESOURCE_EXHAUSTED: no")).toMatchObject({ code: "R117" });
  });

  it("faults of ours and errors for people stay what they are", () => {
    const own = new Error("internal: out of memory");
    const known = new UserError("R105", "out of memory");
    expect(faultOf({ what: "run step", cause: own })).toBe(own);
    expect(faultOf({ what: "run step", cause: known })).toBe(known);
  });
});
