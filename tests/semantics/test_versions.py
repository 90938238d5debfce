"""How often a tensor was written, as PyTorch counts it."""

import torch

import rushlight as rl


def counts(lib):
    x = lib.zeros(3)
    x.add_(1)
    found = [x._version]
    x[0] = 2
    y = x.view(3)
    y.zero_()
    found += [x._version, y._version]
    z = x.clone()
    z.mul_(2)
    w = z[:1]
    w.add_(1)
    found += [z._version, w._version, x.detach()._version]
    p = lib.nn.Parameter(lib.ones(2))
    optimizer = lib.optim.SGD([p], lr=0.1)
    p.sum().backward()
    optimizer.step()
    return [*found, p._version, lib.ones(2)._version]


def test_every_write_is_counted():
    assert counts(rl) == counts(torch)
