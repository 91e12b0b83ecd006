"""Writes the PyTorch files of this folder: python make.py (any PyTorch from 1.6 on)."""

import os
from collections import OrderedDict

import torch

shapes = {
    "encoder": {
        "patch_embed.proj.weight": (8, 3, 4, 4),
        "blocks.0.attn.qkv.weight": (24, 8),
        "blocks.0.attn.qkv.bias": (24,),
    },
    "predictor": {"mask_token": (1, 1, 4), "predictor_embed.weight": (4, 8)},
}


def network(name, start):
    """Every value another: start, start + 1, … in the order of the names."""
    out = OrderedDict()
    for key, shape in shapes[name].items():
        size = torch.Size(shape).numel()
        out[key] = torch.arange(start, start + size, dtype=torch.float32).reshape(shape)
        start += size
    return out


def in_processes(weights):
    return OrderedDict((f"module.{key}", value) for key, value in weights.items())


class Evil:
    def __reduce__(self):
        return os.system, ("echo this should never run",)


# What the official code saves: three networks, the optimizer after a step, the scaler, numbers.
trained = [torch.nn.Parameter(value.clone()) for value in network("encoder", 0).values()]
optimizer = torch.optim.AdamW(trained)
sum(value.sum() for value in trained).backward()
optimizer.step()
torch.save(
    {
        "encoder": in_processes(network("encoder", 0)),
        "predictor": in_processes(network("predictor", 5000)),
        "target_encoder": in_processes(network("encoder", 10000)),
        "opt": optimizer.state_dict(),
        "scaler": {"scale": 65536.0, "growth_factor": 2.0, "_growth_tracker": 3},
        "epoch": 2,
        "loss": 0.125,
        "batch_size": 4,
        "world_size": 1,
        "lr": 1e-3,
    },
    "official.pth.tar",
)

# A target encoder alone, its weights of other types, one of them a transposed view, all of them parameters.
target = network("encoder", 0)
target["patch_embed.proj.weight"] = target["patch_embed.proj.weight"].to(torch.bfloat16)
target["blocks.0.attn.qkv.weight"] = target["blocks.0.attn.qkv.weight"].t().contiguous().t()
target["blocks.0.attn.qkv.bias"] = target["blocks.0.attn.qkv.bias"].to(torch.float64)
parameters = OrderedDict((key, torch.nn.Parameter(value)) for key, value in target.items())
torch.save({"target_encoder": parameters}, "target-alone.pth")

torch.save({"encoder": Evil()}, "evil.pth")
torch.save(torch.nn.Linear(2, 2), "module.pth")
torch.save({"encoder": network("encoder", 0)}, "legacy.pth", _use_new_zipfile_serialization=False)
torch.save({"encoder": network("encoder", 0), "weights": 1}, "encoder-alone.pth")
torch.save([1, 2, 3], "list.pth")
