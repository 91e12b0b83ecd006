/**
 * xla.CompileOptionsProto, written by hand: protocol buffers are small where only a few fields are set. Field numbers are
 * facts of xla/pjrt/proto/compile_options.proto.
 */

export interface CompileOptions {
  readonly replicas: number;
  readonly partitions: number;
  /** The device of each replica by its number in the client; left out: the first ones. */
  readonly devices?: readonly number[];
  /** XLA's flags for this program alone, without the dashes: xla_cpu_enable_fast_math, … */
  readonly flags?: Readonly<Record<string, string | boolean | number>>;
}

/** CompileOptionsProto: executable_build_options 3, env_option_overrides 7; ExecutableBuildOptionsProto: 4, 5 and 9. */
const FIELDS = { build: 3, overrides: 7, replicas: 4, partitions: 5, assignment: 9 } as const;
/** DeviceAssignmentProto; its list has one entry for each partition. */
const ASSIGNMENT = { replicas: 1, partitions: 2, list: 3, numbers: 1 } as const;
/** OptionOverrideProto. */
const OVERRIDES = { text: 1, boolean: 2, integer: 3 } as const;

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  return [...bytes, Number(rest)];
}

function integer(field: number, value: number): number[] {
  return [...varint(field * 8), ...varint(value)];
}

function bytes(field: number, value: readonly number[]): number[] {
  return [...varint(field * 8 + 2), ...varint(value.length), ...value];
}

const textOf = (text: string): number[] => [...new TextEncoder().encode(text)];

function override(value: string | boolean | number): number[] {
  if (typeof value === "string") return bytes(OVERRIDES.text, textOf(value));
  if (typeof value === "boolean") return integer(OVERRIDES.boolean, value ? 1 : 0);
  return integer(OVERRIDES.integer, value);
}

/** Throws where XLA would end the process: it checks that there is a replica, and asserts that. */
export function compileOptionsBytes({ replicas, partitions, devices, flags = {} }: CompileOptions): Uint8Array {
  if (!Number.isInteger(replicas) || !Number.isInteger(partitions) || replicas < 1 || partitions < 1) {
    throw new Error(`internal: ${replicas} replicas of ${partitions} partitions`);
  }
  if (devices !== undefined && (devices.length !== replicas || partitions !== 1)) {
    throw new Error(`internal: ${devices.length} devices for ${replicas} replicas of ${partitions} partitions`);
  }
  const assignment = devices === undefined ? [] : bytes(FIELDS.assignment, assignmentBytes(devices));
  const build = [...integer(FIELDS.replicas, replicas), ...integer(FIELDS.partitions, partitions), ...assignment];
  const overrides = Object.entries(flags).flatMap(([name, value]) =>
    bytes(FIELDS.overrides, [...bytes(1, textOf(name)), ...bytes(2, override(value))]),
  );
  return Uint8Array.from([...bytes(FIELDS.build, build), ...overrides]);
}

function assignmentBytes(devices: readonly number[]): number[] {
  const numbers = bytes(
    ASSIGNMENT.numbers,
    devices.flatMap((device) => varint(device)),
  );
  return [
    ...integer(ASSIGNMENT.replicas, devices.length),
    ...integer(ASSIGNMENT.partitions, 1),
    ...bytes(ASSIGNMENT.list, numbers),
  ];
}
