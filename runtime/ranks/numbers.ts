/** A few numbers that ranks tell one another, in full precision. */
import type { Communicator } from "./communicator";

/** What every rank gave, by rank. */
export async function gatherNumbers(
  ranks: Pick<Communicator, "allGather">,
  numbers: readonly number[],
): Promise<readonly (readonly number[])[]> {
  const said = await ranks.allGather(new Uint8Array(Float64Array.from(numbers).buffer));
  return said.map((bytes) => [...new Float64Array(bytes.slice().buffer)]);
}
