"""Trains the attentive probe of attentive.test.ts in float64 with PyTorch's own attention, loss and AdamW: the losses of its steps."""

import json
import sys

import torch

given = json.load(open(sys.argv[1]))
torch.set_default_dtype(torch.float64)


class Probe(torch.nn.Module):
    def __init__(self, start):
        super().__init__()
        for name in ("query", "key", "value", "head", "bias"):
            setattr(self, name, torch.nn.Parameter(torch.tensor(start[name])))
        self.heads = start["heads"]

    def forward(self, x):
        def split(t):  # [B, n, D] -> [B, H, n, E]
            return t.unflatten(-1, (self.heads, -1)).transpose(1, 2)

        query = self.query.expand(x.shape[0], 1, -1)
        key = torch.nn.functional.linear(x, self.key)
        value = torch.nn.functional.linear(x, self.value)
        out = torch.nn.functional.scaled_dot_product_attention(split(query), split(key), split(value))
        return torch.nn.functional.linear(out.transpose(1, 2).flatten(1), self.head, self.bias)


probe = Probe(given["start"])
x = torch.tensor(given["patches"])
y = torch.tensor(given["labels"])
optimizer = torch.optim.AdamW(
    [
        {"params": [probe.query, probe.bias], "weight_decay": 0.0},
        {"params": [probe.key, probe.value, probe.head], "weight_decay": given["weightDecay"]},
    ],
    lr=given["learningRate"],
)
losses = []
for factor in given["factors"]:
    for group in optimizer.param_groups:
        group["lr"] = factor * given["learningRate"]
    optimizer.zero_grad()
    loss = torch.nn.functional.cross_entropy(probe(x), y)
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
json.dump({"torch": torch.__version__.split("+")[0], "losses": losses, "logits": probe(x).flatten().tolist()}, sys.stdout)
