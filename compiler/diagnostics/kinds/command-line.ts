/** E9xx the command line, and the system below it. */
import { kind } from "./kind";

/** What a call of the system was to do. */
const callWords: { readonly [call: string]: string } = {
  mkdir: "the folder can not be made",
  mkdtemp: "the folder can not be made",
  open: "can not be opened",
  read: "can not be read",
  rename: "can not be put in its place",
  rm: "can not be removed",
  rmdir: "can not be removed",
  scandir: "the folder can not be read",
  stat: "can not be read",
  unlink: "can not be removed",
  write: "can not be written",
};

export const commandLineErrors = {
  badUsage: kind(
    "E901",
    "A command, an option or an argument is unknown, missing or malformed.",
    (facts: { what: string; hint: string }) => facts,
  ),
  settingForm: kind("E903", "`--set` names a field and gives it a value.", (facts: { found: string }) => ({
    what: "--set does not name a field and its value",
    found: JSON.stringify(facts.found),
    want: "FIELD=VALUE, such as optimization.epochs=5 or masking.targets.scale=[0.1,0.2]",
  })),
  specInTheWay: kind("E904", "`ijepa init` writes a file that is not there yet.", () => ({
    what: "there is a file of this name already",
    hint: "Give another name: ijepa init NAME",
  })),
  systemRefused: kind(
    "E902",
    "The system does not let a file or a folder be read or written.",
    (facts: { call: string; reason: string }) => ({
      what: `${callWords[facts.call] ?? "can not be used"}: ${facts.reason}`,
    }),
  ),
} as const;
