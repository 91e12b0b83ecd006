/** The total table: how every op becomes StableHLO. */
import type { KernelTable } from "../../table";
import type { Builder, Value } from "../builder";
import { attentionLowerings } from "./attention";
import { elementwiseLowerings } from "./elementwise";
import { layerLowerings } from "./layers";
import { tokenLowerings } from "./tokens";

export const lowerings: KernelTable<Builder, Value, Value> = {
  ...tokenLowerings,
  ...layerLowerings,
  ...attentionLowerings,
  ...elementwiseLowerings,
};
