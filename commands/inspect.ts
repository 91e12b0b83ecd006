/** `ijepa inspect SPEC…`: what a spec comes to, before anything is trained. */

import { build } from "../compiler/build";
import { errors } from "../compiler/diagnostics/catalogue";
import { unplaced } from "../compiler/diagnostics/diagnostic";
import { emitReport } from "../compiler/emit/report";
import { objectiveOf } from "../compiler/objectives";
import { type MaskFacts, maskFactsText } from "../compiler/plan/mask-facts";
import { resolvedFields, resolvedText } from "../compiler/spec/resolved";
import { deviceHours, type Facts, factsOf } from "../compiler/step/facts";
import { memoryBySharding } from "../compiler/step/sharding";
import type { Trainer } from "../compiler/step/step";
import type { Speed } from "../tools/doctor/fastest";
import { dataNeeds, dataNeedsText } from "../tools/scaling/data";
import { expectScaling, type ScalingOptions } from "../tools/scaling/expect";
import { assumed, cardNames } from "../tools/scaling/hardware";
import { scalingText } from "../tools/scaling/text";
import { memoryWarnings } from "./memory";
import { printDiagnostics } from "./print";
import type { SetOption } from "./set-option";
import { loadSpecs, type NamedSpec } from "./specs";

export interface InspectOptions extends SetOption {
  readonly json?: boolean;
  /** TFLOP/s that one device sustains, for the hours. */
  readonly rate?: string;
  /** Times the step on every engine that is here; false: times nothing. Left out: on the engine of the spec, once. */
  readonly measure?: boolean;
  /** The whole spec, and where each value comes from. */
  readonly resolved?: boolean;
  /** Adds what the model of scaling expects. */
  readonly scaling?: boolean;
  readonly card?: string;
  readonly mfu?: string;
  readonly stepMs?: string;
}

const DEFAULT_RATE_TFLOPS = 100;

/** Typed arrays as lists. */
function jsonOf(masks: MaskFacts): object {
  const entries = Object.entries(masks).map(([name, { coverage, ...facts }]: [string, MaskFacts["own"]]) => [
    name,
    { ...facts, coverage: { ...coverage, context: [...coverage.context], target: [...coverage.target] } },
  ]);
  return Object.fromEntries(entries);
}

/** Resolves to the exit code: 0 shown, 1 invalid, 2 could not run. */
export async function inspect(files: readonly string[], options: InspectOptions): Promise<number> {
  const { json = false, rate, measure, resolved = false, set } = options;
  const teraflops = rate === undefined ? DEFAULT_RATE_TFLOPS : Number(rate);
  if (!(teraflops > 0 && Number.isFinite(teraflops))) {
    const what = `--rate takes TFLOP/s of one device; found ${JSON.stringify(rate)}`;
    printDiagnostics([unplaced(null, errors.badUsage({ what, hint: "It is a number above 0, such as --rate 100." }))]);
    return 2;
  }
  const card = scalingOptions(options);
  if (typeof card === "string") {
    process.stderr.write(`${card}\n`);
    return 2;
  }
  const scaling = options.scaling === true ? card : null;
  const loaded = loadSpecs(files, { set });
  if (!loaded.ok) return loaded.code;
  if (resolved) {
    process.stdout.write(resolvedOf(loaded.specs, json));
    return 0;
  }
  const found = loaded.specs.map((spec) => {
    const trainer = build(spec);
    const { plan, step } = trainer;
    const facts = factsOf(step, plan);
    const tooLarge = memoryWarnings(spec, trainer);
    printDiagnostics(tooLarge);
    const masks = objectiveOf(spec.spec.objective).maskFacts(spec.spec);
    const grid = { width: plan.experiment.masks.gridWidth };
    return {
      file: spec.file,
      named: spec,
      trainer,
      fits: tooLarge.length === 0,
      facts,
      hours: deviceHours(facts, teraflops * 1e12),
      memoryBySharding: memoryBySharding(plan, trainer.model),
      masks,
      data: dataNeeds(facts, plan.experiment, card),
      scaling: scaling === null ? null : expectScaling(facts, plan.experiment, scaling),
      text: [emitReport(trainer), ...(masks === null ? [] : [maskFactsText(masks, grid)])].join("\n"),
    };
  });
  const timed = measure === true ? await speeds(loaded.specs) : null;
  const here = new Map<string, Here>();
  if (measure !== false) for (const each of found) here.set(each.file, await hereOf(each, timed?.get(each.file)));
  if (json) {
    const specs = found.map(({ file, facts, hours, memoryBySharding: sharding, masks, data, scaling }) => ({
      file,
      ...facts,
      ...(sharding === null ? {} : { memoryBySharding: sharding }),
      ...(masks === null ? {} : { masks: jsonOf(masks) }),
      deviceHours: { teraflops, hours },
      ...(here.has(file) ? { thisMachine: here.get(file) } : {}),
      ...(data === null ? {} : { dataNeeds: data }),
      ...(scaling === null ? {} : { scaling }),
      ...(timed === null ? {} : { speeds: timed.get(file)?.speeds }),
    }));
    process.stdout.write(`${JSON.stringify({ specs }, null, 2)}\n`);
    return 0;
  }
  for (const { file, text, hours, facts, data, scaling } of found) {
    const { devices } = facts;
    const shared = devices === 1 ? "" : ` of one device, ${time(hours / devices)} of ${devices} that never wait`;
    process.stdout.write(`${text}\nOn a device that sustains ${teraflops} TFLOP/s: ${time(hours)}${shared}.\n`);
    if (data !== null) process.stdout.write(`${dataNeedsText(data)}\n`);
    const onThis = here.get(file);
    if (onThis !== undefined)
      process.stdout.write(
        `${hereText(onThis, measure === true ? "" : ` \`ijepa inspect ${file} --measure\` tries it.`)}\n`,
      );
    if (scaling !== null) process.stdout.write(`\n## Scaling\n\n${scalingText(scaling)}\n`);
    const all = timed?.get(file);
    if (all !== undefined) process.stdout.write(`\n${all.text}\n`);
  }
  return 0;
}

const time = (hours: number): string =>
  hours < 1 ? `${(60 * hours).toPrecision(3)} minutes` : `${hours.toPrecision(3)} hours`;

/** What one device of this machine would take, as measured, or why that is not known. */
type Here =
  | { readonly hours: number; readonly engine: string; readonly imagesPerS: number; readonly day: string }
  | { readonly hours: null; readonly why: string };

interface Found {
  readonly named: NamedSpec;
  readonly trainer: Trainer;
  readonly fits: boolean;
  readonly facts: Facts;
}

async function hereOf({ named: { spec }, trainer, fits, facts }: Found, timed: Timed | undefined): Promise<Here> {
  const { keepSpeed, ownSpeed } = await import("../tools/doctor/own-speed");
  const { engine, device } = spec.hardware;
  const own = timed?.speeds.find((speed) => speed.engine === engine && speed.device === device);
  const speed =
    timed === undefined
      ? await ownSpeed(spec, trainer, {
          folder: process.cwd(),
          fits,
          timing: () => process.stderr.write("Timing a step on this machine …\n"),
        })
      : own === undefined
        ? { why: `${engine} on ${device} did no step in time` }
        : keepSpeed(trainer.plan, own);
  if ("why" in speed) return { hours: null, ...speed };
  return { hours: facts.images / speed.imagesPerS / 3600, engine: `${engine} ${device}`, ...speed };
}

function hereText(here: Here, advice: string): string {
  if (here.hours === null) return `On this machine: not timed, since ${here.why}.${advice}`;
  const rate = here.imagesPerS >= 10 ? here.imagesPerS.toFixed(0) : here.imagesPerS.toPrecision(2);
  return `On this machine, as measured on ${here.day}: ${time(here.hours)} on ${here.engine}, ${rate} images/s. --measure times every engine anew.`;
}

function resolvedOf(specs: readonly NamedSpec[], json: boolean): string {
  if (!json) return specs.map(({ spec, source }) => resolvedText(spec, source)).join("\n");
  const found = specs.map(({ file, spec, source }) => ({ file, fields: resolvedFields(spec, source) }));
  return `${JSON.stringify({ specs: found }, null, 2)}\n`;
}

/** A sentence where one of them makes no sense. */
function scalingOptions({ card = "H100", mfu, stepMs }: InspectOptions): ScalingOptions | string {
  const known = cardNames.find((name) => name === card);
  if (known === undefined) return `--card takes ${cardNames.join(", ")}; found ${JSON.stringify(card)}`;
  const share = mfu === undefined ? assumed.mfu : Number(mfu);
  if (!(share > 0 && share <= 1)) return `--mfu takes a share of the card's peak, above 0 and at most 1; found ${mfu}`;
  const ms = stepMs === undefined ? null : Number(stepMs);
  if (ms !== null && !(ms > 0 && Number.isFinite(ms))) return `--step-ms takes milliseconds above 0; found ${stepMs}`;
  return { card: known, mfu: share, stepSeconds: ms === null ? null : ms / 1000 };
}

interface Timed {
  readonly speeds: readonly Speed[];
  readonly text: string;
}

/** The engines that are here, timed on the step of every spec. Loaded only here: a step has to be bundled for it. */
async function speeds(specs: readonly NamedSpec[]): Promise<ReadonlyMap<string, Timed>> {
  const { speedsOf, speedsText } = await import("../tools/doctor/fastest");
  const timed = new Map<string, Timed>();
  for (const { file, spec } of specs) {
    const found = await speedsOf(spec, { folder: process.cwd() });
    timed.set(file, { speeds: found, text: speedsText(spec.name, found) });
  }
  return timed;
}
