/** The engine that runs generated functions op by op on TensorFlow.js. */
import type { CreateEngine } from "../engine";

export const createEngine: CreateEngine = async () => {
  throw new Error("internal: this engine is not written yet");
};
