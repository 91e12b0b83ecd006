/** The command in this process, with what it says. Processes that it starts write to it, or it does not hear them. */
import { vi } from "vitest";
import { main } from "../../commands/main";

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export async function ijepa(...args: readonly string[]): Promise<Ran> {
  const parts = { out: "", err: "" };
  const take = (stream: "out" | "err") => (chunk: unknown) => {
    parts[stream] += chunk instanceof Uint8Array ? Buffer.from(chunk).toString() : String(chunk);
    return true;
  };
  const spies = [
    vi.spyOn(process.stdout, "write").mockImplementation(take("out")),
    vi.spyOn(process.stderr, "write").mockImplementation(take("err")),
  ];
  try {
    return { code: await main(args), ...parts };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}
