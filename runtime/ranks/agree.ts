/** Whether all ranks were started for the same thing. */
import { ranksDisagree } from "../errors";
import type { Communicator } from "./communicator";

/** Gathers what every rank says, with its host. Throws R199 on all of them where one differs from rank 0. */
export async function agreeOn(
  ranks: Pick<Communicator, "host" | "allGather">,
  { what, value }: { readonly what: string; readonly value: string },
): Promise<void> {
  const mine = new TextEncoder().encode(`${ranks.host}\0${value}`);
  const said = (await ranks.allGather(mine)).map((bytes, rank) => {
    const text = new TextDecoder().decode(bytes);
    const end = text.indexOf("\0");
    return { rank, host: text.slice(0, end), value: text.slice(end + 1) };
  });
  const [first] = said;
  const differing = said.filter((each) => each.value !== first?.value);
  const [other] = differing;
  if (first !== undefined && other !== undefined) {
    throw ranksDisagree({ what, first, other, differing: differing.length });
  }
}
