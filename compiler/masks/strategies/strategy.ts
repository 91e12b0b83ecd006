/** What the compiler knows of a strategy of masking. */

import type { Size } from "../../../runtime/masks/blocks";
import type { MaskPlans, MaskStrategy } from "../../../runtime/masks/plan";
import type { MaskSettingsByStrategy } from "../settings";

export interface Strategy<S extends MaskStrategy> {
  /** The plan of legal settings. */
  readonly plan: (settings: MaskSettingsByStrategy[S]) => MaskPlans[S];
  /** What is wrong with settings; empty where every draw of the sampler ends with good masks. */
  readonly problems: (settings: MaskSettingsByStrategy[S]) => readonly MaskPlanProblem[];
}

export type MaskPlanProblem =
  | { readonly kind: "target too small"; readonly size: Size; readonly minKeep: number }
  | { readonly kind: "context too small"; readonly size: Size; readonly minKeep: number }
  | {
      readonly kind: "context tokens out of reach";
      readonly tokens: number;
      /** The worst pair of sizes, and the share of its draws that leave enough tokens. */
      readonly target: Size;
      readonly context: Size;
      readonly share: number;
      /** What half of its draws reach. */
      readonly median: number;
    }
  /** Of a strategy whose context is all that is no target: one of the two would have no patch. */
  | { readonly kind: "nothing left"; readonly of: "target" | "context"; readonly field: "scale" | "share" }
  | { readonly kind: "no quadrants" };
