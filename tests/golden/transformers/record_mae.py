"""Records training runs of a masked autoencoder with Hugging Face's ViTMAEForPreTraining, in the format of docs/parity.md.

    pip install torch transformers
    python record_mae.py

The library's model (Apache-2.0) computes forward and backward, PyTorch's AdamW updates. What is ours is how it is written
down: query, key and value of a block side by side, and the values of a patch in the order (channel, y, x) of the patch
embedding, where the library has (y, x, channel) for what it predicts.
"""

import numpy as np
import torch
from recording import by_channel, named_block, positions, record
from transformers import ViTMAEConfig, ViTMAEForPreTraining


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


def named(c, model, of):
    """`of` every parameter of the model, by our names."""
    out = {}
    vit, decoder = model.vit, model.decoder
    out["encoder.cls_token"] = of(vit.embeddings.cls_token)
    for i, layer in enumerate(vit.layers):
        out |= named_block(f"encoder.blocks.{i}", layer, of)
    out["decoder.mask_token"] = of(decoder.mask_token)
    for i, layer in enumerate(decoder.decoder_layers):
        out |= named_block(f"decoder.decoder_blocks.{i}", layer, of)
    order = by_channel(c)
    for kind in ("weight", "bias"):
        out[f"encoder.patch_embed.proj.{kind}"] = of(getattr(vit.embeddings.patch_embeddings.projection, kind))
        out[f"encoder.norm.{kind}"] = of(getattr(vit.layernorm, kind))
        out[f"decoder.decoder_embed.{kind}"] = of(getattr(decoder.decoder_embed, kind))
        out[f"decoder.decoder_norm.{kind}"] = of(getattr(decoder.decoder_norm, kind))
        out[f"decoder.decoder_pred.{kind}"] = of(getattr(decoder.decoder_pred, kind))[order]
    return {name: value.detach().clone() for name, value in out.items()}


def run(c, model, pixels, visible, masked):
    # The library keeps the patches whose noise is least.
    images, kept = visible.shape
    noise = torch.ones(images, (c["crop"] // c["patch"]) ** 2, dtype=pixels.dtype)
    noise.scatter_(1, visible, torch.linspace(0, 0.5, kept, dtype=pixels.dtype).repeat(images, 1))
    result = model(pixels, noise=noise)
    assert all(set(np.flatnonzero(m)) == set(t) for m, t in zip(result.mask.numpy(), masked.numpy()))
    chosen = masked[:, :, None].expand(-1, -1, 3 * c["patch"] ** 2)
    at = lambda tokens: torch.gather(tokens[..., by_channel(c)], 1, chosen)
    wanted = model.patchify(pixels)
    if c["norm_pix_loss"]:
        mean, variance = wanted.mean(-1, keepdim=True), wanted.var(-1, keepdim=True)
        wanted = (wanted - mean) / (variance + 1.0e-6) ** 0.5
    latent = model.vit(pixels, noise=noise).last_hidden_state
    return result.loss, {"fwd.latent": latent, "fwd.target_masked": at(wanted), "fwd.pred": at(result.logits)}


def tables(model):
    """Without the row of the class token, which is zero."""
    return {
        "encoder.pos_embed": model.vit.embeddings.position_embeddings[:, 1:],
        "decoder.decoder_pos_embed": model.decoder.decoder_pos_embed[:, 1:],
    }


of_mae = dict(model_of=model_of, run=run, named=named, tables=tables)
common = dict(
    objective="mae",
    epochs=4, ipe=5, warmup=0.4, ipe_scale=1.0, start_lr=2e-4, lr=1.2e-3, final_lr=1e-6, wd=0.05, final_wd=0.05, betas=[0.9, 0.95],
)
record(
    "mae_normalized",
    {**common, "crop": 15, "patch": 3, "dim": 16, "depth": 2, "heads": 2, "mlp": 4, "pdim": 12, "pdepth": 2, "pheads": 3, "B": 3,
     "mask": {"ratio": 0.75}, "norm_pix_loss": True},
    seed=1, steps=3, **of_mae,
)
record(
    "mae_pixels",
    {**common, "crop": 14, "patch": 2, "dim": 12, "depth": 1, "heads": 3, "mlp": 3.3, "pdim": 20, "pdepth": 1, "pheads": 5, "B": 2,
     "mask": {"ratio": 0.6}, "norm_pix_loss": False},
    seed=2, steps=3, saved=True, **of_mae,
)
