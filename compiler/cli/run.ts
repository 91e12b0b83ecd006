/** `ijepa run`: placeholder. */
export async function run(_specs: readonly string[], _options: object): Promise<number> {
  process.stderr.write("internal: not wired\n");
  return 2;
}
