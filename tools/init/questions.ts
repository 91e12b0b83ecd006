/** The few questions that `ijepa init` asks on a terminal. An answer is what a flag would say, and a flag answers a question. */
import input from "@inquirer/input";
import select from "@inquirer/select";
import type { LookedImages } from "./images";

/** What flags and arguments have said already. */
export interface Given {
  readonly name?: string | undefined;
  readonly images?: string | undefined;
  readonly minutes?: string | undefined;
  /** Whether the classes of the images are labels. */
  readonly labels?: boolean | undefined;
}

export interface Answers {
  readonly name: string;
  /** Left out: scenes that the trainer renders. */
  readonly images?: string | undefined;
  readonly minutes: string;
  readonly labels: boolean;
}

export const defaults = { name: "my-experiment", minutes: "10", labels: true } as const;

/** Says what is wrong with an answer; null where it will do. */
export interface Checks {
  readonly name: (name: string) => string | null;
  readonly minutes: (minutes: string) => string | null;
  /** Looks at images. */
  readonly images: (path: string) => Promise<LookedImages | string>;
}

export interface Terminal {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
}

/** Throws where Ctrl-C is pressed: see isInterrupted. */
export async function ask(given: Given, checks: Checks, terminal: Terminal): Promise<Answers> {
  const text = (message: string, suggested: string | undefined, check: (answer: string) => Promise<string | null>) =>
    input(
      {
        message,
        ...(suggested === undefined ? { required: true } : { default: suggested }),
        validate: async (answer) => (await check(answer)) ?? true,
      },
      terminal,
    );
  const name =
    given.name ?? (await text("Name of the experiment", defaults.name, async (answer) => checks.name(answer)));
  const images = given.images ?? (await askForImages(checks, terminal, text));
  const found = images === undefined ? null : await checks.images(images);
  const labels =
    given.labels ??
    (found === null || typeof found === "string" || found.classes.length === 0
      ? defaults.labels
      : await askForLabels(found, terminal));
  const minutes =
    given.minutes ??
    (await text("Minutes that the training may take", defaults.minutes, async (answer) => checks.minutes(answer)));
  return { name, images, minutes, labels };
}

async function askForImages(
  checks: Checks,
  terminal: Terminal,
  text: (message: string, suggested: undefined, check: (answer: string) => Promise<string | null>) => Promise<string>,
): Promise<string | undefined> {
  const source = await select(
    {
      message: "What to learn from",
      choices: [
        { value: "scenes", name: "Scenes that the trainer renders: there is nothing to download" },
        { value: "folder", name: "Images of yours: a folder, .tar shards or .parquet files" },
      ],
      default: "scenes",
    },
    terminal,
  );
  if (source === "scenes") return undefined;
  return await text("Where they are", undefined, async (answer) => {
    const found = await checks.images(answer);
    return typeof found === "string" ? found : null;
  });
}

async function askForLabels({ kind, classes }: LookedImages, terminal: Terminal): Promise<boolean> {
  const shown = [...classes.slice(0, 3), ...(classes.length > 3 ? ["…"] : [])].join(", ");
  return await select(
    {
      message:
        kind === "folder"
          ? `The images lie in ${classes.length} folders (${shown}). Are these their classes?`
          : `The images have ${classes.length} labels (${shown}). Are these their classes?`,
      choices: [
        { value: true, name: "Yes: probes and k-NN judge the encoder by them; training never sees them" },
        { value: false, name: "No: nothing is evaluated with labels" },
      ],
      default: true,
    },
    terminal,
  );
}

/** Whether a question was answered by Ctrl-C, or its terminal is gone. */
export function isInterrupted(error: unknown): boolean {
  return error instanceof Error && error.name === "ExitPromptError";
}
