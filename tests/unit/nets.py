"""Small modules, made for either framework, that the tests of nn share."""

from __future__ import annotations

import torch
from both import plain

from rushlight.nn import global_hooks


def layer_type(T):
    class Layer(T.nn.Module):
        """Two parameters, two buffers, one of them not saved."""

        def __init__(self, size=2):
            super().__init__()
            self.size = size
            self.weight = T.nn.Parameter(T.ones(size))
            self.bias = T.nn.Parameter(T.zeros(size))
            self.register_parameter("nothing", None)
            self.register_buffer("mean", T.zeros(size))
            self.register_buffer("count", T.tensor(0), persistent=False)

        def forward(self, x):
            return x * self.weight + self.bias

        def extra_repr(self):
            return f"size={self.size}"

    return Layer


def layer(T, size=2):
    return layer_type(T)(size)


def net(T):
    """Children in a Sequential, a list, under a name, and one of them twice."""
    Layer = layer_type(T)

    class Net(T.nn.Module):
        def __init__(self):
            super().__init__()
            self.first = Layer(1)
            self.row = T.nn.Sequential(Layer(2), T.nn.Sequential(Layer(3)))
            self.many = T.nn.ModuleList([Layer(4), Layer(4), Layer(5)])
            self.again = self.first
            self.scale = T.nn.Parameter(T.tensor(2.0))
            self.missing = None
            self.add_module("empty", None)

        def forward(self, x):
            return self.row(self.first(x)) * self.scale

    return Net()


def assert_consistent(module, except_for=""):
    """Registries and attributes say the same."""
    for table in (module._parameters, module._buffers, module._modules):
        for name, value in table.items():
            assert name == except_for or getattr(module, name) is value


def everywhere(T):
    return torch.nn.modules.module if T is torch else global_hooks


def recorder(calls, name, returned=None):
    def hook(module, *args):
        calls.append((name, type(module).__name__, plain(args)))
        return returned(*args) if returned else None

    return hook
