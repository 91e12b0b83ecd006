/** `ijepa decode RUN`: a decoder from predicted representations to pixels, compiled, trained, and shown by `ijepa report`. */
import { availableParallelism } from "node:os";
import { errors } from "../compiler/diagnostics/catalogue";
import { unplaced } from "../compiler/diagnostics/diagnostic";
import { prepareDecoder } from "../tools/decode/decode";
import { decodingOf, errorsText } from "../tools/decode/decoding";
import { refused, reporting } from "./evaluate";
import { runCompiled } from "./replay";
import type { SetOption } from "./set-option";

export interface DecodeCommandOptions extends SetOption {
  readonly steps: string;
  readonly threads: string;
  readonly spec?: string;
  readonly data?: string;
  readonly again?: boolean;
}

/** Resolves to the exit code: 0 trained, or there already; 1 the spec is wrong; 2 could not. */
export async function decode(run: string, options: DecodeCommandOptions): Promise<number> {
  const { spec = null, data = null, again = false, set } = options;
  const [steps, threads] = [Number(options.steps), Number(options.threads)];
  if (!isWhole(options.steps, 1)) return misused("--steps", options.steps, "It takes a whole number of 1 or more.");
  if (!isWhole(options.threads, 0)) return misused("--threads", options.threads, "It takes a whole number from 0.");
  return reporting(async () => {
    const prepared = await prepareDecoder({
      run,
      spec,
      data,
      steps,
      again,
      settings: set,
      threads: threads === 0 ? availableParallelism() : threads,
    });
    const { file, training, dataRoot } = prepared;
    if (training === null) process.stderr.write(`${file} is there already; --again trains anew\n`);
    else {
      const ended = await runCompiled(training.script, training.request, "The training of the decoder");
      if (ended !== 0) return ended;
    }
    const decoding = await decodingOf({ run, root: dataRoot });
    if (typeof decoding === "string") process.stderr.write(`Predictions were not decoded: ${decoding}.\n`);
    else process.stdout.write(`${errorsText(decoding)}\n`);
    process.stdout.write(`${file}: ijepa report ${run} shows what it makes of predictions\n`);
    return 0;
  });
}

const isWhole = (given: string, least: number): boolean =>
  given.trim() !== "" && Number.isSafeInteger(Number(given)) && Number(given) >= least;

const misused = (flag: string, found: string, hint: string): number =>
  refused([unplaced(null, errors.badUsage({ what: `${flag} is ${JSON.stringify(found)}`, hint }))]);
