/** How many mutants of a trainer's step.ts its types refuse. */
import type { Compiled } from "../../compiler/compile";
import { typeErrorsAsTheyAre, withTypes } from "../../compiler/emit/check";
import { standingForItself } from "../../compiler/emit/code";
import { randomAt } from "../../runtime/random/random";
import { kinds, type Mutant, type MutantKind, mutantsOf, mutated } from "./mutants";

export interface Verdict {
  readonly mutant: Mutant;
  readonly refused: boolean;
}

/** At most so many of each kind, drawn from the seed. */
export interface Sample {
  readonly seed: number;
  readonly ofEachKind: number;
  readonly kinds?: readonly MutantKind[];
}

const FOLDER = "/nowhere/mutants";

/** The mutants of a sample; what is drawn does not depend on how many there are of other kinds. */
export function sampleOf(
  mutants: readonly Mutant[],
  { seed, ofEachKind, kinds: chosen = kinds }: Sample,
): readonly Mutant[] {
  return chosen.flatMap((kind) => {
    const k = kinds.indexOf(kind);
    const own = mutants
      .filter((mutant) => mutant.kind === kind)
      .map((mutant, i) => ({ mutant, draw: randomAt({ seed, purpose: "mutants", step: k, sample: i }).uniform() }));
    return own
      .sort((a, b) => a.draw - b.draw)
      .slice(0, ofEachKind)
      .map(({ mutant }) => mutant);
  });
}

/** What the types of a trainer say of each mutant: a file that does not parse is refused as well. */
export function verdictsOf({ typescript }: Compiled, sample: Sample): readonly Verdict[] {
  const step = typescript.find(({ name }) => name === "step.ts");
  if (step === undefined) throw new Error("a trainer without step.ts");
  const all = withTypes(`${FOLDER}/types/step.ts`, step.text, mutantsOf);
  const mutants = sampleOf(all, sample);
  const inputs = mutants.map((mutant, i) => {
    const text = mutated(step.text, mutant);
    // Within a function the types of step.ts alone decide; a size is also compared with the other files.
    const others = mutant.kind === "a size changed" ? typescript.filter(({ name }) => name !== "step.ts") : [];
    const files = [...others, { ...step, text }].map((file) => standingForItself(file));
    return { folder: `${FOLDER}/${i}`, files };
  });
  const errors = typeErrorsAsTheyAre(inputs);
  return mutants.map((mutant, i) => ({ mutant, refused: (errors[i] ?? []).length > 0 }));
}
