"""Records training runs of SimMIM with Hugging Face's ViTForMaskedImageModeling, in the format of docs/parity.md.

    pip install torch transformers
    python record_simmim.py

The library's model (Apache-2.0) computes forward and backward, PyTorch's AdamW updates. What is ours is how it is written
down: query, key and value of a block side by side, predictions patch by patch, and position embeddings that are the fixed
table of our encoder, where the library trains them.
"""

import torch
from recording import named_block, positions, record
from transformers import ViTConfig, ViTForMaskedImageModeling


def model_of(c):
    model = ViTForMaskedImageModeling(
        ViTConfig(
            hidden_size=c["dim"], num_hidden_layers=c["depth"], num_attention_heads=c["heads"],
            intermediate_size=int(c["dim"] * c["mlp"]), image_size=c["crop"], patch_size=c["patch"],
            encoder_stride=c["patch"], layer_norm_eps=1e-6, hidden_dropout_prob=0, attention_probs_dropout_prob=0,
        )
    ).train()
    table = model.vit.embeddings.position_embeddings
    table.data = positions(c, c["dim"])
    table.requires_grad_(False)
    return model


def named(c, model, of):
    """`of` every parameter of the model, by our names."""
    out = {}
    vit, head = model.vit, model.decoder[0]
    out["encoder.cls_token"], out["encoder.mask_token"] = of(vit.embeddings.cls_token), of(vit.embeddings.mask_token)
    for i, layer in enumerate(vit.layers):
        out |= named_block(f"encoder.blocks.{i}", layer, of)
    for kind in ("weight", "bias"):
        out[f"encoder.patch_embed.proj.{kind}"] = of(getattr(vit.embeddings.patch_embeddings.projection, kind))
        out[f"encoder.norm.{kind}"] = of(getattr(vit.layernorm, kind))
    # A convolution over single tokens, [values, width, 1, 1].
    out["head.proj.weight"], out["head.proj.bias"] = of(head.weight)[:, :, 0, 0], of(head.bias)
    return {name: value.detach().clone() for name, value in out.items()}


def patches_of(c, images):
    """[B, patches, values], the values of a patch in the order (channel, y, x)."""
    patch, side = c["patch"], c["crop"] // c["patch"]
    cut = images.reshape(len(images), 3, side, patch, side, patch)
    return cut.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)


def run(c, model, pixels, visible, masked):
    is_masked = torch.zeros(len(pixels), (c["crop"] // c["patch"]) ** 2, dtype=torch.bool).scatter(1, masked, True)
    assert not is_masked.gather(1, visible).any()
    result = model(pixels, bool_masked_pos=is_masked)
    chosen = masked[:, :, None].expand(-1, -1, 3 * c["patch"] ** 2)
    at = lambda images: torch.gather(patches_of(c, images), 1, chosen)
    return result.loss, {"fwd.target_masked": at(pixels), "fwd.pred": at(result.reconstruction)}


def tables(model):
    """Without the row of the class token, which is zero."""
    return {"encoder.pos_embed": model.vit.embeddings.position_embeddings[:, 1:]}


of_simmim = dict(model_of=model_of, run=run, named=named, tables=tables)
common = dict(
    objective="simmim",
    epochs=4, ipe=5, warmup=0.4, ipe_scale=1.0, start_lr=2e-4, lr=8e-4, final_lr=1e-6, wd=0.05, final_wd=0.05, betas=[0.9, 0.999],
)
record(
    "simmim_two_blocks",
    {**common, "crop": 15, "patch": 3, "dim": 16, "depth": 2, "heads": 2, "mlp": 4, "B": 3, "mask": {"ratio": 0.6}},
    seed=1, steps=3, **of_simmim,
)
record(
    "simmim_one_block",
    {**common, "crop": 14, "patch": 2, "dim": 12, "depth": 1, "heads": 3, "mlp": 3.3, "B": 2, "mask": {"ratio": 0.75}},
    seed=2, steps=3, saved=True, **of_simmim,
)
