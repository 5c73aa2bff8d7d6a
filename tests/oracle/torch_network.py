#!/usr/bin/env python3
"""Writes torch_network.txt: losses, outputs, gradients and ten steps of AdamW of small networks, by
PyTorch in double precision.

    /usr/bin/python3 torch_network.py > torch_network.txt     (needs torch; Debian's 1.13.0 made the file)

Written from the description in src/nn/model.h and parameters.h alone, with torch.nn.functional,
torch.autograd and torch.optim.AdamW. Inputs come from a small generator of whole numbers, which
tests/src/test_nn_torch.c has too; it draws them in the order of `Inputs`. Numbers are multiples of
2^-24, so that float32 holds them.

A network's lines: "network NAME"; "loss" (of the shard, a sum over samples); "output" (samples x
traits); per tensor, in the order of parameters.h, "gradient NAME ROWS COLUMNS" and the numbers; per
step "step K" with mean loss, norm of the gradient and rate, then per tensor "after NAME" with its
sum, sum of squares, first, middle and last number. Ends with "end".
"""
import math
import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)

STEPS = 10
PEAK, WARMUP, LAST = 0.01, 3, 12  # rates
DECAY, CLIP = 0.1, 0.5


class Numbers:
    def __init__(self, seed):
        self.state = seed

    def whole(self, bits):
        self.state = (self.state * 1664525 + 1013904223) % 2**32
        return self.state >> (32 - bits)

    def real(self, low, width):
        """A multiple of width 2^-24."""
        return low + width * self.whole(24) / 2**24

    def matrix(self, rows, columns, low, width):
        values = [self.real(low, width) for _ in range(rows * columns)]
        return torch.tensor(values).reshape(rows, columns)


class Shape:
    def __init__(self, **sizes):
        self.__dict__.update(sizes)
        self.variants = sum(self.patches)
        self.tokens = self.covariates + len(self.patches)

    def tensors(self):
        """Name, rows, columns in the order of parameters.h; a vector has 1 row."""
        C, m, p, c = self.channels, self.variants, len(self.loss), self.covariates
        yield from [("norm.weight", 1, C), ("norm.bias", 1, C)]
        yield from [("head.weight", p, C), ("head.bias", 1, p), ("linear.weight", m, p)]
        if self.decodes:
            yield from [("decode.weight", m, C), ("decode.bias", 1, m)]
        for k in reversed(range(self.layers)):
            b = f"block.{k}."
            yield from [(b + "norm.weight", 1, C), (b + "norm.bias", 1, C)]
            yield from [(b + "qkv.weight", 3 * C, C), (b + "out.weight", C, C)]
            yield from [(b + "up.weight", 4 * C, C), (b + "up.bias", 1, 4 * C)]
            yield from [(b + "down.weight", C, 4 * C), (b + "down.bias", 1, C)]
        yield from [("patch.weight", m, C), ("patch.bias", len(self.patches), C)]
        yield from [("covariate.weight", c, C), ("covariate.bias", c, C), ("mask.token", 1, C)]


class Inputs:
    """What is drawn, in this order."""

    def __init__(self, shape, seed):
        n, (S, m) = Numbers(seed), (shape.samples, shape.variants)
        T, p = len(shape.patches), len(shape.loss)
        self.parameter = {}
        for name, rows, columns in shape.tensors():
            low = 0.75 if name.endswith("norm.weight") else -0.25
            self.parameter[name] = n.matrix(rows, columns, low, 0.5)
        self.mean = n.matrix(1, m, 0.5, 1.0)
        self.scale = n.matrix(1, m, 0.75, 0.5)
        self.scale[0, 2] = 0
        self.calls = torch.tensor([n.whole(2) for _ in range(S * m)]).reshape(S, m)
        self.covariate = n.matrix(S, shape.covariates, -2.0, 4.0)
        self.offset = n.matrix(S, p, -0.5, 1.0)
        self.target = n.matrix(S, p, -1.0, 4.0)
        for t, loss in enumerate(shape.loss):
            if loss == "logistic":
                self.target[:, t] = (self.target[:, t] > 1).double()
        for i in range(S * p):  # one of eight is missing
            if n.whole(3) == 0:
                self.target[i // p, i % p] = math.nan
        masks = [[n.whole(2) == 0 for _ in range(T)] for _ in range(S)]
        self.masked = torch.tensor(masks) if shape.masks else torch.zeros(S, T, dtype=torch.bool)


def dosages(inputs):
    """Standardised; missing calls 0. Also which calls there are."""
    called = inputs.calls != 3
    x = (inputs.calls.double() - inputs.mean) * inputs.scale
    return torch.where(called, x, torch.zeros(())), called


def rotate(x, shape):
    """x: samples, heads, tokens, channels of a head."""
    half = shape.rotary // 2
    position = torch.tensor([0.0] * shape.covariates + shape.position)
    inverse = 10000 ** (-2 * torch.arange(half).double() / shape.rotary)
    angle = position[:, None] * inverse[None, :]
    first, second, rest = x[..., :half], x[..., half : 2 * half], x[..., 2 * half :]
    cosine, sine = angle.cos(), angle.sin()
    turned = [first * cosine - second * sine, second * cosine + first * sine, rest]
    return torch.cat(turned, dim=-1)


def attention(h, w, block, shape):
    S, T, C = h.shape
    qkv = F.linear(h, w[block + "qkv.weight"])
    parts = [part.reshape(S, T, shape.heads, -1).transpose(1, 2) for part in qkv.split(C, dim=-1)]
    q, k, v = rotate(parts[0], shape), rotate(parts[1], shape), parts[2]
    score = q @ k.transpose(-1, -2) / math.sqrt(C // shape.heads)
    if shape.causal:
        later = torch.ones(T, T, dtype=torch.bool).triu(1)
        score = score.masked_fill(later, -math.inf)
    mixed = (score.softmax(dim=-1) @ v).transpose(1, 2).reshape(S, T, C)
    return F.linear(mixed, w[block + "out.weight"])


def tokens(x, inputs, w, shape):
    z = inputs.covariate[:, :, None]
    covariates = z * w["covariate.weight"][None] + w["covariate.bias"][None]
    pieces = zip(x.split(shape.patches, dim=1), w["patch.weight"].split(shape.patches, dim=0))
    patches = torch.stack([part @ weight for part, weight in pieces], dim=1) + w["patch.bias"]
    patches = torch.where(inputs.masked[:, :, None], w["mask.token"][None], patches)
    return torch.cat([covariates, patches], dim=1)


def norm(x, w, name):
    C = x.shape[-1]
    return F.layer_norm(x, (C,), w[name + ".weight"][0], w[name + ".bias"][0], eps=1e-5)


def gelu(x):
    return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def network(inputs, w, shape):
    """Outputs, and the loss of the shard."""
    x, called = dosages(inputs)
    hidden = torch.repeat_interleave(inputs.masked, torch.tensor(shape.patches), dim=1)
    e = tokens(x, inputs, w, shape)
    for k in range(shape.layers):
        b = f"block.{k}."
        h = norm(e, w, b + "norm")
        up = gelu(F.linear(h, w[b + "up.weight"], w[b + "up.bias"][0]))
        e = e + attention(h, w, b, shape) + F.linear(up, w[b + "down.weight"], w[b + "down.bias"][0])
    top = norm(e, w, "norm")
    y = F.linear(top.mean(dim=1), w["head.weight"], w["head.bias"][0]) + inputs.offset
    if shape.linear:
        y = y + x.masked_fill(hidden, 0) @ w["linear.weight"]
    loss = torch.zeros(())
    for t, kind in enumerate(shape.loss):
        seen = ~inputs.target[:, t].isnan()
        mine, wanted = y[seen, t], inputs.target[seen, t]
        if kind == "squared":
            loss = loss + F.mse_loss(mine, wanted, reduction="sum") / 2
        else:
            loss = loss + F.binary_cross_entropy_with_logits(mine, wanted, reduction="sum")
    if shape.decodes:
        loss = loss + decoder(top, x, called, hidden, w, shape)
    return y, loss


def decoder(top, x, called, hidden, w, shape):
    per_variant = torch.repeat_interleave(
        top[:, shape.covariates :], torch.tensor(shape.patches), dim=1)
    guess = (per_variant * w["decode.weight"]).sum(dim=-1) + w["decode.bias"]
    squares = ((guess - x) ** 2 * (hidden & called)).sum(dim=1)
    return (squares / 2 / hidden.sum(dim=1).clamp(min=1)).sum()


def rate_of(step):
    if step < WARMUP:
        return PEAK * step / WARMUP
    return PEAK * (1 + math.cos(math.pi * (step - WARMUP) / (LAST - WARMUP))) / 2


def decays(name):
    return name.endswith(".weight") and "norm" not in name and name != "linear.weight"


def show(values):
    values = values.detach().flatten().tolist()
    for at in range(0, len(values), 8):
        print(" ".join(f"{v:.6e}" for v in values[at : at + 8]))


def train(inputs, w, shape):
    groups = [{"params": [v for k, v in w.items() if decays(k)], "weight_decay": DECAY},
              {"params": [v for k, v in w.items() if not decays(k)], "weight_decay": 0.0}]
    adam = torch.optim.AdamW(groups, lr=PEAK, betas=(0.9, 0.999), eps=1e-8)
    for step in range(1, STEPS + 1):
        for group in adam.param_groups:
            group["lr"] = rate_of(step)
        adam.zero_grad()
        _, loss = network(inputs, w, shape)
        (loss / shape.samples).backward()
        length = torch.nn.utils.clip_grad_norm_(list(w.values()), CLIP)
        adam.step()
        if shape.l1 > 0:
            with torch.no_grad():
                w["patch.weight"].copy_(F.softshrink(w["patch.weight"], rate_of(step) * shape.l1))
        print(f"step {step} {loss.item() / shape.samples:.9e} {length.item():.9e} {rate_of(step):.9e}")
        for name, v in w.items():
            flat = v.detach().flatten()
            if len(flat) > 0:
                values = [flat.sum(), (flat**2).sum(), flat[0], flat[len(flat) // 2], flat[-1]]
                print("after", name, " ".join(f"{x.item():.9e}" for x in values))


def report(name, seed, shape):
    inputs = Inputs(shape, seed)
    w = {k: v.clone().requires_grad_() for k, v in inputs.parameter.items()}
    y, loss = network(inputs, w, shape)
    gradients = torch.autograd.grad(loss, list(w.values()), allow_unused=True)
    print("network", name)
    print(f"loss {loss.item():.9e}")
    print("output")
    show(y)
    for (k, v), g in zip(w.items(), gradients):
        print("gradient", k, *v.shape)
        show(torch.zeros_like(v) if g is None else g)
    for v in w.values():
        v.grad = torch.zeros_like(v)  # also where nothing flows
    train(inputs, w, shape)


report("quantitative", 1, Shape(
    samples=7, patches=[5, 5, 4, 5, 2], position=[0.0, 1.5, 2.0, 40.0, 41.25], covariates=0,
    loss=["squared", "squared"], channels=8, layers=2, heads=2, rotary=2, causal=False,
    linear=True, masks=False, decodes=False, l1=0.0))
report("causal", 2, Shape(
    samples=6, patches=[3, 3, 1, 3, 3, 2], position=[0.5, 1.0, 3.25, 9.0, 9.5, 20.0], covariates=2,
    loss=["logistic", "squared"], channels=12, layers=2, heads=3, rotary=4, causal=True,
    linear=False, masks=True, decodes=False, l1=0.05))
report("masked", 3, Shape(
    samples=5, patches=[4, 4, 3, 4], position=[0.0, 1.0, 2.0, 3.0], covariates=1, loss=[],
    channels=8, layers=1, heads=2, rotary=4, causal=False, linear=False, masks=True, decodes=True,
    l1=0.0))
print("end")
