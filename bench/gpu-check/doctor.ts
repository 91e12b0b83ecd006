/** The doctor's part of a check, in a process of its own: `ijepa doctor`, with a program that was compiled before. */
import { diagnose } from "../../tools/doctor/diagnose";

/** `names`: engine:device, as for `ijepa doctor --only`. */
export async function doctor(folder: string, program: string, names: readonly string[]): Promise<void> {
  const { findings, system } = await diagnose({
    folder,
    program,
    limitSeconds: 30,
    seconds: 0.5,
    only: ({ engine, device }) => names.includes(`${engine}:${device}`),
  });
  const found = findings.map(({ subject: { engine, device }, state, description, lossError, problem }) => {
    return { engine, device, state, description, lossError, problem };
  });
  process.stdout.write(`${JSON.stringify({ system, findings: found })}\n`);
}
