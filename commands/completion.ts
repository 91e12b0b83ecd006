/** `ijepa completion bash|zsh|fish`: a script for the shell, made from the tree of commands. */
import type { Command } from "commander";

export const shells = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof shells)[number];

interface Word {
  readonly name: string;
  readonly says: string;
}

interface Completed extends Word {
  readonly options: readonly Word[];
}

export function completion(shell: Shell, program: Command): string {
  const commands = program.commands.map((command): Completed => {
    const options = [...command.options, { long: "--help", description: "display help for command" }];
    return {
      name: command.name(),
      says: command.description(),
      options: options.flatMap(({ long, description }) =>
        typeof long === "string" ? [{ name: long, says: description }] : [],
      ),
    };
  });
  return writers[shell](commands);
}

const writers: { readonly [S in Shell]: (commands: readonly Completed[]) => string } = { bash, zsh, fish };

/** In single quotes, where a shell reads nothing but the text. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

const names = (words: readonly Word[]): string => words.map(({ name }) => name).join(" ");

/** Where no option is begun, files: `-o default` of complete. */
function bash(commands: readonly Completed[]): string {
  const cases = commands.map(({ name, options }) => `    ${name}) words=${quoted(names(options))} ;;`);
  return `# eval "$(ijepa completion bash)"
_ijepa() {
  local words='' word="\${COMP_WORDS[COMP_CWORD]}"
  if [ "$COMP_CWORD" -eq 1 ]; then words=${quoted(names(commands))}
  else case "\${COMP_WORDS[1]}" in
${cases.join("\n")}
  esac; fi
  if [ "$COMP_CWORD" -gt 1 ] && [ "\${word#-}" = "$word" ]; then COMPREPLY=(); return; fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F _ijepa ijepa
`;
}

/** `name:text` pairs; a colon within a name would part it. */
function zsh(commands: readonly Completed[]): string {
  const pair = ({ name, says }: Word): string => quoted(`${name}:${says}`);
  const cases = commands.map(({ name, options }) => `    ${name}) options=(${options.map(pair).join(" ")}) ;;`);
  return `#compdef ijepa
# eval "$(ijepa completion zsh)"
_ijepa() {
  local -a options
  if (( CURRENT == 2 )); then
    options=(${commands.map(pair).join(" ")})
    _describe command options
    return
  fi
  case $words[2] in
${cases.join("\n")}
  esac
  if [[ $words[CURRENT] == -* ]]; then _describe option options; else _files; fi
}
compdef _ijepa ijepa
`;
}

function fish(commands: readonly Completed[]): string {
  const first = commands.map(
    ({ name, says }) => `complete -c ijepa -n __fish_use_subcommand -f -a ${name} -d ${quoted(says)}`,
  );
  const others = commands.flatMap(({ name, options }) =>
    options.map(
      (option) =>
        `complete -c ijepa -n ${quoted(`__fish_seen_subcommand_from ${name}`)} -l ${option.name.slice(2)} -d ${quoted(option.says)}`,
    ),
  );
  return `# ijepa completion fish | source\n${[...first, ...others].join("\n")}\n`;
}
