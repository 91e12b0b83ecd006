/** What follows `--` on the command line of `ijepa sweep`, for the executors that have options of their own. */
import { Command, type Option } from "commander";

/** Throws CommanderError, which the command line explains. */
export function parseExecutorOptions<Values extends object>(
  executor: string,
  options: readonly Option[],
  args: readonly string[],
): Values {
  const command = new Command(`ijepa sweep --executor ${executor} --`)
    .helpOption(false)
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ writeErr: () => {}, outputError: () => {} });
  for (const option of options) command.addOption(option);
  command.parse([...args], { from: "user" });
  // Commander leaves the types of parsed values to the caller, who wrote the options.
  return command.opts<Values>();
}
