#!/usr/bin/env python3
"""The same I-JEPA training step in plain JAX, timed: what XLA makes of a step that a person wrote by hand.

Same method, same shapes and same flags as pytorch_step.py beside it. Weights, moments and sums are float32; with --bf16
the operands of products are bfloat16. The whole step is one jitted function that owns its state (donated).

  python3 jax_step.py --dim 192 --depth 12 --heads 3 --pdim 96 --pdepth 6 --batch 16 --context 76 --target 36 --json
"""
import argparse, json, resource, statistics, time
import jax
import jax.numpy as jnp


def arguments():
    p = argparse.ArgumentParser()
    for name, value in dict(dim=192, depth=12, heads=3, pdim=96, pdepth=6, pheads=0, image=224, patch=16, batch=16,
                            context=76, target=36, blocks=4, threads=0, steps=5, warmup=2, queued=0).items():
        p.add_argument(f"--{name}", type=int, default=value)
    p.add_argument("--mlp", type=float, default=4.0)
    p.add_argument("--device", default="cpu")
    p.add_argument("--bf16", action="store_true")
    p.add_argument("--json", action="store_true")
    a = p.parse_args()
    a.pheads = a.pheads or a.heads
    a.tokens = (a.image // a.patch) ** 2
    return a


def network(key, a):
    keys = iter(jax.random.split(key, 4 * (a.depth + a.pdepth) + 8))
    linear = lambda d, e: {"w": 0.02 * jax.random.normal(next(keys), (d, e)), "b": jnp.zeros(e)}
    norm = lambda d: {"g": jnp.ones(d), "b": jnp.zeros(d)}
    block = lambda d, f: {"n1": norm(d), "n2": norm(d), "qkv": linear(d, 3 * d), "proj": linear(d, d),
                          "fc1": linear(d, f), "fc2": linear(f, d)}
    encoder = {"patch": linear(3 * a.patch**2, a.dim), "norm": norm(a.dim),
               "blocks": [block(a.dim, int(a.dim * a.mlp)) for _ in range(a.depth)]}
    predictor = {"embed": linear(a.dim, a.pdim), "out": linear(a.pdim, a.dim), "norm": norm(a.pdim),
                 "mask": jnp.zeros((1, 1, a.pdim)), "blocks": [block(a.pdim, 4 * a.pdim) for _ in range(a.pdepth)]}
    return encoder, predictor


def step_of(a):
    operand = jnp.bfloat16 if a.bf16 else jnp.float32
    cudnn = a.bf16 and a.device.startswith("cuda")

    def linear(x, p):                                                # [..., D] -> [..., E]
        y = jnp.dot(x.astype(operand), p["w"].astype(operand), preferred_element_type=jnp.float32)
        return y + p["b"]

    def norm(x, p=None):
        mean = x.mean(-1, keepdims=True)
        y = (x - mean) * jax.lax.rsqrt(((x - mean) ** 2).mean(-1, keepdims=True) + (1e-6 if p else 1e-5))
        return y if p is None else y * p["g"] + p["b"]

    def block(x, p, heads):                                          # [B, N, D]
        B, N, D = x.shape
        q, k, v = jnp.moveaxis(linear(norm(x, p["n1"]), p["qkv"]).reshape(B, N, 3, heads, D // heads), 2, 0).astype(operand)
        y = jax.nn.dot_product_attention(q, k, v, implementation="cudnn" if cudnn else "xla")
        x = x + linear(y.reshape(B, N, D), p["proj"])
        return x + linear(jax.nn.gelu(linear(norm(x, p["n2"]), p["fc1"]), approximate=False), p["fc2"])

    def gather(x, index):                                            # [B, N, D], [B, K] -> [B, K, D]
        return jnp.take_along_axis(x, index[..., None], 1)

    def encode(p, images, pos, keep=None):
        g, s = a.image // a.patch, a.patch
        x = images.reshape(a.batch, 3, g, s, g, s).transpose(0, 2, 4, 1, 3, 5).reshape(a.batch, g * g, 3 * s * s)
        if keep is not None:                                         # the patches that are left out are not embedded
            x = gather(x, keep)
        x = linear(x, p["patch"]) + (pos if keep is None else gather(jnp.broadcast_to(pos, (a.batch, *pos.shape[1:])), keep))
        for b in p["blocks"]:
            x = block(x, b, a.heads)
        return norm(x, p["norm"])

    def predict(p, z, keep, targets, pos):
        pos = jnp.broadcast_to(pos, (a.batch, *pos.shape[1:]))
        context = jnp.tile(linear(z, p["embed"]) + gather(pos, keep), (len(targets), 1, 1))
        x = jnp.concatenate([context, p["mask"] + jnp.concatenate([gather(pos, t) for t in targets])], 1)
        for b in p["blocks"]:
            x = block(x, b, a.pheads)
        return linear(norm(x, p["norm"])[:, z.shape[1]:], p["out"])

    def loss_of(weights, target, batch):
        images, keep, targets, pos, ppos = batch
        h = norm(encode(target, images, pos))
        h = jax.lax.stop_gradient(jnp.concatenate([gather(h, t) for t in targets]))
        e = jnp.abs(predict(weights[1], encode(weights[0], images, pos, keep), keep, targets, ppos) - h)
        return jnp.where(e < 1, 0.5 * e * e, e - 0.5).mean()

    def step(state, batch):
        weights, m, v, target, t = state
        loss, grads = jax.value_and_grad(loss_of)(weights, target, batch)
        t = t + 1
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, grads)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, grads)
        weights = jax.tree.map(
            lambda w, m, v: w * (1 - 1e-4 * (0.05 if w.ndim > 1 else 0.0))
            - 1e-4 * (m / (1 - 0.9**t)) / (jnp.sqrt(v / (1 - 0.999**t)) + 1e-8), weights, m, v)
        target = jax.tree.map(lambda k, q: 0.996 * k + 0.004 * q, target, weights[0])
        return (weights, m, v, target, t), loss

    return step


def main():
    a = arguments()
    jax.config.update("jax_platforms", "cuda" if a.device.startswith("cuda") else a.device)
    key = jax.random.key(0)
    weights = network(key, a)
    zeros = lambda: jax.tree.map(jnp.zeros_like, weights)
    state = (weights, zeros(), zeros(), jax.tree.map(jnp.copy, weights[0]), jnp.float32(0))
    pick = lambda k, n: jnp.sort(jax.vmap(lambda key: jax.random.permutation(key, a.tokens)[:n])(jax.random.split(k, a.batch)))
    batch = (jax.random.normal(key, (a.batch, 3, a.image, a.image)), pick(key, a.context),
             [pick(jax.random.fold_in(key, i), a.target) for i in range(a.blocks)],
             0.02 * jax.random.normal(key, (1, a.tokens, a.dim)), 0.02 * jax.random.normal(key, (1, a.tokens, a.pdim)))
    begun = time.perf_counter()
    step = jax.jit(step_of(a), donate_argnums=0).lower(state, batch).compile()
    compile_seconds = time.perf_counter() - begun
    seconds, losses = [], []
    for i in range(a.warmup + a.steps):
        t = time.perf_counter()
        state, loss = step(state, batch)
        losses.append(float(loss))
        if i >= a.warmup:
            seconds.append(time.perf_counter() - t)
    queued = None
    if a.queued:
        begun = time.perf_counter()
        for _ in range(a.queued):
            state, loss = step(state, batch)
        loss.block_until_ready()
        queued = (time.perf_counter() - begun) / a.queued
    stats = jax.devices()[0].memory_stats() or {}
    peak = stats.get("peak_bytes_in_use")
    mid = statistics.median(seconds)
    out = dict(jax=jax.__version__, bf16=a.bf16, losses=losses, seconds_median=mid, seconds_min=min(seconds),
               seconds_max=max(seconds), seconds_queued=queued, compile_seconds=compile_seconds, images_per_s=a.batch / mid,
               device_peak_mib=peak / 2**20 if peak else None,
               peak_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    print(json.dumps(out) if a.json else "\n".join(f"{k:16} {v}" for k, v in out.items()))


if __name__ == "__main__":
    main()
