/** Many specs at once: each is compiled alone, and all that was generated is type-checked in one TypeScript program. */
import type { CompileInput } from "./build";
import { type Compiled, compile, refused } from "./compile";
import { typeErrorsOfMany } from "./emit/check";

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
  const results = inputs.map((input): ManyResult<Input> => {
    try {
      return { ok: true, input, compiled: compile(input) };
    } catch (cause) {
      return { ok: false, input, error: cause instanceof Error ? cause : new Error(String(cause)) };
    }
  });
  const compiled = results.flatMap((result) => (result.ok ? [result] : []));
  const errors = typeErrorsOfMany(
    compiled.map(({ input, compiled: { typescript } }) => ({ folder: input.folder, files: typescript })),
  );
  const failed = new Map(
    compiled.flatMap((result, i) => {
      const error = refused(result.compiled, errors[i] ?? []);
      return error === null ? [] : [[result.input, error] as const];
    }),
  );
  return results.map((result) => {
    const error = failed.get(result.input);
    return error === undefined ? result : { ok: false, input: result.input, error };
  });
}
