/** torchrun, with `--no-python`. It also sets OMP_NUM_THREADS=1 for every rank, which no engine here reads. */
import { launchersDisagree } from "../../errors";
import type { Told } from "./told";
import { addressOf, countOf, has, localPlaceOf, placeOf, type Variables } from "./variables";

/** Its agent sets all of these; RANK and WORLD_SIZE by themselves are set by others too. */
export function torchrun(variables: Variables): Told | null {
  if (!has(variables, "TORCHELASTIC_RUN_ID") && !["GROUP_RANK", "LOCAL_WORLD_SIZE"].every((v) => has(variables, v))) {
    return null;
  }
  const place = placeOf(variables, { rank: "RANK", size: "WORLD_SIZE", launcher: "torchrun" });
  const local = localPlaceOf(variables, { rank: "LOCAL_RANK", size: "LOCAL_WORLD_SIZE" });
  if (local.localSize !== null && local.localSize > place.size) {
    throw launchersDisagree({
      first: { variable: "LOCAL_WORLD_SIZE", value: String(local.localSize) },
      second: { variable: "WORLD_SIZE", value: String(place.size) },
      wanted: "A host has no more ranks than there are in all.",
    });
  }
  const node = countOf(variables, "GROUP_RANK", 0);
  return { launcher: "torchrun", ...place, ...local, node, address: addressOf(variables) };
}
