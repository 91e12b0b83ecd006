"""What the recorders of this folder share: schedules, the loop, names of blocks, tolerances, files (docs/parity.md).

A recorder gives a model of the library, its parameters by our names, and what its forward pass made. It may name a part of the
model whose moving average is kept, which the forward pass then is given.
"""

import copy
import json
import math
import struct

import numpy as np
import torch
from transformers.models.vit_mae.modeling_vit_mae import build_2d_sinusoidal_position_embedding

torch.set_num_threads(1)


def positions(c, dim):
    """The library's table, in the order of released weights: x before y. A new model has zeros in places (5.24)."""
    side = c["crop"] // c["patch"]
    y, x = build_2d_sinusoidal_position_embedding(side, side, dim, cls_token=True).chunk(2, -1)
    return torch.cat([x, y], -1)[None]


def by_channel(c):
    """Where the values of a patch in our order, (channel, y, x), stand in the order (y, x, channel)."""
    patch = c["patch"]
    return torch.arange(3 * patch * patch).reshape(patch, patch, 3).permute(2, 0, 1).flatten()


def named_block(at, layer, of):
    """`of` every parameter of a block of the library's vision transformers: query, key and value lie side by side."""
    joined = lambda layers, kind: torch.cat([of(getattr(getattr(layers, f"{part}_proj"), kind)) for part in "qkv"])
    out = {}
    for name, norm in (("norm1", layer.layernorm_before), ("norm2", layer.layernorm_after)):
        out[f"{at}.{name}.weight"], out[f"{at}.{name}.bias"] = of(norm.weight), of(norm.bias)
    for kind in ("weight", "bias"):
        out[f"{at}.attn.qkv.{kind}"] = joined(layer.attention, kind)
        out[f"{at}.attn.proj.{kind}"] = of(getattr(layer.attention.o_proj, kind))
        out[f"{at}.mlp.fc1.{kind}"] = of(getattr(layer.mlp.fc1, kind))
        out[f"{at}.mlp.fc2.{kind}"] = of(getattr(layer.mlp.fc2, kind))
    return out


def schedules(c, steps):
    total, warmup = int(c["ipe_scale"] * c["epochs"] * c["ipe"]), int(c["warmup"] * c["ipe"])
    half_cosine = lambda start, end, at: end + (start - end) * 0.5 * (1 + math.cos(math.pi * at))
    lr, wd = [], []
    for i in range(steps):
        s = i + 1
        if s < warmup:
            lr.append(c["start_lr"] + s / warmup * (c["lr"] - c["start_lr"]))
        else:
            lr.append(max(c["final_lr"], half_cosine(c["lr"], c["final_lr"], (s - warmup) / max(1, total - warmup))))
        wd.append(half_cosine(c["wd"], c["final_wd"], s / total))
    return lr, wd


def momenta(c, steps):
    first, last = c["ema"]
    return [first + i * (last - first) / (c["ipe"] * c["epochs"] * c["ipe_scale"]) for i in range(steps)]


def train(c, model, batches, curves, dtype, run, named, averaged=None):
    """Everything that is recorded of a run, computed in this dtype. `run` gives the loss, and what else is recorded of a step."""
    model = copy.deepcopy(model).to(dtype)
    part_of, named_average = averaged or (None, None)
    average = averaged and copy.deepcopy(part_of(model)).requires_grad_(False)
    trained = [value for value in model.parameters() if value.requires_grad]
    optimiser = torch.optim.AdamW(
        [{"params": [v for v in trained if v.ndim > 1]}, {"params": [v for v in trained if v.ndim == 1]}],
        betas=tuple(c["betas"]),
        eps=c.get("eps", 1e-8),
    )
    out, losses = {}, []
    for step, ((images, visible, masked), lr, wd, *momentum) in enumerate(zip(batches, *curves)):
        for group, decay in zip(optimiser.param_groups, (wd, 0)):
            group.update(lr=lr, weight_decay=decay)
        optimiser.zero_grad()
        batch = torch.tensor(images).to(dtype), torch.tensor(visible).long(), torch.tensor(masked).long()
        loss, forward = run(c, model, *batch, *([average] if averaged else []))
        loss.backward()
        losses.append(loss.item())
        if step == 0:
            out |= {**forward, "fwd.loss": loss}
            out |= {f"grad.{name}": value for name, value in named(c, model, lambda p: p.grad).items()}
        optimiser.step()
        with torch.no_grad():
            for keep in momentum:
                for mean, value in zip(average.parameters(), part_of(model).parameters()):
                    mean.copy_(keep * mean + (1 - keep) * value)
        if step in (0, len(batches) - 1):
            out |= {f"after{step + 1}.{name}": value for name, value in named(c, model, lambda p: p).items()}
            if averaged:
                out |= {f"after{step + 1}.{name}": value for name, value in named_average(c, average).items()}
    out["seq.loss"] = torch.tensor(losses, dtype=torch.float64)
    return {name: value.detach().clone().numpy() for name, value in out.items()}


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


def record(name, c, seed, steps, model_of, run, named, tables, averaged=None, saved=False):
    """
    `tables` gives the position tables, which are not trained, by our names; `averaged`, where there is a moving average, the
    part of the model that it is of, and the parameters of the average by our names. `saved`: the library writes the model of
    step 0 too.
    """
    c = {"name": name, **c}
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    model = model_of(c)
    for key, value in model.named_parameters():
        if value.requires_grad:
            value.data = 0.05 * torch.randn_like(value) + (1 if "norm" in key and "weight" in key else 0)
    if saved:
        model.save_pretrained(f"{name}-model")
    tensors = {f"init.{key}": value.numpy() for key, value in named(c, model, lambda p: p).items()}
    tensors |= {f"init.{key}": value.detach().numpy() for key, value in tables(model).items()}
    patches = (c["crop"] // c["patch"]) ** 2
    kept = int(patches * (1 - c["mask"]["ratio"]))
    batches = []
    for step in range(steps):
        images = rng.standard_normal((c["B"], 3, c["crop"], c["crop"])).astype(np.float32)
        orders = np.stack([rng.permutation(patches) for _ in range(c["B"])]).astype(np.int32)
        visible, masked = orders[:, :kept], np.sort(orders[:, kept:], 1)
        batches.append((images, visible, masked))
        tensors |= {f"step{step}.images": images, f"step{step}.mask_enc.0": visible, f"step{step}.mask_pred.0": masked}
    curves = [*schedules(c, steps), *([momenta(c, steps)] if averaged else [])]
    tensors |= dict(zip(("seq.lr", "seq.wd", "seq.momentum"), map(np.array, curves)))
    single, double = (train(c, model, batches, curves, dtype, run, named, averaged) for dtype in (torch.float32, torch.float64))
    tolerances = {}
    for key, value in single.items():
        tensors[key] = value
        if key.startswith("seq."):
            continue
        n = 24 if key.startswith("after") else 8
        noise, largest = float(np.abs(value - double[key]).max()), float(np.abs(double[key]).max())
        tolerances[key] = {"max_abs_diff": noise, "tol": max(n * noise, n * 2.5e-7 * largest, 1e-9)}
    save(f"{name}.safetensors", tensors)
    with open(f"{name}.json", "w") as file:
        json.dump({"config": c, "float32_vs_float64": tolerances}, file, indent=1)
