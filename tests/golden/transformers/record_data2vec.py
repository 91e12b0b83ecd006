"""Records training runs of data2vec with Hugging Face's Data2VecVisionModel, in the format of docs/parity.md.

    pip install torch transformers
    python record_data2vec.py

The library's model (Apache-2.0) computes the student and the teacher, PyTorch's autograd the gradients and its AdamW the
update. What the library does not have is written here, from the paper (Baevski et al. 2022, arXiv 2202.03555, section 3): the
targets (the mean of the last K blocks of the teacher on the whole image, each normalized), the regression head, the loss, and the
moving average. The model has no layer scale and no relative positions, but the fixed table of the other recordings.

Keys have no bias in the library. Where we have one, zeros are written down: it moves all scores of a query alike, so its
gradient is zero and it stays what it was. In float32 that gradient is rounding, of which AdamW would make whole steps; its eps
is large enough here that it does not.
"""

import torch
import torch.nn.functional as F
from recording import positions, record
from transformers import Data2VecVisionConfig, Data2VecVisionModel


class Student(torch.nn.Module):
    def __init__(self, c):
        super().__init__()
        self.encoder = Data2VecVisionModel(
            Data2VecVisionConfig(
                hidden_size=c["dim"], num_hidden_layers=c["depth"], num_attention_heads=c["heads"],
                intermediate_size=int(c["dim"] * c["mlp"]), image_size=c["crop"], patch_size=c["patch"],
                hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, drop_path_rate=0.0, layer_norm_eps=1e-6,
                use_mask_token=True, use_absolute_position_embeddings=True, use_relative_position_bias=False,
                use_shared_relative_position_bias=False, layer_scale_init_value=0.0, use_mean_pooling=False,
            )
        )
        self.head = torch.nn.Linear(c["dim"], c["dim"])
        table = self.encoder.embeddings.position_embeddings
        table.requires_grad = False
        table.data = positions(c, c["dim"])
        self.train()


def chosen(tokens, masked):
    """What belongs to the masked patches, behind the class token."""
    return torch.gather(tokens[:, 1:], 1, masked[:, :, None].expand(-1, -1, tokens.shape[-1]))


def targets_of(c, teacher, pixels, masked):
    blocks = teacher(pixels, output_hidden_states=True).hidden_states[-c["target_blocks"] :]
    return sum(F.layer_norm(chosen(h, masked), (c["dim"],)) for h in blocks) / c["target_blocks"]


def encoder_named(encoder, of):
    """`of` every parameter of the encoder, by our names."""
    out = {"cls_token": of(encoder.embeddings.cls_token), "mask_token": of(encoder.embeddings.mask_token)}
    for i, layer in enumerate(encoder.encoder.layer):
        attention, at = layer.attention.attention, f"blocks.{i}"
        query, value = of(attention.query.bias), of(attention.value.bias)
        out[f"{at}.attn.qkv.weight"] = torch.cat([of(part.weight) for part in (attention.query, attention.key, attention.value)])
        out[f"{at}.attn.qkv.bias"] = torch.cat([query, torch.zeros_like(query), value])
        parts = {
            "norm1": layer.layernorm_before, "attn.proj": layer.attention.output.dense, "norm2": layer.layernorm_after,
            "mlp.fc1": layer.intermediate.dense, "mlp.fc2": layer.output.dense,
        }
        for name, part in parts.items():
            out[f"{at}.{name}.weight"], out[f"{at}.{name}.bias"] = of(part.weight), of(part.bias)
    for kind in ("weight", "bias"):
        out[f"patch_embed.proj.{kind}"] = of(getattr(encoder.embeddings.patch_embeddings.projection, kind))
        out[f"norm.{kind}"] = of(getattr(encoder.layernorm, kind))
    return {name: value.detach().clone() for name, value in out.items()}


def named(c, student, of):
    out = {f"encoder.{name}": value for name, value in encoder_named(student.encoder, of).items()}
    return out | {f"head.proj.{kind}": of(getattr(student.head, kind)).detach().clone() for kind in ("weight", "bias")}


def named_teacher(c, teacher):
    return {f"target_encoder.{name}": value for name, value in encoder_named(teacher, lambda p: p).items()}


def tables(student):
    # The row of the class token, which is zero, is left out.
    return {"encoder.pos_embed": student.encoder.embeddings.position_embeddings[:, 1:]}


def run(c, student, pixels, visible, masked, teacher):
    patches = (c["crop"] // c["patch"]) ** 2
    is_masked = torch.zeros(len(pixels), patches, dtype=torch.bool).scatter_(1, masked, True)
    targets = targets_of(c, teacher, pixels, masked)
    latent = chosen(student.encoder(pixels, bool_masked_pos=is_masked).last_hidden_state, masked)
    predictions = student.head(latent)
    loss = F.smooth_l1_loss(predictions, targets, beta=c["loss_beta"])
    return loss, {"fwd.target_masked": targets, "fwd.latent_masked": latent, "fwd.pred": predictions}


common = dict(
    objective="data2vec", epochs=4, ipe=5, warmup=0.4, ipe_scale=1.0, start_lr=2e-4, lr=1.2e-3, final_lr=1e-6, wd=0.05,
    final_wd=0.05, betas=[0.9, 0.95], eps=1e-6,
)
ours = (Student, run, named, tables, (lambda student: student.encoder, named_teacher))
record(
    "data2vec_blocks",
    {**common, "crop": 15, "patch": 3, "dim": 12, "depth": 4, "heads": 3, "mlp": 4, "B": 3, "mask": {"ratio": 0.6},
     "target_blocks": 3, "loss_beta": 2.0, "ema": [0.9, 0.99]},
    1, 3, *ours,
)
record(
    "data2vec_last",
    {**common, "crop": 14, "patch": 2, "dim": 16, "depth": 2, "heads": 2, "mlp": 3.3, "B": 2, "mask": {"ratio": 0.4},
     "target_blocks": 1, "loss_beta": 0.5, "ema": [0.996, 1.0]},
    2, 3, *ours,
)
