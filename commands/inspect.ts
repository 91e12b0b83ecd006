/** `ijepa inspect SPEC…`: what a spec comes to, before anything is trained. */
import { build } from "../compiler/compile";
import { emitReport } from "../compiler/emit/report";
import { type MaskFacts, maskFacts, maskFactsText } from "../compiler/plan/mask-facts";
import { maskSettings } from "../compiler/spec/mask-settings";
import { deviceHours, factsOf } from "../compiler/step/facts";
import { loadSpecs } from "./specs";

export interface InspectOptions {
  readonly json?: boolean;
  /** TFLOP/s that one device sustains, for the hours. */
  readonly rate?: string;
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
export async function inspect(files: readonly string[], { json = false, rate }: InspectOptions): Promise<number> {
  const teraflops = rate === undefined ? DEFAULT_RATE_TFLOPS : Number(rate);
  if (!(teraflops > 0 && Number.isFinite(teraflops))) {
    process.stderr.write(`--rate takes TFLOP/s of one device, a number above 0; found ${JSON.stringify(rate)}\n`);
    return 2;
  }
  const loaded = loadSpecs(files);
  if (!loaded.ok) return loaded.code;
  const found = loaded.specs.map((spec) => {
    const trainer = build(spec);
    const { plan, step } = trainer;
    const facts = factsOf(step, plan);
    const masks = maskFacts(maskSettings(spec.spec));
    const grid = { width: plan.experiment.masks.gridWidth };
    return {
      file: spec.file,
      facts,
      hours: deviceHours(facts, teraflops * 1e12),
      masks,
      text: `${emitReport(trainer)}\n${maskFactsText(masks, grid)}`,
    };
  });
  if (json) {
    const specs = found.map(({ file, facts, hours, masks }) => ({
      file,
      ...facts,
      masks: jsonOf(masks),
      deviceHours: { teraflops, hours },
    }));
    process.stdout.write(`${JSON.stringify({ specs }, null, 2)}\n`);
    return 0;
  }
  for (const { text, hours } of found) {
    process.stdout.write(
      `${text}\nOn a device that sustains ${teraflops} TFLOP/s: ${hours < 1 ? `${(60 * hours).toPrecision(3)} minutes` : `${hours.toPrecision(3)} hours`}.\n`,
    );
  }
  return 0;
}
