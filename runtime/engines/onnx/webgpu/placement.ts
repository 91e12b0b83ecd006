/** Where onnxruntime placed the nodes of a session, from what it logs while it makes one. */

export interface Placement {
  readonly onDevice: number;
  /** The nodes that are left to the CPU, by name. */
  readonly onCpu: readonly { readonly op: string; readonly name: string }[];
  /** Copies between the memories of the two that every run makes. */
  readonly copies: number;
}

/** Null where the log does not say. */
export function placementOf(log: readonly string[]): Placement | null {
  const from = log.findIndex((line) => line.includes("Node placements"));
  if (from < 0) return null;
  let onDevice = 0;
  const onCpu: { op: string; name: string }[] = [];
  let provider = "";
  for (const line of log.slice(from + 1)) {
    const [, placed, count] = /placed on \[(\w+)\]\. Number of nodes: (\d+)/.exec(line) ?? [];
    const [, op, name] = /^\s+(\S+) \((.*)\)$/.exec(line) ?? [];
    if (placed !== undefined) {
      provider = placed;
      if (provider.startsWith("WebGpu")) onDevice += Number(count);
    } else if (op !== undefined && name !== undefined) {
      if (provider.startsWith("CPU")) onCpu.push({ op, name });
    } else {
      break;
    }
  }
  const copies = log.filter((line) => /^Add Memcpy(From|To)Host /.test(line)).length;
  return { onDevice, onCpu, copies };
}
