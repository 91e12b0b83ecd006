/** E1xx reading a spec, E2xx its schema. */
import { didYouMean, type FoundWant, kind, type Said } from "./kind";

/** `"a", "b" and "c"`. */
const quotedList = (names: readonly string[]): string =>
  names
    .map((name) => JSON.stringify(name))
    .join(", ")
    .replace(/, (?=[^,]*$)/, " and ");

type FoundWantNear = FoundWant & { readonly near: string | null };

export const documentErrors = {
  fileMissing: kind("E101", "There is no file of this name.", (facts: { near: string | null }) => ({
    what: "there is no such file",
    ...didYouMean(facts.near),
  })),
  fileIsFolder: kind("E102", "A folder was named where a spec is wanted.", () => ({
    what: "is a folder",
    want: "the JSON file of one experiment",
  })),
  fileUnreadable: kind("E103", "The system does not let the file be read.", (facts: { reason: string }) => ({
    what: `can not be read (${facts.reason})`,
  })),
  notText: kind("E104", "The file is not UTF-8 text.", () => ({
    what: "is not UTF-8 text",
    hint: "Save it as UTF-8.",
  })),
  fileEmpty: kind("E105", "The file holds nothing but white space or comments.", () => ({
    what: "is empty",
    want: 'an object, e.g. { "data": { "source": "shapes" } }',
  })),
  syntax: kind("E106", "The text is not JSON. Comments are allowed, trailing commas are not.", (said: Said) => said),
  duplicateKey: kind(
    "E107",
    "A key stands twice in one object; one of the two would be ignored in silence.",
    (facts: { firstLine: number }) => ({ what: "stands twice", hint: `The first is on line ${facts.firstLine}.` }),
  ),
  tooDeep: kind("E108", "Arrays or objects are nested deeper than any spec is.", (facts: { limit: number }) => ({
    what: `is nested more than ${facts.limit} deep`,
  })),
  tooLarge: kind("E109", "The file is far larger than any spec.", (facts: { limit: number }) => ({
    what: "is too large for a spec",
    want: `at most ${facts.limit} bytes`,
  })),

  extendsUnusable: kind(
    "E110",
    "The experiment that another one extends can not be used.",
    (facts: { file: string; said: string; hint: string | null }) => ({
      what: `${facts.file} ${facts.said}`,
      ...(facts.hint !== null && { hint: facts.hint }),
    }),
  ),
  extendsItself: kind("E111", "An experiment extends itself, by way of others.", (facts: { file: string }) => ({
    what: "extends itself",
    found: `${facts.file}, which leads here`,
    want: "a file that extends none of those that extend it",
  })),

  unknownKey: kind(
    "E201",
    "No field has this key. Nothing is ignored in silence, so that a misspelt field can not fall back to its default.",
    (facts: { known: readonly string[]; near: string | null }) => ({
      what: "no such field",
      want: `one of ${facts.known.join(", ")}`,
      ...didYouMean(facts.near),
    }),
  ),
  missingKey: kind("E202", "A field without a default is missing.", (facts: { want: string; near: string | null }) => ({
    what: "is missing",
    want: facts.want,
    ...(facts.near !== null && { hint: `Did you mean it by \`${facts.near}\`?` }),
  })),
  wrongType: kind("E203", "The value is of another type than the field.", (facts: FoundWantNear) => ({
    what: "wrong type",
    found: facts.found,
    want: facts.want,
    ...didYouMean(facts.near),
  })),
  outOfRange: kind("E204", "The number is outside the range of the field.", (facts: FoundWant) => ({
    what: "out of range",
    ...facts,
  })),
  notAChoice: kind(
    "E205",
    "The field takes one of a few values, and this is none of them.",
    (facts: FoundWantNear) => ({
      what: "not one of the choices",
      found: facts.found,
      want: facts.want,
      ...didYouMean(facts.near),
    }),
  ),
  wrongLength: kind("E206", "The list has too few or too many entries.", (facts: FoundWant) => ({
    what: "wrong number of entries",
    ...facts,
  })),
  wrongForm: kind("E207", "The text does not have the form that the field asks for.", (facts: FoundWant) => ({
    what: "not of the right form",
    ...facts,
  })),

  fieldOfOtherObjective: kind(
    "E208",
    "The objective of the experiment does not have the field; another one has.",
    (facts: { objectives: readonly string[]; objective: string }) => ({
      what: `a field of ${facts.objectives.map((name) => JSON.stringify(name)).join(" and ")}`,
      found: `an experiment whose objective is ${JSON.stringify(facts.objective)}`,
      want: "no such field, or another `objective`",
    }),
  ),
  fieldOfOther: kind(
    "E209",
    "The field belongs to another choice: `data.source` and `masking.strategy` decide which fields there are.",
    (facts: { tag: string; here: string; others: readonly string[]; known: readonly string[] }) => ({
      what: `no field of ${facts.tag} ${JSON.stringify(facts.here)}`,
      want: `one of ${facts.known.join(", ")}`,
      hint: `${quotedList(facts.others)} ${facts.others.length === 1 ? "has" : "have"} it.`,
    }),
  ),
} as const;
