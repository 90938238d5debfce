"""Trains one of three networks and prints, in bytes: what was forecast, what the forecast itself
took, and what the steps took, as the system counts it. ``python needing.py NETWORK``"""

import gc
import sys

import rushlight as rl
from rushlight import nn, optim
from rushlight.train.forecast import memory_forecast


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, 4, batch_first=True)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, x):
        y = self.first(x)
        mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1])
        x = x + self.attention(y, y, y, attn_mask=mask, is_causal=True, need_weights=False)[0]
        return x + self.mlp(self.second(x))


def mlp(size):
    width = 2048 if size else 32
    layers = (nn.Linear(784, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())
    return nn.Sequential(*layers, nn.Linear(width, 10)), (2048 if size else 8, 784)


def cnn(size):
    width = 32 if size else 4
    layers = []
    for before, after in ((3, width), (width, width), (width, 2 * width)):
        layers += [nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU()]
    head = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2 * width, 10))
    return nn.Sequential(*layers, *head), ((64, 3, 48, 48) if size else (2, 3, 8, 8))


def gpt(size):
    width, layers = (256, 4) if size else (16, 1)
    embedding = nn.Embedding(1000, width)
    head = nn.Linear(width, 1000)
    blocks = (Block(width) for _ in range(layers))
    return nn.Sequential(embedding, *blocks, head), ((16, 128) if size else (2, 8))


def loss(model, x, y):
    found = model(x)
    return nn.functional.cross_entropy(found.reshape(-1, found.shape[-1]), y.reshape(-1))


def batch(network, shape):
    x = rl.randint(0, 1000, shape) if network == "gpt" else rl.randn(*shape)
    y = rl.randint(0, 10, shape if network == "gpt" else shape[:1])
    rl.realize(x, y)
    return x, y


def steps(network, model, optimizer, shape, count):
    for _ in range(count):
        optimizer.zero_grad()
        loss(model, *batch(network, shape)).backward()
        optimizer.step()


def memory(what):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(what)) * 1024


def forget_peak():
    gc.collect()
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # proc(5): the peak resident set size begins anew


def made(network, size):
    rl.manual_seed(0)
    model, shape = globals()[network](size)
    return model, optim.Adam(model.parameters()), shape


def main(network):
    model, optimizer, shape = made(network, False)  # loads what every run loads
    steps(network, model, optimizer, shape, 2)
    del model, optimizer
    forget_peak()
    base = memory("VmRSS")
    model, optimizer, shape = made(network, True)
    first = batch(network, shape)
    forget_peak()
    before = memory("VmRSS")
    forecast = memory_forecast(model, loss, optimizer, *first)
    cost = memory("VmHWM") - before
    del first
    forget_peak()
    steps(network, model, optimizer, shape, 3)
    print(forecast.total, cost, memory("VmHWM") - base)
    print(forecast, file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1])
