"""Records training runs in the format of docs/parity.md with an implementation of our own in PyTorch.

    python record.py

It was written from docs/reference.md, not from the official code, and covers shapes that no official recording has: three
processes, lengths that never change or change together, images that are no multiple of the patch; and the terms of VICReg,
written from its paper (Bardes et al. 2022, §4.1), on the context's features as C-JEPA has them (Mo and Tong 2024).
"""

import copy
import json
import math
import struct

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

torch.set_num_threads(1)


def position_table(dim, grid):
    omega = 10000.0 ** (-np.arange(dim // 4) / (dim / 4))
    y, x = np.divmod(np.arange(grid * grid), grid)
    parts = [wave(np.outer(axis, omega)) for axis in (x, y) for wave in (np.sin, np.cos)]
    return nn.Parameter(torch.tensor(np.concatenate(parts, 1)).float()[None], requires_grad=False)


class Attention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x):
        rows, tokens, dim = x.shape
        q, k, v = self.qkv(x).reshape(rows, tokens, 3, self.heads, dim // self.heads).permute(2, 0, 3, 1, 4)
        weights = (q @ k.transpose(-1, -2) * (dim // self.heads) ** -0.5).softmax(-1)
        return self.proj((weights @ v).transpose(1, 2).reshape(rows, tokens, dim))


class Mlp(nn.Module):
    def __init__(self, dim, hidden):
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden)
        self.fc2 = nn.Linear(hidden, dim)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x)))


class Block(nn.Module):
    def __init__(self, dim, heads, hidden):
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.attn = Attention(dim, heads)
        self.norm2 = nn.LayerNorm(dim, eps=1e-6)
        self.mlp = Mlp(dim, hidden)

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class PatchEmbed(nn.Module):
    def __init__(self, dim, patch):
        super().__init__()
        self.proj = nn.Conv2d(3, dim, patch, patch)

    def forward(self, images):
        return self.proj(images).flatten(2).transpose(1, 2)


def choose(x, masks):
    """Tokens of every mask: rows (mask, image)."""
    return torch.cat([torch.gather(x, 1, mask.long()[:, :, None].expand(-1, -1, x.shape[-1])) for mask in masks])


def repeat(x, images, times):
    """Rows (target, image) to rows (target, context, image)."""
    return torch.cat([chunk for part in x.split(images) for chunk in [part] * times])


class Encoder(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.pos_embed = position_table(c["dim"], c["crop"] // c["patch"])
        self.patch_embed = PatchEmbed(c["dim"], c["patch"])
        self.blocks = nn.ModuleList(Block(c["dim"], c["heads"], int(c["dim"] * c["mlp"])) for _ in range(c["depth"]))
        self.norm = nn.LayerNorm(c["dim"], eps=1e-6)

    def forward(self, images, masks=None):
        x = self.patch_embed(images) + self.pos_embed
        if masks is not None:
            x = choose(x, masks)
        for block in self.blocks:
            x = block(x)
        return self.norm(x)


class Predictor(nn.Module):
    def __init__(self, c):
        super().__init__()
        dim = c["pdim"]
        self.mask_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.predictor_pos_embed = position_table(dim, c["crop"] // c["patch"])
        self.predictor_embed = nn.Linear(c["dim"], dim)
        self.predictor_blocks = nn.ModuleList(Block(dim, c["heads"], 4 * dim) for _ in range(c["pdepth"]))
        self.predictor_norm = nn.LayerNorm(dim, eps=1e-6)
        self.predictor_proj = nn.Linear(dim, c["dim"])

    def forward(self, context, contexts, targets):
        images = len(context) // len(contexts)
        positions = self.predictor_pos_embed.expand(images, -1, -1)
        x = self.predictor_embed(context) + choose(positions, contexts)
        masks = repeat(choose(positions, targets), images, len(contexts)) + self.mask_token
        kept = x.shape[1]
        x = torch.cat([x.repeat(len(targets), 1, 1), masks], 1)
        for block in self.predictor_blocks:
            x = block(x)
        return self.predictor_proj(self.predictor_norm(x)[:, kept:])


def vicreg(c, context):
    """Variance and covariance terms of the mean over the patches of every context, with their weights."""
    z = context.mean(1)
    rows, width = z.shape
    variance = F.relu(1 - torch.sqrt(z.var(0, unbiased=True) + 1e-4)).sum() / width
    z = z - z.mean(0)
    covariance = z.T @ z / (rows - 1)
    covariance = (covariance[~torch.eye(width, dtype=torch.bool)] ** 2).sum() / width
    return c["weight"] * (c["variance"] * variance + c["covariance"] * covariance)


def schedules(c, steps):
    total, warmup = int(c["ipe_scale"] * c["epochs"] * c["ipe"]), int(c["warmup"] * c["ipe"])
    half_cosine = lambda start, end, at: end + (start - end) * 0.5 * (1 + math.cos(math.pi * at))
    lr, wd, momentum = [], [], []
    for i in range(steps):
        s = i + 1
        if s < warmup:
            lr.append(c["start_lr"] + s / warmup * (c["lr"] - c["start_lr"]))
        else:
            at = (s - warmup) / max(1, total - warmup)
            lr.append(max(c["final_lr"], half_cosine(c["lr"], c["final_lr"], at)))
        wd.append(min(c["final_wd"], half_cosine(c["wd"], c["final_wd"], s / total)))
        momentum.append(c["ema"][0] + i * (c["ema"][1] - c["ema"][0]) / (c["ipe"] * c["epochs"] * c["ipe_scale"]))
    return lr, wd, momentum


def weights_of(prefix, modules):
    return {f"{prefix}{name}.{key}": value.clone() for name, module in modules for key, value in module.state_dict().items()}


def train(c, encoder, predictor, batches, curves, dtype):
    """Everything that is recorded of a run, computed in this dtype."""
    encoder, predictor = copy.deepcopy(encoder).to(dtype), copy.deepcopy(predictor).to(dtype)
    target = copy.deepcopy(encoder)
    networks = [("encoder", encoder), ("predictor", predictor)]
    named = [pair for _, network in networks for pair in network.named_parameters()]
    is_plain = lambda name, value: "bias" in name or value.ndim == 1
    optimiser = torch.optim.AdamW(
        [
            {"params": [value for name, value in named if not is_plain(name, value)]},
            {"params": [value for name, value in named if is_plain(name, value)]},
        ]
    )
    out, smooth, squared, local = {}, [], [], []
    alone = len(batches[0]) == 1
    for step, (ranks, lr, wd, momentum) in enumerate(zip(batches, *curves)):
        for group, decay in zip(optimiser.param_groups, (wd, 0)):
            group.update(lr=lr, weight_decay=decay)
        optimiser.zero_grad()
        losses = []
        for images, contexts, targets in ranks:
            images = torch.tensor(images).to(dtype)
            contexts, targets = [torch.tensor(m) for m in contexts], [torch.tensor(m) for m in targets]
            with torch.no_grad():
                every = F.layer_norm(target(images), (c["dim"],))
                wanted = repeat(choose(every, targets), c["B"], len(contexts))
            context = encoder(images, contexts)
            predicted = predictor(context, contexts, targets)
            loss, mse = F.smooth_l1_loss(predicted, wanted), F.mse_loss(predicted, wanted)
            if "regularizer" in c:
                regularizer = vicreg(c["regularizer"], context)
                loss, mse = loss + regularizer, mse + regularizer
            (loss / len(ranks)).backward()
            losses.append(loss.item())
            squared.append(mse.item())
            if step == 0 and alone:
                out |= {"fwd.target_ln": every, "fwd.target_masked": wanted, "fwd.context": context, "fwd.pred": predicted}
                out |= {"fwd.loss_smooth_l1": loss, "fwd.loss_mse": mse}
                if "regularizer" in c:
                    out["fwd.regularizer"] = regularizer
        smooth.append(losses[0])
        local.append(losses)
        if step == 0 and alone:
            for name, network in networks:
                gradients = {key: value.grad for key, value in network.named_parameters() if value.grad is not None}
                out |= {f"grad.{name}.{key}": value.clone() for key, value in gradients.items()}
        optimiser.step()
        with torch.no_grad():
            for new, old in zip(encoder.parameters(), target.parameters()):
                old.data.mul_(momentum).add_((1.0 - momentum) * new.data)
        if step + 1 == len(batches) or (step == 0 and alone):
            out |= weights_of(f"after{step + 1}.", [*networks, ("target_encoder", target)])
    doubles = lambda values: torch.tensor(values, dtype=torch.float64)
    if alone:
        out |= {"seq.loss_smooth_l1": doubles(smooth), "seq.loss_mse": doubles(squared)}
    else:
        out |= {"seq.loss_local": doubles(local), "seq.loss_allreduced": doubles(local).mean(1)}
    return {name: value.detach().numpy() for name, value in out.items()}


def save(path, tensors):
    header, data = {}, b""
    for name, value in tensors.items():
        dtype = {"float32": "F32", "float64": "F64", "int32": "I32"}[str(value.dtype)]
        raw = np.asarray(value, order="C").tobytes()
        header[name] = {"dtype": dtype, "shape": list(value.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def record(name, c, seed, steps, ranks, lengths):
    c = {"name": name, **c}
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    encoder, predictor = Encoder(c), Predictor(c)
    for key, value in [*encoder.named_parameters(), *predictor.named_parameters()]:
        if value.requires_grad:
            value.data = 0.05 * torch.randn_like(value) + (1 if "norm" in key and "weight" in key else 0)
    if "regularizer" in c:
        # Some features deviate by more than 1 over the batch, some by less.
        encoder.norm.weight.data *= torch.linspace(1, 12, c["dim"])
    tensors = {key: value.numpy() for key, value in weights_of("init.", [("encoder", encoder), ("predictor", predictor)]).items()}
    patches = (c["crop"] // c["patch"]) ** 2
    draw = lambda kept: np.stack([np.sort(rng.permutation(patches)[:kept]) for _ in range(c["B"])]).astype(np.int32)
    batches = []
    for step in range(steps):
        batches.append([])
        for rank in range(ranks):
            context, target = lengths[(step * ranks + rank) % len(lengths)]
            images = rng.standard_normal((c["B"], 3, c["crop"], c["crop"])).astype(np.float32)
            contexts = [draw(context) for _ in range(c["mask"]["nenc"])]
            targets = [draw(target) for _ in range(c["mask"]["npred"])]
            batches[-1].append((images, contexts, targets))
            at = f"rank{rank}.step{step}" if ranks > 1 else f"step{step}"
            tensors[f"{at}.images"] = images
            tensors |= {f"{at}.mask_enc.{j}": mask for j, mask in enumerate(contexts)}
            tensors |= {f"{at}.mask_pred.{j}": mask for j, mask in enumerate(targets)}
    curves = schedules(c, steps)
    tensors |= dict(zip(("seq.lr", "seq.wd", "seq.momentum"), map(np.array, curves)))
    single, double = (train(c, encoder, predictor, batches, curves, dtype) for dtype in (torch.float32, torch.float64))
    tolerances = {}
    for key, value in single.items():
        tensors[key] = value
        if key.startswith("seq."):
            continue
        n = 24 if key.startswith("after") else 8
        noise, largest = float(np.abs(value - double[key]).max()), float(np.abs(double[key]).max())
        tolerances[key] = {"max_abs_diff": noise, "tol": max(n * noise, n * 2.5e-7 * largest, 1e-9)}
    facts = {"world_size": ranks, "steps": steps} if ranks > 1 else {"float32_vs_float64": tolerances}
    save(f"{name}.safetensors", tensors)
    with open(f"{name}.json", "w") as file:
        json.dump({"config": c, **facts}, file, indent=1)


common = dict(epochs=4, warmup=0.4, ipe_scale=1.0, start_lr=2e-4, lr=1e-3, final_lr=1e-6, wd=0.04, final_wd=0.4, ema=[0.99, 1.0])
record(
    "three_ranks",
    {**common, "crop": 15, "patch": 3, "dim": 12, "depth": 1, "heads": 1, "mlp": 4, "pdim": 8, "pdepth": 3, "B": 2, "ipe": 3,
     "mask": {"nenc": 2, "npred": 1}},
    seed=1, steps=2, ranks=3, lengths=[(9, 5), (8, 5), (11, 4), (12, 6)],
)
record(
    "one_program",
    {**common, "crop": 19, "patch": 6, "dim": 20, "depth": 2, "heads": 5, "mlp": 3.3, "pdim": 20, "pdepth": 1, "B": 1, "ipe": 5,
     "mask": {"nenc": 3, "npred": 2}},
    seed=2, steps=2, ranks=1, lengths=[(5, 2)],
)
record(
    "wide_targets",
    {**common, "crop": 15, "patch": 5, "dim": 16, "depth": 3, "heads": 2, "mlp": 48 / 11, "pdim": 8, "pdepth": 2, "B": 2, "ipe": 5,
     "mask": {"nenc": 2, "npred": 5}},
    seed=3, steps=3, ranks=1, lengths=[(5, 3), (4, 4), (6, 2)],
)
record(
    "vicreg",
    {**common, "crop": 15, "patch": 5, "dim": 12, "depth": 2, "heads": 2, "mlp": 3, "pdim": 8, "pdepth": 2, "B": 3, "ipe": 5,
     "mask": {"nenc": 2, "npred": 2}, "regularizer": {"weight": 0.01, "variance": 25, "covariance": 1}},
    seed=4, steps=3, ranks=1, lengths=[(5, 3), (4, 4)],
)
