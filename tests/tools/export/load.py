"""Loads exports in Python and says what it found; run by python.test.ts.

    python load.py EXPORTS PIXELS SIZE

EXPORTS has folders hf, timm and official; PIXELS is raw float32 [images, 3, SIZE, SIZE]. Patch features come back as raw
float32 beside it, one file for each library; on the last line stands JSON with tensors missing or left over.
"""

import json
import sys

import numpy as np
import torch

exports, pixels, size = sys.argv[1], sys.argv[2], int(sys.argv[3])
x = torch.from_numpy(np.fromfile(pixels, dtype=np.float32)).reshape(-1, 3, size, size)
found = {}


def keep(name, features):
    features.detach().numpy().astype(np.float32).tofile(f"{exports}/{name}.bin")


with torch.no_grad():
    from transformers import IJepaModel

    model, info = IJepaModel.from_pretrained(f"{exports}/hf", output_loading_info=True)
    found["hf"] = sorted(str(name) for kind in info.values() for name in kind)
    keep("hf", model.eval()(x).last_hidden_state)

    import timm
    from safetensors.torch import load_file

    model = timm.create_model(f"local-dir:{exports}/timm", pretrained=True).eval()
    keys = model.load_state_dict(load_file(f"{exports}/timm/model.safetensors"), strict=False)
    found["timm"] = [*keys.missing_keys, *keys.unexpected_keys]
    keep("timm", model.forward_features(x))

    # The official names are timm's, behind `module.`.
    saved = torch.load(f"{exports}/official/small-latest.pth.tar", map_location="cpu", weights_only=True)
    target = {name.removeprefix("module."): tensor for name, tensor in saved["target_encoder"].items()}
    keys = model.load_state_dict(target, strict=False)
    found["official"] = [*keys.missing_keys, *keys.unexpected_keys]
    keep("official", model.forward_features(x))

# AdamW takes its state back: groups by group, as the official code makes them.
shapes = [t.shape for net in ("encoder", "predictor") for t in saved[net].values()]
networks = [{n.removeprefix("module."): t for n, t in saved[net].items()} for net in ("encoder", "predictor")]
groups = [
    {"params": [torch.nn.Parameter(t) for n, t in net.items() if excluded == ("bias" in n or t.dim() == 1)]}
    for excluded in (False, True)
    for net in networks
]
optimizer = torch.optim.AdamW(groups)
optimizer.load_state_dict(saved["opt"])
fits = all(state["exp_avg"].shape == parameter.shape for parameter, state in optimizer.state.items())
found["optimizer"] = [] if fits and len(optimizer.state) == len(shapes) - 2 else ["moments that do not fit"]
found["epoch"] = saved["epoch"]
print(json.dumps(found))
