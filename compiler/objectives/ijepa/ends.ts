/** Whether the last block of the target encoder is joined with the choice of targets. */
import { sizeOf } from "../../ir/number";
import type { ChainEnds } from "../../model/model";
import type { IJepaDims } from "./dims";

/** Reading only the targets' patches saves work where they are fewer than all patches. */
export function targetEnds({ allTargets, patches }: IJepaDims): ChainEnds {
  const [read, all] = [sizeOf(allTargets), sizeOf(patches)];
  const may = read < all;
  return {
    last: "targetLastBlock",
    may,
    because: `the targets of an image have ${read} tokens, ${may ? "" : "not "}fewer than its ${all} patches`,
  };
}
