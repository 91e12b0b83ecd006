/** The total table: how every op becomes ONNX nodes. */
import type { KernelTable } from "../../table";
import type { Value } from "../graph";
import type { Handle, Recorder } from "../recorder";
import { attentionLowerings } from "./attention";
import { elementwiseLowerings } from "./elementwise";
import { layerLowerings } from "./layers";
import { tokenLowerings } from "./tokens";
import { updateLowerings } from "./update";

export const lowerings: KernelTable<Recorder, Handle, Value> = {
  ...tokenLowerings,
  ...layerLowerings,
  ...attentionLowerings,
  ...elementwiseLowerings,
  ...updateLowerings,
};
