"""How fast PyTorch trains the network that benchmarks/network.c trains, written as one writes it for PyTorch: eager, all
samples of a batch at once, one decoded matrix of dosages kept in memory. Prints samples/s, of processor time (all
threads' through their number) and by the clock, medians of the rounds.

    network_torch.py [--variants 100] [--patch 10] [--channels 64] [--layers 2] [--heads 2] [--batch 64] [--dropout 0.1]
                     [--samples 20000] [--threads 1] [--rounds 5] [--seconds 1]"""

import argparse
import math
import statistics
import time

import torch
from torch import nn
from torch.nn import functional as F


class Block(nn.Module):
    def __init__(self, o):
        super().__init__()
        c = o.channels
        self.heads, self.size = o.heads, c // o.heads
        self.rotary = self.size // 4 * 2
        self.norm = nn.LayerNorm(c)
        self.qkv = nn.Linear(c, 3 * c, bias=False)
        self.out = nn.Linear(c, c, bias=False)
        self.up = nn.Linear(c, 4 * c)
        self.down = nn.Linear(4 * c, c)
        self.gelu = nn.GELU(approximate="tanh")
        self.dropout = nn.Dropout(o.dropout)

    def turn(self, x, cosine, sine):
        half = self.rotary // 2
        a, b, rest = x[..., :half], x[..., half:self.rotary], x[..., self.rotary:]
        return torch.cat((a * cosine - b * sine, b * cosine + a * sine, rest), dim=-1)

    def attention(self, h, cosine, sine):
        s, t, c = h.shape
        q, k, v = self.qkv(h).view(s, t, 3, self.heads, self.size).permute(2, 0, 3, 1, 4)
        q, k = self.turn(q, cosine, sine), self.turn(k, cosine, sine)
        p = F.softmax(q @ k.transpose(-2, -1) * (1 / math.sqrt(self.size)), dim=-1)
        return self.out((p @ v).transpose(1, 2).reshape(s, t, c))

    def forward(self, e, cosine, sine):
        h = self.norm(e)
        return e + self.dropout(self.attention(h, cosine, sine)) + self.dropout(self.down(self.gelu(self.up(h))))


class Network(nn.Module):
    def __init__(self, o):
        super().__init__()
        self.patch, self.tokens = o.patch, o.variants // o.patch
        self.weight = nn.Parameter(torch.randn(self.tokens, o.patch, o.channels) * 0.1)
        self.bias = nn.Parameter(torch.zeros(self.tokens, o.channels))
        self.blocks = nn.ModuleList(Block(o) for _ in range(o.layers))
        self.norm = nn.LayerNorm(o.channels)
        self.head = nn.Linear(o.channels, 1)
        self.linear = nn.Parameter(torch.zeros(o.variants, 1))
        self.dropout = nn.Dropout(o.dropout)
        half = o.channels // o.heads // 4
        angle = torch.arange(self.tokens)[:, None] * 10000.0 ** (-torch.arange(half) / max(half, 1))
        self.register_buffer("cosine", angle.cos())
        self.register_buffer("sine", angle.sin())

    def forward(self, x):
        patches = x.view(-1, self.tokens, self.patch).transpose(0, 1)
        e = torch.baddbmm(self.bias[:, None], patches, self.weight).transpose(0, 1)
        e = self.dropout(e)
        for block in self.blocks:
            e = block(e, self.cosine, self.sine)
        return self.head(self.norm(e).mean(dim=1)) + x @ self.linear


def options():
    parser = argparse.ArgumentParser()
    for name, value in [("variants", 100), ("patch", 10), ("channels", 64), ("layers", 2), ("heads", 2), ("batch", 64),
                        ("samples", 20000), ("threads", 1), ("rounds", 5)]:
        parser.add_argument("--" + name, type=int, default=value)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--seconds", type=float, default=1.0)
    return parser.parse_args()


def main():
    o = options()
    assert o.variants % o.patch == 0, "--patch must divide --variants"
    torch.manual_seed(1)
    torch.set_num_threads(o.threads)
    net = Network(o)
    dosage = torch.randint(0, 3, (o.samples, o.variants)).float() - 0.75
    target = torch.rand(o.samples, 1) * 2 - 1
    matrices = [p for p in net.parameters() if p.dim() > 1]
    others = [p for p in net.parameters() if p.dim() <= 1]
    adamw = torch.optim.AdamW([{"params": matrices, "weight_decay": 0.01}, {"params": others, "weight_decay": 0.0}],
                              lr=1e-4, foreach=True)

    def step(rows):
        loss = F.mse_loss(net(dosage[rows]), target[rows]) / 2
        adamw.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        adamw.step()

    def epochs():
        while True:
            order = torch.randperm(o.samples)
            for at in range(0, o.samples - o.batch + 1, o.batch):
                yield order[at:at + o.batch]

    batches = epochs()
    for _ in range(3):
        step(next(batches))
    rates, walls = [], []
    for _ in range(o.rounds):
        steps, begin, work = 0, time.perf_counter(), time.process_time()
        while steps == 0 or time.perf_counter() - begin < o.seconds:
            step(next(batches))
            steps += 1
        walls.append(steps * o.batch / (time.perf_counter() - begin))
        rates.append(steps * o.batch * o.threads / (time.process_time() - work))
    print(f"{statistics.median(rates):.5g},{statistics.median(walls):.5g}")


main()
