/** A spec with other hardware than its file names, held to the same rules. */
import { applyEdits, modify } from "jsonc-parser";
import { type LoadedSpec, loadSpec, specFromText } from "../../compiler/spec/load";

/** Words of the command line; left out, what the spec says stays. Whether they are good is for the rules to say. */
export interface HardwareChange {
  readonly engine?: string | undefined;
  readonly device?: string | undefined;
  readonly precision?: string | undefined;
}

export type ChangedSpec =
  | (Extract<LoadedSpec, { readonly ok: true }> & { readonly text: string })
  | Extract<LoadedSpec, { readonly ok: false }>;

/** The spec of a file, and its text with the changes in it. Never throws for what is in the file. */
export function loadWithHardware(file: string, change: HardwareChange): ChangedSpec {
  const loaded = loadSpec(file);
  if (!loaded.ok) return loaded;
  const text = changedText(loaded.source.text, change);
  if (text === loaded.source.text) return { ...loaded, text };
  const changed = specFromText({ text, file });
  if (changed.ok) return { ...changed, text };
  // What is wrong stands in no line of the file: the command line said it.
  return { ok: false, diagnostics: changed.diagnostics.map((diagnostic) => ({ ...diagnostic, place: null })) };
}

function changedText(text: string, change: HardwareChange): string {
  let changed = text;
  for (const [field, value] of Object.entries(change)) {
    if (value === undefined) continue;
    const formattingOptions = { insertSpaces: true, tabSize: 2 };
    changed = applyEdits(changed, modify(changed, ["hardware", field], value, { formattingOptions }));
  }
  return changed;
}
