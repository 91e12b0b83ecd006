/** Where Ray is, and what a point reserves of it. */
import { InvalidArgumentError, Option } from "commander";
import { errors } from "../../../compiler/diagnostics/catalogue";
import { parseExecutorOptions } from "./options";
import { ExecutorRefused } from "./refused";

export interface RayOptions {
  /** Of the dashboard: http://… or https://… */
  readonly address: string;
  /** Sent with every request. */
  readonly headers: Readonly<Record<string, string>>;
  /** What a point reserves; null: as many threads, and GPUs, as its experiment asks for. */
  readonly cpus: number | null;
  readonly gpus: number | null;
  /** Bytes; null reserves none. */
  readonly memory: number | null;
  /** Resources that the cluster defines by itself, by name. */
  readonly resources: Readonly<Record<string, number>> | null;
}

const amount = (value: string): number => {
  if (!/^\d+(\.\d+)?$/.test(value)) throw new InvalidArgumentError("It is a number, and not negative.");
  return Number(value);
};

const bytes = (value: string): number => {
  const [, number, unit = ""] = /^(\d+)([KMGT]?)$/.exec(value) ?? [];
  if (number === undefined) throw new InvalidArgumentError("It is a number of bytes, such as 8000000000, 8000M or 8G.");
  return Number(number) * 1000 ** " KMGT".indexOf(unit || " ");
};

const resource = (value: string, before: Readonly<Record<string, number>> | undefined): Record<string, number> => {
  const [, name, number] = /^([^=]+)=(\d+(?:\.\d+)?)$/.exec(value) ?? [];
  if (name === undefined) throw new InvalidArgumentError("It is a name and a number, such as a100=1.");
  return { ...before, [name]: Number(number) };
};

/** What follows `--`, and the variables that Ray's own programs read. Throws CommanderError or ExecutorRefused. */
export function parseOptions(args: readonly string[], environment: NodeJS.ProcessEnv = process.env): RayOptions {
  const values = parseExecutorOptions<{
    address?: string;
    cpus?: number;
    gpus?: number;
    memory?: number;
    resource?: Record<string, number>;
  }>(
    "ray",
    [
      new Option("--address <url>", "address of the dashboard"),
      new Option("--cpus <n>", "processors that a point reserves").argParser(amount),
      new Option("--gpus <n>", "GPUs that a point reserves").argParser(amount),
      new Option("--memory <bytes>", "memory that a point reserves").argParser(bytes),
      new Option("--resource <name=n>", "what else it reserves; may be repeated").argParser(resource),
    ],
    args,
  );
  return {
    address: addressOf(values.address, environment),
    headers: headersOf(environment.RAY_JOB_HEADERS),
    cpus: values.cpus ?? null,
    gpus: values.gpus ?? null,
    memory: values.memory ?? null,
    resources: values.resource ?? null,
  };
}

function addressOf(given: string | undefined, environment: NodeJS.ProcessEnv): string {
  const { RAY_DASHBOARD_ADDRESS, RAY_API_SERVER_ADDRESS, RAY_ADDRESS } = environment;
  const address = [given, RAY_DASHBOARD_ADDRESS, RAY_API_SERVER_ADDRESS, RAY_ADDRESS].find(Boolean);
  if (address === undefined) {
    const missing = ["--address"];
    const example = "-- --address http://head-node:8265 (or RAY_ADDRESS in the environment)";
    throw new ExecutorRefused(errors.executorOptionMissing({ executor: "ray", missing, example }));
  }
  const isWeb = URL.canParse(address) && /^https?:$/.test(new URL(address).protocol);
  if (!isWeb) throw new ExecutorRefused(errors.rayAddressForm({ found: address }));
  return address;
}

/** A JSON object, as Ray's own programs want it; one that is none is left to the server to miss. */
function headersOf(text: string | undefined): Readonly<Record<string, string>> {
  if (text === undefined) return {};
  try {
    const value: unknown = JSON.parse(text);
    const entries = typeof value === "object" && value !== null ? Object.entries(value) : [];
    return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === "string"));
  } catch {
    return {};
  }
}
