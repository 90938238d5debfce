"""Which results share memory with the first input: the same as in PyTorch, for every operation."""

from __future__ import annotations

import pytest
import torch
from make import Make, tensors_in, to_torch, torch_function

import rushlight as rl
from rushlight.graph.op import table
from rushlight.tensor.functions import public
from rushlight.tensor.schema import parse

# Views in PyTorch where there happens to be nothing to compute; results of their own here.
SOMETIMES_VIEWS = {
    "cartesian_prod", "channel_shuffle", "conj_physical", "einsum", "native_channel_shuffle",
    "sum_to_size",
}  # fmt: skip


def cases():
    for op in sorted(table.values(), key=lambda op: op.name):
        for text in (op.torch,) if isinstance(op.torch, str) else op.torch:
            name = parse(text).name
            for k, _ in enumerate(Make(op).samples() if name not in SOMETIMES_VIEWS else ()):
                yield pytest.param(op, name, k, id=f"{name}-{k}")


def laid_out(value):
    """A sample for PyTorch with the strides that it has here."""
    if isinstance(value, rl.Tensor) and not value.is_contiguous():
        return torch.from_numpy(value.detach().numpy().copy(order="K"))
    if isinstance(value, (list, tuple)):
        return type(value)(laid_out(v) for v in value)
    return to_torch(value)


def shares(a, b) -> bool:
    if isinstance(a, rl.Tensor):
        return a is b or a.place.storage is b.place.storage
    return a.untyped_storage()._cdata == b.untyped_storage()._cdata


@pytest.mark.parametrize("op, name, k", list(cases()))
def test_sharing_is_pytorchs(op, name, k):
    args, kwargs = list(Make(op).samples())[k]
    tensors = tensors_in(args)
    if not tensors:
        pytest.skip("no input")
    theirs_args, theirs_kwargs = laid_out(args), to_torch(kwargs)
    first, torch_first = tensors[0], tensors_in(theirs_args)[0]
    try:
        ours = tensors_in(public[op.module][name](*args, **kwargs))
        theirs = tensors_in(torch_function(op, name)(*theirs_args, **theirs_kwargs))
    except TypeError:
        pytest.skip("not every name takes every sample")
    got = [shares(first, t) for t in ours]
    assert got == [shares(torch_first, t) for t in theirs]
