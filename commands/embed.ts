/** `ijepa embed RUN|CHECKPOINT IMAGES --out F.npy|F.parquet`: features for other programs. */
import { errors } from "../compiler/diagnostics/catalogue";
import { unplaced } from "../compiler/diagnostics/diagnostic";
import { embed, embedEndings } from "../tools/embed/embed";
import { encoderOf, progressLine, refused, reporting } from "./evaluate";

export interface EmbedCommandOptions {
  readonly out: string;
  readonly patches?: boolean;
  readonly encoder: string;
  readonly spec?: string;
}

/** Resolves to the exit code: 0 written, 1 the spec is wrong, 2 could not embed. */
export async function embedCommand(from: string, images: string, options: EmbedCommandOptions): Promise<number> {
  const encoder = encoderOf(options.encoder);
  if ("wrong" in encoder) return refused([encoder.wrong]);
  const { out, spec = null, patches = false } = options;
  if (!embedEndings.some((ending) => out.endsWith(ending))) {
    const what = `--out is ${JSON.stringify(out)}`;
    const hint = `It takes a name that ends in ${embedEndings.join(" or ")}.`;
    return refused([unplaced(null, errors.badUsage({ what, hint }))]);
  }
  const progress = progressLine();
  return reporting(async () => {
    const work = embed({ from, encoder: encoder.value, spec, images, out, patches, progress: progress.show });
    const { written, notes } = await work.finally(progress.clear);
    const lines = written.map(({ path, shape }) => `${path}  [${shape.join(", ")}]`);
    process.stdout.write([...lines, ...notes].map((line) => `${line}\n`).join(""));
    return 0;
  });
}
