/** What a replay computed against what was recorded. */
import { toOfficial } from "../checkpoint/official";
import type { HostArray, StateStore } from "../engines/engine";
import type { TrainerProgram } from "../experiment";
import type { Constants } from "../loop/functions";
import { type StepValues, scheduleAt } from "../schedules/schedules";
import type { Judge } from "./bfloat16";
import { type Chosen, type Comparison, compare, type Group, largest, type Numbers, toleranceOf } from "./compare";
import { floatsOf } from "./inputs";
import { type Recorded, weightTensors } from "./recorded";
import type { Trace } from "./trace";

export type Outputs = ReadonlyMap<string, HostArray>;

export interface Losses {
  /** By step, then by rank. */
  readonly local: readonly (readonly number[])[];
  readonly mse: readonly number[];
}

/** Schedules are float64 throughout; a cosine may round otherwise in its last bits. */
const SCHEDULE_TOLERANCE = 1e-12;
/** Two float32 steps at 1, the largest value of a table. */
const POSITION_TOLERANCE = 2.5e-7;
/** The key third of the bias of query, key and value: its true gradient is 0, and AdamW amplifies rounding. */
const KEY_BIAS_TOLERANCE = 1e-4;

const everywhere: Chosen = () => true;

export class Results {
  readonly found: Comparison[] = [];

  constructor(
    private readonly trace: Trace,
    private readonly program: TrainerProgram,
    private readonly constants: Constants,
    private readonly judge: Judge,
  ) {}

  private async add(
    tensor: string,
    about: {
      readonly group: Group;
      readonly afterSteps: number;
      readonly computed: Numbers;
      readonly tolerance?: (recorded: Numbers) => number;
      readonly chosen?: Chosen;
      readonly part?: string;
    },
  ): Promise<void> {
    const { group, afterSteps, computed, chosen = everywhere, part = "" } = about;
    const recorded = await floatsOf(this.trace.file, tensor);
    const stated = this.trace.tolerances.get(tensor);
    const kind = group === "weights" || group === "moving average" || afterSteps > 0 ? "after updates" : "first pass";
    const tolerance = about.tolerance?.(recorded) ?? toleranceOf(stated, recorded, kind);
    const shape = this.trace.file.header.tensors.get(tensor)?.shape ?? [];
    for (const judged of await this.judge({ group, tensor, afterSteps, recorded, tolerance })) {
      const isMeant: Chosen = (i) => chosen(i) && (judged.chosen ?? everywhere)(i);
      if (!Array.from(recorded).some((_, i) => isMeant(i))) continue;
      const facts = { tensor: `${tensor}${part}${judged.part}`, group, afterSteps, shape, recorded, computed };
      this.found.push(compare({ ...facts, chosen: isMeant, tolerance: judged.tolerance }));
    }
  }

  private has(tensor: string): boolean {
    return this.trace.file.header.tensors.has(tensor);
  }

  /** The frozen tables that the trace keeps among the weights; in the target encoder they drift by rounding. */
  async positions(afterSteps: number): Promise<void> {
    const { experiment, objective } = this.program;
    for (const { name, constant } of objective.positions(experiment)) {
      const tensor = `${afterSteps === 0 ? "init" : `after${afterSteps}`}.${name}`;
      if (!this.has(tensor)) continue;
      const computed = this.constants[constant];
      if (computed === undefined) throw new Error(`internal: there is no constant ${constant}`);
      await this.add(tensor, {
        group: "position embeddings",
        afterSteps,
        computed,
        ...(afterSteps === 0 && { tolerance: () => POSITION_TOLERANCE }),
      });
    }
  }

  async schedules(): Promise<void> {
    const { schedule, optimizer } = this.program.experiment;
    const planned = Array.from({ length: this.trace.steps }, (_, step) => scheduleAt(schedule, optimizer, step));
    const add = (tensor: string, value: keyof StepValues): Promise<void> =>
      this.add(tensor, {
        group: "schedules",
        afterSteps: 0,
        computed: planned.map((values) => values[value] ?? Number.NaN),
        tolerance: (recorded) => SCHEDULE_TOLERANCE * largest(recorded),
      });
    await add("seq.lr", "learningRate");
    await add("seq.wd", "weightDecay");
    if (this.trace.averages) await add("seq.momentum", "momentum");
  }

  /** One record of outputs for each rank; recorded is the first. */
  async firstPass(recorded: Recorded, outputs: readonly Outputs[]): Promise<void> {
    const [first] = outputs;
    const at = (path: string): HostArray => {
      const values = first?.get(path);
      if (values === undefined) throw new Error(`internal: the probe has no output ${path}`);
      return values;
    };
    const add = (tensor: string, group: Group, path: string): Promise<void> =>
      this.add(tensor, { group, afterSteps: 0, computed: at(path) });
    if (recorded.forward) {
      for (const { tensor, group, output } of this.program.objective.recorded.forward) await add(tensor, group, output);
    }
    for (const { tensor, group, output } of this.program.objective.recorded.also ?? []) {
      if (first?.has(output) && this.trace.file.header.tensors.has(tensor)) await add(tensor, group, output);
    }
  }

  /** One record of outputs for each rank, with the loss that is trained on; the gradient is their mean. */
  async gradients(recorded: Recorded, outputs: readonly Outputs[]): Promise<void> {
    if (!recorded.gradients) return;
    for (const { name, parameter } of this.trained()) {
      const ranks = outputs.map((one) => gradientAt(one, parameter.path));
      const computed = toOfficial(parameter, meanOf(ranks));
      await this.add(`grad.${name}`, { group: "gradients", afterSteps: 0, computed });
    }
  }

  async firstPassOfMse(recorded: Recorded, outputs: Outputs): Promise<void> {
    if (!recorded.forward) return;
    const loss = [scalar(outputs, "loss")];
    await this.add("fwd.loss_mse", { group: "losses", afterSteps: 0, computed: loss });
    for (const { name, parameter } of this.trained()) {
      const norm = this.trace.mseGradientNorms?.get(name);
      if (norm === undefined) continue;
      const facts = { tensor: `grad_mse_l2.${name}`, group: "gradients", afterSteps: 0, recorded: [norm] } as const;
      const tolerance = toleranceOf(undefined, [norm], "first pass");
      for (const judged of await this.judge({ ...facts, tolerance })) {
        const computed = [normOf(gradientAt(outputs, parameter.path))];
        this.found.push(compare({ ...facts, shape: [], computed, tolerance: judged.tolerance }));
      }
    }
  }

  private trained() {
    return weightTensors(this.program.parameters, this.trace).filter(({ name }) => !name.startsWith("target_encoder."));
  }

  async state(afterSteps: number, store: StateStore): Promise<void> {
    for (const { name, statePath, parameter } of weightTensors(this.program.parameters, this.trace)) {
      const computed = toOfficial(parameter, await store.read(statePath));
      const tensor = `after${afterSteps}.${name}`;
      const group = name.startsWith("target_encoder.") ? "moving average" : "weights";
      if (!name.endsWith("attn.qkv.bias")) {
        await this.add(tensor, { group, afterSteps, computed });
        continue;
      }
      const width = computed.length / 3;
      const isKey: Chosen = (i) => i >= width && i < 2 * width;
      await this.add(tensor, { group, afterSteps, computed, chosen: (i) => !isKey(i) });
      const noise = this.trace.tolerances.get(tensor)?.noise ?? 0;
      const tolerance = () => Math.max(KEY_BIAS_TOLERANCE, 24 * noise);
      await this.add(tensor, { group, afterSteps, computed, chosen: isKey, part: "[k]", tolerance });
    }
  }

  async losses({ losses }: Recorded, { local, mse }: Losses): Promise<void> {
    const mean = local.map((ranks) => ranks.reduce((sum, loss) => sum + loss, 0) / ranks.length);
    const computed: Readonly<Record<string, Numbers>> = {
      ...Object.fromEntries(this.program.objective.recorded.losses.map((name) => [name, mean])),
      ...(mse.length === local.length && { "seq.loss_mse": mse }),
      "seq.loss_local": local.flat(),
      "seq.loss_allreduced": mean,
    };
    for (const [tensor, values] of Object.entries(computed)) {
      if (losses.has(tensor)) await this.add(tensor, { group: "losses", afterSteps: local.length, computed: values });
    }
  }
}

/** Of what an observer gives. */
export function gradientAt(outputs: Outputs, path: string): Float32Array {
  const values = outputs.get(`gradients.${path}`);
  if (values instanceof Float32Array) return values;
  throw new Error(`internal: the probe has no gradient of ${path}`);
}

/** Of the gradients of ranks or micro-batches, each in the layout of the state. */
export function meanOf(ranks: readonly Float32Array[]): Float32Array {
  const [first, ...others] = ranks;
  if (first === undefined || others.length === 0) return first ?? new Float32Array();
  return first.map((value, i) => (value + others.reduce((sum, other) => sum + (other[i] ?? 0), 0)) / ranks.length);
}

const normOf = (values: Float32Array): number => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));

export function scalar(outputs: Outputs, name: string): number {
  const value = outputs.get(name)?.[0];
  if (value === undefined) throw new Error(`internal: there is no output ${name}`);
  return value;
}
