/** `ijepa doctor`: which engines and devices work on this machine, and how to get the others. */
import { errors } from "../compiler/diagnostics/catalogue";
import { unplaced } from "../compiler/diagnostics/diagnostic";
import { defaultWorks, diagnose, type Finding } from "../tools/doctor/diagnose";
import { commandFor, reportText } from "../tools/doctor/diagnosis-text";
import { type Speed, speedsOf, speedsText } from "../tools/doctor/fastest";
import { allSubjects, type NamedSubject } from "../tools/doctor/subjects";
import { hasColour, printDiagnostics } from "./print";
import type { SetOption } from "./set-option";
import { loadSpecs } from "./specs";

export interface DoctorOptions extends SetOption {
  readonly json?: boolean;
  readonly only?: string;
}

/** Resolves to the exit code: 0 the default engine works, 1 it does not, 2 the options make no sense. */
export async function doctor(files: readonly string[], { json, only, set }: DoctorOptions): Promise<number> {
  const wanted = only?.split(",").map((name) => name.trim());
  const names = allSubjects().flatMap(({ engine, device }) => [engine, `${engine}:${device}`]);
  const unknown = wanted?.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    const known = [...new Set(names)].join(", ");
    const what = `--only does not know ${JSON.stringify(unknown)}`;
    printDiagnostics([
      unplaced(null, errors.badUsage({ what, hint: `It takes names of these, with commas: ${known}` })),
    ]);
    return 2;
  }
  const loaded = files.length === 0 ? ({ ok: true, specs: [] } as const) : loadSpecs(files, { set });
  if (!loaded.ok) return loaded.code;
  const isWanted = ({ engine, device }: NamedSubject): boolean =>
    // The default engine decides the exit code, so it is always looked at.
    wanted === undefined ||
    (engine === "onnx" && device === "cpu") ||
    wanted.some((name) => name === engine || name === `${engine}:${device}`);
  const live = json !== true && process.stderr.isTTY === true;
  const diagnosis = await diagnose({
    folder: process.cwd(),
    only: isWanted,
    tell: ({ subject, state }) => {
      if (live) process.stderr.write(`\r\x1b[K${subject.engine} ${subject.device}: ${state}`);
    },
  });
  const timed: { readonly name: string; readonly speeds: readonly Speed[] }[] = [];
  for (const { spec } of loaded.specs) {
    if (live) process.stderr.write(`\r\x1b[Ktiming the step of ${spec.name}`);
    const works = ({ engine, device }: NamedSubject): boolean =>
      diagnosis.findings.some(
        ({ subject, state }) => subject.engine === engine && subject.device === device && state === "ok",
      );
    timed.push({ name: spec.name, speeds: await speedsOf(spec, { folder: process.cwd(), only: works }) });
  }
  if (live) process.stderr.write("\r\x1b[K");
  const text =
    json === true
      ? `${JSON.stringify({ ...diagnosis, works: defaultWorks(diagnosis), findings: diagnosis.findings.map(flat), specs: timed }, null, 2)}\n`
      : reportText(diagnosis, { colour: hasColour(process.stdout) }) +
        timed.map(({ name, speeds }) => `\n${speedsText(name, speeds)}\n`).join("");
  process.stdout.write(text);
  return defaultWorks(diagnosis) ? 0 : 1;
}

function flat({ subject, ...finding }: Finding): object {
  const { engine, device, needs, install } = subject;
  return { engine, device, ...finding, needs, install: install.map(commandFor) };
}
