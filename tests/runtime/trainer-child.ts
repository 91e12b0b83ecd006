/** What a generated main.ts does, for trainer.test.ts. */
import { train } from "../../runtime/trainer";
import { tinyProgram } from "./loop/fake";

train(tinyProgram(), () => import("../../runtime/engines/onnx/engine"));
