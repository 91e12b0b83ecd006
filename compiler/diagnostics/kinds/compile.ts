/** E4xx compiling, and comparing what was compiled. */
import { kind } from "./kind";

export const compileErrors = {
  noRepository: kind("E420", "`REV:path` names a file of a git repository, and there is none here, or no git.", () => ({
    what: "there is no git repository here, or no git to ask",
    want: "a file, a folder, or `REV:path` inside a repository",
  })),
  unknownRevision: kind("E421", "Git knows no such revision.", (facts: { revision: string }) => ({
    what: "there is neither such a file nor such a revision",
    found: facts.revision,
    want: "a branch, a tag or a commit before the colon",
  })),
  notInRevision: kind(
    "E422",
    "The revision is there, the file in it is not.",
    (facts: { revision: string; path: string }) => ({
      what: `there is no ${facts.path} in ${facts.revision}`,
      want: "a path from the top of the repository, or one from here that begins with ./",
    }),
  ),
  notComparable: kind("E423", "A folder is compared by its constants, and this one has none.", () => ({
    what: "is neither a generated folder nor a run",
    want: "a folder with experiment.ts or experiment.json",
  })),
  noConstants: kind(
    "E424",
    "The constants of a trainer or of a run are not as they were written.",
    (facts: { file: string }) => ({
      what: `${facts.file} holds no constants of an experiment`,
      hint: "Compile or run the spec anew.",
    }),
  ),
  sameName: kind(
    "E430",
    "A trainer lies in a folder of its experiment's name, so that two of one name would overwrite each other.",
    (facts: { name: string; other: string }) => ({
      what: "another of these experiments has the same name",
      found: `${JSON.stringify(facts.name)}, as in ${facts.other}`,
      want: "a name that no other of them has",
    }),
  ),
  editedByHand: kind(
    "E431",
    "Files of a trainer are not as the compiler wrote them. Nothing was written, so that no edit is lost.",
    (facts: { found: string; folder: string; instead: string }) => ({
      what: "was edited by hand, and compiling would undo that",
      found: facts.found,
      hint: `\`ijepa bundle ${facts.folder}\` keeps the edit and builds train.js with it. ${facts.instead}`,
    }),
  ),
  folderTaken: kind(
    "E437",
    "A folder for trainers has files of somebody else in the places of a trainer's. Nothing was written.",
    (facts: { names: readonly string[] }) => ({
      what: "has files that no compiler wrote, and a trainer would replace them",
      found: facts.names.join(", "),
      want: "a folder for trainers alone, such as --out generated",
    }),
  ),
  noTrainer: kind(
    "E432",
    "`ijepa bundle` takes the folder of a trainer, with the TypeScript that was generated.",
    () => ({
      what: "is not the folder of a trainer",
      want: "a folder with main.ts and experiment.ts, such as generated/quickstart",
    }),
  ),
  typeError: kind(
    "E433",
    "Code of a trainer that was edited by hand does not type-check; the sentence is the TypeScript compiler's, or says which size differs from a recording.",
    (facts: { message: string }) => ({ what: facts.message }),
  ),
  noStep: kind("E434", "`ijepa replay --trainer` takes the folder of a trainer.", () => ({
    what: "there is no step.ts in it",
    want: "the folder of a trainer, such as generated/quickstart",
    hint: "`ijepa replay TRACE --write FOLDER` writes the trainer of a recording.",
  })),
  stepInTheWay: kind("E435", "`ijepa replay --write` writes no step where there is one.", () => ({
    what: "there is a step already, which may have been edited",
    hint: "Give another folder, or remove it.",
  })),
  stepUnfit: kind(
    "E436",
    "The step that `ijepa replay --trainer` was given does not fit the recording, or lacks a function that is called.",
    (facts: { file: string; message: string }) => ({
      what: `the step does not fit what calls it (${facts.file} of the replay): ${facts.message}`,
      hint: "`ijepa replay TRACE --write FOLDER` writes a step that fits.",
    }),
  ),
} as const;
