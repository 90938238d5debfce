# expect: 199 loss \d+\.\d+
# expect: torch\.Size\(\[3, 3\]\) tensor\(True\)
# expect: both networks learn
"""A custom autograd function in a hand-written loop, and two networks against each other."""

import math

import torch
import torch.nn as nn


class LegendrePolynomial3(torch.autograd.Function):
    @staticmethod
    def forward(ctx, input):
        ctx.save_for_backward(input)
        return 0.5 * (5 * input**3 - 3 * input)

    @staticmethod
    def backward(ctx, grad_output):
        (input,) = ctx.saved_tensors
        return grad_output * 1.5 * (5 * input**2 - 1)


x = torch.linspace(-math.pi, math.pi, 2000)
y = torch.sin(x)
weights = [torch.full((), v, requires_grad=True) for v in (0.0, -1.0, 0.0, 0.3)]
first = None
for t in range(200):
    a, b, c, d = weights
    loss = (a + b * LegendrePolynomial3.apply(c + d * x) - y).pow(2).sum()
    first = first or loss.item()
    if t % 100 == 99:
        print(t, "loss", loss.item())
    loss.backward()
    with torch.no_grad():
        for w in weights:
            w -= 5e-6 * w.grad
            w.grad = None
assert loss.item() < first

w = torch.randn(3, 3, requires_grad=True)
(w @ torch.randn(3)).norm().backward()
print(w.grad.shape, torch.isfinite(w.grad).all())

torch.manual_seed(0)
generator = nn.Sequential(
    nn.Linear(4, 8), nn.LeakyReLU(0.2), nn.BatchNorm1d(8), nn.Linear(8, 2), nn.Tanh()
)
judge = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 1), nn.Sigmoid())
making = torch.optim.Adam(generator.parameters(), 2e-3, betas=(0.5, 0.999))
judging = torch.optim.Adam(judge.parameters(), 2e-3)
bce = nn.BCELoss()
before = [p.clone() for p in (*generator.parameters(), *judge.parameters())]
for _ in range(5):
    judging.zero_grad()
    bce(judge(torch.randn(16, 2)), torch.ones(16, 1)).backward()
    fake = generator(torch.randn(16, 4))
    bce(judge(fake.detach()), torch.zeros(16, 1)).backward()
    judging.step()
    making.zero_grad()
    bce(judge(fake), torch.ones(16, 1)).backward()
    making.step()
after = (*generator.parameters(), *judge.parameters())
assert all(not torch.equal(p, q) for p, q in zip(before, after))
print("both networks learn")
