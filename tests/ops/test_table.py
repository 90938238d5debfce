"""What the op table promises, for every operation and each of its samples.

A sample runs as function, as method and in place; in float32 against PyTorch; its gradients and
second gradients in float64 against PyTorch, and the first ones against finite differences.
"""

from __future__ import annotations

import inspect
import re
import types
from itertools import islice

import numpy as np
import pytest
import torch
from make import (
    Make,
    differentiable,
    first_name,
    numpy_of,
    public_function,
    same,
    tensors_in,
    texts,
    to_torch,
    torch_function,
)  # fmt: skip

import rushlight as rl
from rushlight import ops
from rushlight.graph.op import Composite, table
from rushlight.tensor.schema import parse

PUBLIC = sorted((op for op in table.values() if op.torch), key=lambda op: op.name)
ATOL = 1e-6
# PyTorch divides by 6 in float32 on the way back, whatever the dtype.
LOOSE_GRADIENTS = {"hardsigmoid": 1e-7}
# PyTorch differentiates these a first time only.
ONCE = {"cdist", "hardsigmoid"}
# PyTorch tracks these empty results and then fails to differentiate them.
FAILING = {("lu_unpack", 1)}


def cases():
    for op in PUBLIC:
        for k, _ in enumerate(Make(op).samples()):
            yield pytest.param(op, k, id=f"{op.name}-{k}")


def sample(op, k, **options):
    return next(islice(Make(op, **options).samples(), k, None))


CASES = list(cases())


@pytest.mark.parametrize("op, k", CASES)
def test_forward_is_pytorchs(op, k):
    args, kwargs = sample(op, k)
    ours = tensors_in(public_function(op)(*args, **kwargs))
    theirs = tensors_in(torch_function(op)(*to_torch(args), **to_torch(kwargs)))
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        same(a, b, rtol=op.ulp * 1.2e-7, atol=ATOL)


@pytest.mark.parametrize("op, k", CASES)
def test_gradients_are_pytorchs(op, k):
    if not op.differentiable or (op.name, k) in FAILING:
        pytest.skip("no gradient")
    args, kwargs = sample(op, k, dtype=rl.float64, grad=True)
    torch_args, torch_kwargs = to_torch(args, grad=True), to_torch(kwargs, grad=True)
    ours = differentiable(tensors_in(public_function(op)(*args, **kwargs)))
    theirs = differentiable(tensors_in(torch_function(op)(*torch_args, **torch_kwargs)))
    assert len(ours) == len(theirs)
    if not ours:
        return
    leaves = _reached(tensors_in((args, kwargs)))
    torch_leaves = _reached(tensors_in((torch_args, torch_kwargs)))
    first = _gradients(rl, ours, leaves)
    torch_first = _gradients(torch, theirs, torch_leaves)
    rtol = LOOSE_GRADIENTS.get(op.name, 1e-9)
    _compare(first, torch_first, rtol)
    again = [g for g in first if g is not None and g.requires_grad]
    torch_again = [g for g in torch_first if g is not None and g.requires_grad]
    if torch_again and again and op.name not in ONCE:
        _compare(_gradients(rl, again, leaves), _gradients(torch, torch_again, torch_leaves), rtol)


def _reached(tensors):
    """Leaves; a sample's view of a leaf counts as itself."""
    return [t for t in tensors if t.requires_grad]


def _gradients(library, outputs, leaves):
    weights = [_weight(library, t, k) for k, t in enumerate(outputs)]
    return library.autograd.grad(outputs, leaves, weights, create_graph=True, allow_unused=True)


def _weight(library, tensor, k):
    """A weight that is no constant, so that sums of gradients cannot hide a mistake."""
    values = np.cos(np.arange(max(1, np.prod(tuple(tensor.shape), dtype=int))) + k)
    values = values[: int(np.prod(tuple(tensor.shape), dtype=int))].reshape(tuple(tensor.shape))
    return library.tensor(values, dtype=tensor.dtype)


def _compare(ours, theirs, rtol):
    for a, b in zip(ours, theirs, strict=True):
        zero = torch.zeros(()) if a is None and b is None else None
        if zero is not None:
            continue
        if a is None or b is None:  # one library says zero, the other that nothing arrives
            there = a if b is None else b
            assert not bool((there != 0).any())
            continue
        same(a, b, rtol=rtol, atol=1e-10)


@pytest.mark.parametrize("op, k", CASES)
def test_gradients_are_the_differences_quotient(op, k):
    if not op.differentiable:
        pytest.skip("no gradient")
    args, kwargs = sample(op, k, dtype=rl.float64, grad=True)
    inputs = [
        t
        for t in tensors_in((args, kwargs))
        if t.requires_grad and t.is_leaf and t.numel() <= 64 and t.is_floating_point()
    ]
    if not inputs:
        pytest.skip("no input to differentiate for")

    def function(*_):
        outputs = tensors_in(public_function(op)(*args, **kwargs))
        return tuple(t for t in outputs if t.dtype.is_floating_point and t.requires_grad)

    outputs = function()
    if not outputs:
        pytest.skip("nothing to differentiate")
    weights = [_weight(rl, t, j) for j, t in enumerate(outputs)]
    found = rl.autograd.grad(outputs, inputs, weights, allow_unused=True)
    for x, g in zip(inputs, found, strict=True):
        numeric = _difference_quotient(function, weights, x)
        got = np.zeros(tuple(x.shape)) if g is None else g.detach().numpy()
        np.testing.assert_allclose(got, numeric, rtol=2e-5, atol=2e-6)


def _difference_quotient(function, weights, x, step=1e-6):
    start = x.detach().numpy().copy()
    result = np.zeros_like(start)

    def at(values):
        with rl.no_grad():
            x.copy_(rl.tensor(values))
        return sum(
            float((w.detach().numpy() * o.detach().numpy()).sum())
            for w, o in zip(weights, function(), strict=True)
        )

    for place in np.ndindex(start.shape):
        up, down = start.copy(), start.copy()
        up[place] += step
        down[place] -= step
        result[place] = (at(up) - at(down)) / (2 * step)
    with rl.no_grad():
        x.copy_(rl.tensor(start))
    return result


@pytest.mark.parametrize("op, k", CASES)
def test_method_and_in_place_are_the_function(op, k):
    args, kwargs = sample(op, k)
    schema = parse(texts(op)[0])
    if not (schema.has_self and not op.module and args and isinstance(args[0], rl.Tensor)):
        pytest.skip("no method")
    if isinstance(getattr(rl.Tensor, schema.name), property):
        pytest.skip("an attribute, not a method")
    expected = tensors_in(public_function(op)(*args, **kwargs))
    for a, b in zip(
        tensors_in(getattr(args[0], schema.name)(*args[1:], **kwargs)), expected, strict=True
    ):
        np.testing.assert_array_equal(numpy_of(a), numpy_of(b))
    if getattr(op, "inplace", False) and len(expected) == 1:
        target = args[0].clone()
        if expected[0].shape == target.shape and rl.can_cast(expected[0].dtype, target.dtype):
            result = getattr(target, f"{schema.name}_")(*args[1:], **kwargs)
            assert result is target
            np.testing.assert_array_equal(target.numpy(), expected[0].to(target.dtype).numpy())


def bad_inputs():
    for op in PUBLIC:
        for k, _ in enumerate(op.errors(Make(op))):
            yield pytest.param(op, k, id=f"{op.name}-{k}")


@pytest.mark.parametrize("op, k", list(bad_inputs()))
def test_bad_inputs_are_refused(op, k):
    call, kind, pattern = list(op.errors(Make(op)))[k]
    with pytest.raises(kind) as caught:
        result = call()
        rl.realize(*tensors_in(result))
    assert re.search(pattern, str(caught.value)), str(caught.value)
    assert "recorded at" in str(caught.value)


@pytest.mark.parametrize("op", PUBLIC, ids=lambda op: op.name)
def test_every_operation_is_tested(op):
    assert list(Make(op).samples()), "no samples"
    assert list(op.errors(Make(op))), "no bad inputs"
    assert op.__doc__ and inspect.getdoc(type(op)) == inspect.cleandoc(type(op).__doc__ or "")


@pytest.mark.parametrize("op", PUBLIC, ids=lambda op: op.name)
def test_every_name_is_pytorchs(op):
    for text in texts(op):
        name = parse(text).name
        assert callable(torch_function(op, name)), name


def test_no_file_hides_an_operation_of_its_name():
    """``from .sign import ...`` makes ``ops.sign`` that module."""
    hidden = {name for name in table if isinstance(getattr(ops, name, None), types.ModuleType)}
    assert hidden == {"norm"}  # which nothing calls as ops.norm


def test_the_table_has_rules_for_all_that_is_recorded():
    for op in table.values():
        if isinstance(op, Composite) or op.transparent:
            continue
        assert type(op).ref is not None
        assert first_name(op) if op.torch else True
