"""Records training runs of a masked autoencoder with Hugging Face's ViTMAEForPreTraining, in the format of docs/parity.md.

    pip install torch transformers
    python record_mae.py

The library's model (Apache-2.0) computes forward and backward, PyTorch's AdamW updates. What is ours is how it is written
down: query, key and value of a block side by side, and the values of a patch in the order (channel, y, x) of the patch
embedding, where the library has (y, x, channel) for what it predicts.
"""

import copy
import json
import math
import struct

import numpy as np
import torch
from transformers import ViTMAEConfig, ViTMAEForPreTraining
from transformers.models.vit_mae.modeling_vit_mae import build_2d_sinusoidal_position_embedding

torch.set_num_threads(1)


def positions(c, dim):
    """The library's table, in the order of released weights: x before y. A new model has zeros in places (5.24)."""
    side = c["crop"] // c["patch"]
    y, x = build_2d_sinusoidal_position_embedding(side, side, dim, cls_token=True).chunk(2, -1)
    return torch.cat([x, y], -1)[None]


def model_of(c):
    model = ViTMAEForPreTraining(
        ViTMAEConfig(
            hidden_size=c["dim"], num_hidden_layers=c["depth"], num_attention_heads=c["heads"],
            intermediate_size=int(c["dim"] * c["mlp"]), image_size=c["crop"], patch_size=c["patch"],
            decoder_hidden_size=c["pdim"], decoder_num_hidden_layers=c["pdepth"],
            decoder_num_attention_heads=c["pheads"], decoder_intermediate_size=4 * c["pdim"],
            mask_ratio=c["mask"]["ratio"], norm_pix_loss=c["norm_pix_loss"], layer_norm_eps=1e-6,
        )
    ).train()
    model.vit.embeddings.position_embeddings.data = positions(c, c["dim"])
    model.decoder.decoder_pos_embed.data = positions(c, c["pdim"])
    return model


def by_channel(c):
    """Where the values of a patch in our order stand in the library's."""
    patch = c["patch"]
    return torch.arange(3 * patch * patch).reshape(patch, patch, 3).permute(2, 0, 1).flatten()


def named(c, model, of):
    """`of` every parameter of the model, by our names."""
    joined = lambda layers, kind: torch.cat([of(getattr(getattr(layers, f"{part}_proj"), kind)) for part in "qkv"])
    out = {}

    def block(at, layer):
        for name, norm in (("norm1", layer.layernorm_before), ("norm2", layer.layernorm_after)):
            out[f"{at}.{name}.weight"], out[f"{at}.{name}.bias"] = of(norm.weight), of(norm.bias)
        for kind in ("weight", "bias"):
            out[f"{at}.attn.qkv.{kind}"] = joined(layer.attention, kind)
            out[f"{at}.attn.proj.{kind}"] = of(getattr(layer.attention.o_proj, kind))
            out[f"{at}.mlp.fc1.{kind}"] = of(getattr(layer.mlp.fc1, kind))
            out[f"{at}.mlp.fc2.{kind}"] = of(getattr(layer.mlp.fc2, kind))

    vit, decoder = model.vit, model.decoder
    out["encoder.cls_token"] = of(vit.embeddings.cls_token)
    for i, layer in enumerate(vit.layers):
        block(f"encoder.blocks.{i}", layer)
    out["decoder.mask_token"] = of(decoder.mask_token)
    for i, layer in enumerate(decoder.decoder_layers):
        block(f"decoder.decoder_blocks.{i}", layer)
    order = by_channel(c)
    for kind in ("weight", "bias"):
        out[f"encoder.patch_embed.proj.{kind}"] = of(getattr(vit.embeddings.patch_embeddings.projection, kind))
        out[f"encoder.norm.{kind}"] = of(getattr(vit.layernorm, kind))
        out[f"decoder.decoder_embed.{kind}"] = of(getattr(decoder.decoder_embed, kind))
        out[f"decoder.decoder_norm.{kind}"] = of(getattr(decoder.decoder_norm, kind))
        out[f"decoder.decoder_pred.{kind}"] = of(getattr(decoder.decoder_pred, kind))[order]
    return {name: value.detach().clone() for name, value in out.items()}


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


def train(c, model, batches, curves, dtype):
    """Everything that is recorded of a run, computed in this dtype."""
    model = copy.deepcopy(model).to(dtype)
    trained = [value for value in model.parameters() if value.requires_grad]
    optimiser = torch.optim.AdamW(
        [{"params": [v for v in trained if v.ndim > 1]}, {"params": [v for v in trained if v.ndim == 1]}],
        betas=tuple(c["betas"]),
    )
    out, losses = {}, []
    for step, ((images, visible, masked), lr, wd) in enumerate(zip(batches, *curves)):
        for group, decay in zip(optimiser.param_groups, (wd, 0)):
            group.update(lr=lr, weight_decay=decay)
        optimiser.zero_grad()
        pixels = torch.tensor(images).to(dtype)
        # The library keeps the patches whose noise is least.
        noise = torch.ones(len(images), (c["crop"] // c["patch"]) ** 2, dtype=dtype)
        noise.scatter_(1, torch.tensor(visible).long(), torch.linspace(0, 0.5, visible.shape[1], dtype=dtype).repeat(len(images), 1))
        result = model(pixels, noise=noise)
        assert all(set(np.flatnonzero(m)) == set(t) for m, t in zip(result.mask.numpy(), masked))
        result.loss.backward()
        losses.append(result.loss.item())
        if step == 0:
            chosen = torch.tensor(masked).long()[:, :, None].expand(-1, -1, 3 * c["patch"] ** 2)
            at = lambda tokens: torch.gather(tokens[..., by_channel(c)], 1, chosen)
            wanted = model.patchify(pixels)
            if c["norm_pix_loss"]:
                mean, variance = wanted.mean(-1, keepdim=True), wanted.var(-1, keepdim=True)
                wanted = (wanted - mean) / (variance + 1.0e-6) ** 0.5
            latent = model.vit(pixels, noise=noise).last_hidden_state
            out |= {"fwd.latent": latent, "fwd.target_masked": at(wanted), "fwd.pred": at(result.logits), "fwd.loss": result.loss}
            out |= {f"grad.{name}": value for name, value in named(c, model, lambda p: p.grad).items()}
        optimiser.step()
        if step in (0, len(batches) - 1):
            out |= {f"after{step + 1}.{name}": value for name, value in named(c, model, lambda p: p).items()}
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


def record(name, c, seed, steps):
    c = {"name": name, "objective": "mae", **c}
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    model = model_of(c)
    for key, value in model.named_parameters():
        if value.requires_grad:
            value.data = 0.05 * torch.randn_like(value) + (1 if "norm" in key and "weight" in key else 0)
    tensors = {f"init.{key}": value.numpy() for key, value in named(c, model, lambda p: p).items()}
    # The row of the class token, which is zero, is left out.
    tensors["init.encoder.pos_embed"] = model.vit.embeddings.position_embeddings[:, 1:].detach().numpy()
    tensors["init.decoder.decoder_pos_embed"] = model.decoder.decoder_pos_embed[:, 1:].detach().numpy()
    patches = (c["crop"] // c["patch"]) ** 2
    kept = int(patches * (1 - c["mask"]["ratio"]))
    batches = []
    for step in range(steps):
        images = rng.standard_normal((c["B"], 3, c["crop"], c["crop"])).astype(np.float32)
        orders = np.stack([rng.permutation(patches) for _ in range(c["B"])]).astype(np.int32)
        visible, masked = orders[:, :kept], np.sort(orders[:, kept:], 1)
        batches.append((images, visible, masked))
        tensors |= {f"step{step}.images": images, f"step{step}.mask_enc.0": visible, f"step{step}.mask_pred.0": masked}
    curves = schedules(c, steps)
    tensors |= dict(zip(("seq.lr", "seq.wd"), map(np.array, curves)))
    single, double = (train(c, model, batches, curves, dtype) for dtype in (torch.float32, torch.float64))
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


common = dict(
    epochs=4, ipe=5, warmup=0.4, ipe_scale=1.0, start_lr=2e-4, lr=1.2e-3, final_lr=1e-6, wd=0.05, final_wd=0.05, betas=[0.9, 0.95],
)
record(
    "mae_normalized",
    {**common, "crop": 15, "patch": 3, "dim": 16, "depth": 2, "heads": 2, "mlp": 4, "pdim": 12, "pdepth": 2, "pheads": 3, "B": 3,
     "mask": {"ratio": 0.75}, "norm_pix_loss": True},
    seed=1, steps=3,
)
record(
    "mae_pixels",
    {**common, "crop": 14, "patch": 2, "dim": 12, "depth": 1, "heads": 3, "mlp": 3.3, "pdim": 20, "pdepth": 1, "pheads": 5, "B": 2,
     "mask": {"ratio": 0.6}, "norm_pix_loss": False},
    seed=2, steps=3,
)
