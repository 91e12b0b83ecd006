/** `--set FIELD=VALUE`, the same for every command that reads a spec. */
import { Option } from "commander";

export interface SetOption {
  /** In the order of the command line; the last of one field wins. */
  readonly set: readonly string[];
}

export function setOption(): Option {
  return new Option("--set <field=value>", "change a field, such as optimization.epochs=5; may be repeated")
    .argParser((text: string, others: readonly string[]) => [...others, text])
    .default([], "none");
}
