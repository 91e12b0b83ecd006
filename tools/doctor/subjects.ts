/** Every engine and device: what it needs, and how to get it. One total table, so a new engine has its line here. */
import type { DeviceName, EngineName } from "../../runtime/engines/engine";
import { installCommand } from "../../runtime/installs";
import { pipCommands } from "../../runtime/pip-commands";

export interface Subject {
  /** Any one of them is enough; the first that is installed is used. */
  readonly packages: readonly string[];
  /** A sentence for someone who has it not, or has it failing. */
  readonly needs: string;
  /** The commands that get it, the simplest first. `$ijepa` stands for the folder of this package. */
  readonly install: readonly string[];
}

const ONNX = "onnxruntime-node";
const TFJS = "4.22.0";
const BUILD = "node $ijepa/scripts/build-tfjs-node.mjs";

/** Null: the engine has no such device. */
export const subjects: { readonly [E in EngineName]: { readonly [D in DeviceName]: Subject | null } } = {
  onnx: {
    cpu: {
      packages: [ONNX],
      needs: "It comes with ijepa.",
      install: [installCommand([ONNX])],
    },
    gpu: null,
    tpu: null,
    webgpu: {
      packages: [ONNX],
      needs: "A GPU with a driver for Vulkan (Linux), Direct3D 12 (Windows) or Metal (macOS).",
      install: [installCommand([ONNX])],
    },
    wasm: null,
    js: null,
  },
  tfjs: {
    cpu: {
      packages: ["@tensorflow/tfjs-node", "@tensorflow/tfjs-backend-wasm"],
      needs:
        "tfjs-node downloads its native part for Node 18 and 20; for other Nodes, or without that download, it is " +
        "built from a TensorFlow wheel (Linux, g++). Without tfjs-node the wasm backend serves.",
      install: [`npm install @tensorflow/tfjs-node@${TFJS}`, BUILD],
    },
    gpu: {
      packages: ["@tensorflow/tfjs-node-gpu"],
      needs:
        "An NVIDIA GPU. The package as it is wants Node 18 or 20, CUDA 11.2 and cuDNN 8.1; built from a TensorFlow " +
        "wheel it brings CUDA 12.5 and wants a driver of 525.60 or later (Linux, g++).",
      install: [`npm install @tensorflow/tfjs-node-gpu@${TFJS}`, `${BUILD} --gpu`],
    },
    tpu: null,
    webgpu: null,
    wasm: {
      packages: ["@tensorflow/tfjs-backend-wasm"],
      needs: "Nothing but Node.",
      install: [`npm install @tensorflow/tfjs-core@${TFJS} @tensorflow/tfjs-backend-wasm@${TFJS}`],
    },
    js: {
      packages: ["@tensorflow/tfjs-backend-cpu"],
      needs: "Nothing but Node.",
      install: [`npm install @tensorflow/tfjs-core@${TFJS} @tensorflow/tfjs-backend-cpu@${TFJS}`],
    },
  },
  xla: {
    cpu: {
      packages: [],
      needs:
        "A PJRT plugin for processors, 63 MB of the Python registry; Python itself is not needed (Linux on x86-64).",
      install: ["node $ijepa/scripts/pjrt-cpu.mjs"],
    },
    gpu: {
      packages: [],
      needs:
        "An NVIDIA or AMD GPU with its driver, and the PJRT plugin of JAX for it in a Python environment; Python itself " +
        "does not run.",
      install: [pipCommands.cuda, pipCommands.rocm],
    },
    tpu: {
      packages: [],
      needs: "A TPU, and its PJRT plugin in a Python environment; Python itself does not run.",
      install: [pipCommands.tpu],
    },
    webgpu: null,
    wasm: null,
    js: null,
  },
};

export interface NamedSubject extends Subject {
  readonly engine: EngineName;
  readonly device: DeviceName;
}

/** All of them, the default engine first. */
export function allSubjects(): readonly NamedSubject[] {
  // The keys of a total table are its names.
  const engines = Object.keys(subjects) as EngineName[];
  return engines.flatMap((engine) =>
    (Object.keys(subjects[engine]) as DeviceName[]).flatMap((device) => {
      const subject = subjects[engine][device];
      return subject === null ? [] : [{ engine, device, ...subject }];
    }),
  );
}
