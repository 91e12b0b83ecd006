/** Which engine does the step of a spec fastest on this machine: each is timed on the spec's own step. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "../../compiler/build";
import { bundle } from "../../compiler/bundle/bundle";
import { emitTypeScript } from "../../compiler/emit/emit";
import { precisionsOf } from "../../compiler/spec/hardware-rules";
import { specHash } from "../../compiler/spec/load";
import { deviceBatchOf } from "../../compiler/spec/mask-settings";
import type { Spec } from "../../compiler/spec/spec";
import { runTrial } from "./run-trial";
import { allSubjects, type NamedSubject } from "./subjects";

export interface Speed {
  readonly engine: NamedSubject["engine"];
  readonly device: NamedSubject["device"];
  readonly imagesPerS: number;
  readonly peakMiB: number;
}

export interface FastestOptions {
  /** From where packages are looked for. */
  readonly folder: string;
  readonly only?: (subject: NamedSubject) => boolean;
  /** An engine that has not finished by then is left out. */
  readonly limitSeconds?: number;
}

/** Those that end this process; with `once` a second one does, which is the one that is passed on. */
const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** One micro-batch on one device: what an engine runs, whatever it is repeated or shared for. */
function oneBatch(spec: Spec): Spec {
  const globalBatch = deviceBatchOf(spec);
  return {
    ...spec,
    optimization: { ...spec.optimization, globalBatch, accumulation: 1 },
    hardware: { ...spec.hardware, gpus: 1 },
    // What else it says is of the same objective.
  } as Spec;
}

/** The engines that run the step in the precision of the spec, the fastest first. */
export async function speedsOf(spec: Spec, options: FastestOptions): Promise<readonly Speed[]> {
  const { folder, only = () => true, limitSeconds = 120 } = options;
  const timed = oneBatch(spec);
  const { precision } = spec.hardware;
  const temporary = mkdtempSync(join(tmpdir(), "ijepa-fastest-"));
  const clean = (): void => rmSync(temporary, { recursive: true, force: true });
  const leave = (signal: NodeJS.Signals): void => {
    clean();
    process.kill(process.pid, signal);
  };
  for (const signal of signals) process.once(signal, leave);
  try {
    const script = join(temporary, "step.cjs");
    const files = emitTypeScript(build({ spec: timed, hash: specHash(timed) }), "ijepa/runtime/doctor/trial");
    writeFileSync(script, await bundle({ files, banner: "" }));
    const speeds: Speed[] = [];
    const able = allSubjects().filter(
      (subject): subject is typeof subject & { readonly engine: Spec["hardware"]["engine"] } =>
        only(subject) && precisionsOf(subject.engine, subject.device).includes(precision),
    );
    for (const { engine, device } of able) {
      const request = { engine, device, precision, threads: availableParallelism(), packages: [] };
      const timing = { warmup: 1, steps: 2, seconds: 1 };
      const { measured } = await runTrial({ script, request: { ...request, ...timing }, folder, limitSeconds });
      if (measured !== null)
        speeds.push({ engine, device, imagesPerS: measured.imagesPerS, peakMiB: measured.peakMiB });
    }
    return speeds.sort((a, b) => b.imagesPerS - a.imagesPerS);
  } finally {
    for (const signal of signals) process.off(signal, leave);
    clean();
  }
}

/** For people: the fastest first, the others as a share of it. */
export function speedsText(name: string, speeds: readonly Speed[]): string {
  const [fastest, ...others] = speeds;
  if (fastest === undefined) return `No engine on this machine ran the step of ${name} in time.`;
  const short = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));
  const line = ({ engine, device, imagesPerS, peakMiB }: Speed): string =>
    `${engine} ${device}, ${short(imagesPerS)} images/s, ${peakMiB.toFixed(0)} MiB`;
  return [
    `The fastest engine here for ${name}: ${line(fastest)}.`,
    ...others.map((each) => `  ${(each.imagesPerS / fastest.imagesPerS).toFixed(2)} of its speed: ${line(each)}`),
  ].join("\n");
}
