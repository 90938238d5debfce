"""Inputs for the samples that operations carry, and the same inputs for PyTorch."""

from __future__ import annotations

import numpy as np
import torch

import rushlight as rl
from rushlight.graph.op import Op
from rushlight.tensor.functions import public
from rushlight.tensor.schema import parse


class Make:
    """Makes tensors of seeded random values, ``high`` included; ``dtype`` is that of floats."""

    def __init__(self, op: Op, dtype=rl.float32, grad: bool = False) -> None:
        self.op = op
        self.dtype = dtype
        self.grad = grad
        self.random = np.random.default_rng(0)

    def __call__(self, *shape, low=-2.0, high=2.0, dtype=None):
        dtype = dtype or self.dtype
        if not dtype.is_floating_point:
            made = rl.tensor(self.random.integers(int(low), int(high), shape, endpoint=True))
            return made.to(dtype)
        tensor = rl.tensor(self.random.uniform(low, high, shape), dtype=dtype)
        return tensor.requires_grad_(self.grad)

    def int(self, *shape, low=-5, high=5, dtype=rl.int64):
        return rl.tensor(self.random.integers(low, high, shape, endpoint=True)).to(dtype)

    def bool(self, *shape):
        return rl.tensor(self.random.random(shape) < 0.5)

    def complex(self, *shape, low=-2.0, high=2.0, dtype=None):
        parts = self.random.uniform(low, high, (2, *shape))
        dtype = dtype or (rl.complex128 if self.dtype is rl.float64 else rl.complex64)
        return rl.tensor(parts[0] + 1j * parts[1], dtype=dtype).requires_grad_(self.grad)

    @property
    def call(self):
        """The operation's public function."""
        return public_function(self.op)

    def samples(self):
        """The operation's samples as (args, kwargs)."""
        for sample in self.op.samples(self):
            args = sample if isinstance(sample, tuple) else (sample,)
            kwargs = args[-1] if isinstance(args[-1], dict) else {}
            yield (args[:-1] if kwargs else args), kwargs


def texts(op: Op) -> tuple[str, ...]:
    return (op.torch,) if isinstance(op.torch, str) else tuple(op.torch)


def first_name(op: Op) -> str:
    return parse(texts(op)[0]).name


def public_function(op: Op):
    return public[op.module][first_name(op)]


def torch_function(op: Op, name: str | None = None):
    place = torch
    for part in filter(None, op.module.split(".")):
        place = getattr(place, part)
    name = name or first_name(op)
    found = getattr(place, name, None)
    return found or getattr(torch.Tensor, name)


def to_torch(value, grad: bool = False):
    """The same value for PyTorch: leaves become leaves, strides are kept."""
    if isinstance(value, rl.Tensor):
        made = torch.from_numpy(value.detach().numpy().copy())
        return made.requires_grad_() if value.requires_grad and grad else made
    if isinstance(value, rl.dtype):
        return getattr(torch, value.name)
    if isinstance(value, (list, tuple)):
        return type(value)(to_torch(v, grad) for v in value)
    if isinstance(value, dict):
        return {k: to_torch(v, grad) for k, v in value.items()}
    return value


def tensors_in(value) -> list:
    """Every tensor of either library inside nested containers, in order."""
    if isinstance(value, (rl.Tensor, torch.Tensor)):
        return [value]
    if isinstance(value, (list, tuple)):
        return [t for v in value for t in tensors_in(v)]
    if isinstance(value, dict):
        return [t for v in value.values() for t in tensors_in(v)]
    return []


def differentiable(values) -> list:
    return [t for t in values if t.requires_grad]


def numpy_of(tensor) -> np.ndarray:
    if isinstance(tensor, torch.Tensor):
        return tensor.detach().resolve_conj().numpy(force=True)
    return tensor.detach().resolve_conj().numpy()


def same(ours, theirs, rtol: float, atol: float) -> None:
    """The same dtype, shape and values."""
    assert str(ours.dtype) == str(theirs.dtype)
    assert tuple(ours.shape) == tuple(theirs.shape)
    np.testing.assert_allclose(
        numpy_of(ours), numpy_of(theirs), rtol=rtol, atol=atol, equal_nan=True
    )
