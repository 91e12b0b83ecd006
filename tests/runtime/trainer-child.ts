/** What a generated main.ts does, for trainer.test.ts. */
import { sizesOf } from "../../runtime/step/agree";
import { train } from "../../runtime/trainer";
import { tinyProgram } from "./loop/fake";

const program = tinyProgram();
const sizes = sizesOf(program.experiment);

train({ ...program, sizes }, () => import("../../runtime/engines/onnx/engine"));
