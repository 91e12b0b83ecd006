/**
 * A checkpoint of the official code, `.pth.tar` (reference.md §10): all networks, AdamW's state where the checkpoint has it, and
 * how far the run is. The official code goes on from it at the beginning of an epoch.
 */
import { join } from "node:path";
import type { ExportFormat } from "../format";
import type { ExportSource, SourceTensor } from "../source";
import { TorchTensors, writeTorchFile } from "../torch/archive";
import { dict, float, numbered, ordered, type Pickled, tuple } from "../torch/pickle";

const networks = ["encoder", "predictor", "target_encoder"] as const;
type Network = (typeof networks)[number];

/** In the order of the network's own parameters, which AdamW numbers them by (reference.md §3, §4). */
function tensorsOf({ all }: ExportSource, network: Network): readonly SourceTensor[] {
  const own = all
    .filter(({ name }) => name.startsWith(`${network}.`))
    .map((tensor) => ({ ...tensor, name: tensor.name.slice(network.length + 1) }));
  const first = ["mask_token", "predictor_pos_embed", "pos_embed"];
  const rank = ({ name }: SourceTensor): number => (first.includes(name) ? first.indexOf(name) : first.length);
  return [...own].sort((a, b) => rank(a) - rank(b));
}

/** Names as the official code's processes have them. */
const stateDict = (tensors: readonly SourceTensor[], torch: TorchTensors): Pickled =>
  ordered(new Map(tensors.map((tensor) => [`module.${tensor.name}`, torch.add(tensor)])));

const isExcluded = ({ name, shape }: SourceTensor): boolean => name.includes("bias") || shape.length === 1;

/** AdamW's state dict: parameters numbered group by group, moments of those that were trained (reference.md §7). */
function optimizerState(source: ExportSource, torch: TorchTensors): Pickled {
  const { optimizer, schedule } = source.experiment;
  const { step } = source.metadata.progress;
  const moments = new Map(source.all.map((tensor) => [tensor.name, tensor]));
  const state = new Map<number, Pickled>();
  let number = 0;
  const group = (network: "encoder" | "predictor", excluded: boolean): Pickled => {
    const members = tensorsOf(source, network).filter((tensor) => isExcluded(tensor) === excluded);
    const params = members.map(({ name }) => {
      const at = number++;
      const m = moments.get(`opt.m.${network}.${name}`);
      const v = moments.get(`opt.v.${network}.${name}`);
      if (m !== undefined && v !== undefined) {
        state.set(at, dict({ step: float(step), exp_avg: torch.add(m), exp_avg_sq: torch.add(v) }));
      }
      return at;
    });
    return dict({
      ...(excluded ? { WD_exclude: true } : {}),
      weight_decay: excluded ? 0 : float(schedule.weightDecayStart),
      lr: float(schedule.lrPeak),
      betas: tuple(float(optimizer.beta1), float(optimizer.beta2)),
      eps: float(optimizer.eps),
      amsgrad: false,
      maximize: false,
      foreach: null,
      capturable: false,
      differentiable: false,
      fused: null,
      params,
    });
  };
  const groups = [group("encoder", false), group("predictor", false), group("encoder", true), group("predictor", true)];
  return dict({ state: numbered(state), param_groups: groups });
}

/** GradScaler's, as it begins: bfloat16 does not need it, but the official code loads it all the same (reference.md §8). */
const scaler = dict({
  scale: float(65536),
  growth_factor: float(2),
  backoff_factor: float(0.5),
  growth_interval: 2000,
  _growth_tracker: 0,
});

export const official: ExportFormat = {
  purpose: "a checkpoint that the official PyTorch code goes on from",
  library: null,
  objectives: ["ijepa"],
  precisions: [],
  make: async ({ source, folder, out }) => {
    const { optimizer, hardware, schedule, name } = source.experiment;
    const { epoch, loss, step } = source.metadata.progress;
    const torch = new TorchTensors();
    const root = `${name}-latest`;
    const value = dict({
      ...Object.fromEntries(networks.map((network) => [network, stateDict(tensorsOf(source, network), torch)])),
      opt: optimizerState(source, torch),
      scaler,
      epoch,
      loss: float(loss),
      batch_size: optimizer.globalBatch / hardware.gpus,
      world_size: hardware.gpus,
      lr: float(schedule.lrPeak),
    });
    const file = `${root}.pth.tar`;
    await writeTorchFile({ path: join(folder, file), root, value, tensors: torch });
    const rest = step - epoch * optimizer.stepsPerEpoch;
    return {
      loading: {
        language: "python",
        lines: [
          "import torch",
          `checkpoint = torch.load(${JSON.stringify(`${out}/${file}`)}, map_location="cpu", weights_only=True)`,
          'print(checkpoint["epoch"], len(checkpoint["target_encoder"]))',
        ],
      },
      notes: [
        "Both encoders, the predictor and AdamW's state are in it; --encoder changes nothing here.",
        ...(rest > 0
          ? [`It is of ${rest} steps into epoch ${epoch + 1}; the official code begins that epoch again.`]
          : []),
      ],
    };
  },
};
