/** Every op in kernels of tfjs. */
import { noBfloat16 } from "../../no-bfloat16";
import type { KernelTable } from "../../table";
import type { Tensor } from "../core";
import type { Kernels } from "../kernels";
import { elementwiseOps } from "./elementwise";
import { layerOps } from "./layers";
import { tokenOps } from "./tokens";

export const tfjsOps: KernelTable<Kernels, Tensor, Tensor> = {
  ...tokenOps,
  ...layerOps,
  ...elementwiseOps,
  ...noBfloat16,
};
