/** `ijepa verify RUN|FILE…`: reads checkpoints in whole and compares their checksums. */
import { UserError } from "../runtime/errors";
import { verifiedText, verify as verifyPath } from "../tools/verify/verify";

/** Resolves to the exit code: 0 all are whole, 1 one is damaged, 2 there is none. */
export async function verify(paths: readonly string[], options: { readonly json?: boolean }): Promise<number> {
  try {
    const files = (await Promise.all(paths.map(verifyPath))).flat();
    process.stdout.write(
      options.json === true ? `${JSON.stringify({ files }, null, 2)}\n` : `${verifiedText(files)}\n`,
    );
    return files.every(({ problem }) => problem === null) ? 0 : 1;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { code, message } = error;
    if (options.json === true) process.stdout.write(`${JSON.stringify({ error: { code, message } }, null, 2)}\n`);
    else process.stderr.write(`${code}: ${message}\n`);
    return 2;
  }
}
