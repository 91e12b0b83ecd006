/** What a Job of Kubernetes must be told. */
import { InvalidArgumentError, Option } from "commander";
import { errors } from "../../../compiler/diagnostics/catalogue";
import { parseExecutorOptions } from "./options";
import { ExecutorRefused } from "./refused";

export interface KubernetesOptions {
  readonly image: string;
  readonly claim: string;
  readonly namespace: string | null;
  readonly cpu: string | null;
  readonly memory: string | null;
  /** Null: as many as the experiments want. */
  readonly gpus: number | null;
  /** Hand the Job to the cluster and follow it; else it is only written. */
  readonly apply: boolean;
}

const quantity = (value: string): string => {
  if (!/^\d+(\.\d+)?([kMGTPE]|[KMGTPE]i)?$/.test(value)) {
    throw new InvalidArgumentError("It is a quantity of bytes, such as 8Gi or 500M.");
  }
  return value;
};

const processors = (value: string): string => {
  if (!/^(\d+(\.\d+)?|\d+m)$/.test(value)) {
    throw new InvalidArgumentError("It is a number of processors, such as 4, or of their thousandths, such as 500m.");
  }
  return value;
};

const name = (value: string): string => {
  if (!/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(value)) {
    throw new InvalidArgumentError("Names in Kubernetes are small letters, digits and hyphens.");
  }
  return value;
};

const wholeNumber = (value: string): number => {
  if (!/^\d{1,3}$/.test(value)) throw new InvalidArgumentError("It is a whole number.");
  return Number(value);
};

/** What follows `--`. Throws CommanderError or ExecutorRefused. */
export function parseOptions(args: readonly string[]): KubernetesOptions {
  const values = parseExecutorOptions<{
    image?: string;
    claim?: string;
    namespace?: string;
    cpu?: string;
    memory?: string;
    gpus?: number;
    apply?: true;
  }>(
    "kubernetes",
    [
      new Option("--image <image>", "container image with node"),
      new Option("--claim <name>", "volume claim of the shared folder").argParser(name),
      new Option("--namespace <name>", "namespace of the Job").argParser(name),
      new Option("--cpu <quantity>", "processors of a pod").argParser(processors),
      new Option("--memory <quantity>", "memory of a pod").argParser(quantity),
      new Option("--gpus <n>", "GPUs of a pod").argParser(wholeNumber),
      new Option("--apply", "hand it to the cluster, and follow it"),
    ],
    args,
  );
  const { image, claim } = values;
  if (!image || !claim) {
    const missing = [...(image ? [] : ["--image"]), ...(claim ? [] : ["--claim"])];
    const example = "-- --image node:22-slim --claim shared-disk --cpu 4 --memory 8Gi --apply";
    throw new ExecutorRefused(errors.executorOptionMissing({ executor: "kubernetes", missing, example }));
  }
  return {
    image,
    claim,
    namespace: values.namespace ?? null,
    cpu: values.cpu ?? null,
    memory: values.memory ?? null,
    gpus: values.gpus ?? null,
    apply: values.apply ?? false,
  };
}
