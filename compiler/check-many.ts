/** Many specs at once: each is compiled alone, and all that was generated is type-checked in one TypeScript program. */
import { type Compiled, type CompileInput, check, compile } from "./compile";

export interface ManyInput extends CompileInput {
  /** Absolute folder that the trainer is meant for. */
  readonly folder: string;
}

export type ManyResult<Input> =
  | { readonly ok: true; readonly input: Input; readonly compiled: Compiled }
  /** A fault of the compiler, never of the spec; its message begins with `internal:`. */
  | { readonly ok: false; readonly input: Input; readonly error: Error };

/** In the order of the inputs. One that fails never hides the others. */
export function compileMany<Input extends ManyInput>(inputs: readonly Input[]): readonly ManyResult<Input>[] {
  return inputs.map((input) => {
    try {
      const compiled = compile(input);
      check(input.folder, compiled);
      return { ok: true, input, compiled };
    } catch (cause) {
      return { ok: false, input, error: cause instanceof Error ? cause : new Error(String(cause)) };
    }
  });
}
