/** Whether the last block of the target encoder is joined with the choice of targets. */
import { sizeOf } from "../../ir/number";
import type { ChainEnds } from "../../model/model";
import type { IJepaDims } from "./dims";
import type { IJepaNumbers } from "./numbers";

/** Reading only the targets' patches saves work where the encoder sees all, and they are fewer than all. */
export function targetEnds({ targetsMaskedAt, sets }: IJepaNumbers, { allTargets, patches }: IJepaDims): ChainEnds {
  if (targetsMaskedAt === "input") {
    return { last: "targetLastBlock", may: false, because: "the target encoder sees the patches of targets alone" };
  }
  if (sets > 1) {
    return { last: "targetLastBlock", may: false, because: `${sets} sets of masks read what the target encoder gives` };
  }
  const [read, all] = [sizeOf(allTargets), sizeOf(patches)];
  const may = read < all;
  return {
    last: "targetLastBlock",
    may,
    because: `the targets of an image have ${read} tokens, ${may ? "" : "not "}fewer than its ${all} patches`,
  };
}
