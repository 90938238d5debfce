"""The operations behind the optimizers: one node for a group of parameters."""

import numpy as np
import pytest

import rushlight as rl
from rushlight.graph.node import Node
from rushlight.graph.op import Op, table
from rushlight.ops.update import Update, adagrad_step, adam_step, rmsprop_step, sgd_step
from rushlight.ops.update_elementwise import (
    adadelta_step,
    adamax_step,
    asgd_step,
    nadam_step,
    radam_step,
    rprop_step,
)
from rushlight.ops.update_matrix import adafactor_step, muon_step

STEPS = [
    sgd_step, adam_step, rmsprop_step, adagrad_step, adadelta_step, adamax_step, nadam_step,
    radam_step, asgd_step, rprop_step, adafactor_step, muon_step,
]  # fmt: skip


class Make:
    """Makes nodes of random values."""

    def __init__(self, dtype=rl.float32):
        self.dtype = dtype
        self.random = np.random.default_rng(2)

    def __call__(self, *shape, low=-2.0, high=2.0):
        values = self.random.uniform(low, high, shape)
        return rl.tensor(values, dtype=self.dtype).node


def samples(dtype=rl.float32):
    return [
        pytest.param(op, *split(sample), id=f"{op.name}-{index}")
        for op in STEPS
        for index, sample in enumerate(op.samples(Make(dtype)))
    ]


def split(sample):
    *inputs, attrs = sample
    return inputs, attrs


def arrays(nodes):
    tensors = [rl.Tensor(node) for node in nodes]
    rl.realize(*tensors)
    return [tensor.numpy() for tensor in tensors]


def test_every_step_is_in_the_table():
    assert all(isinstance(op, Op) and table[op.name] is op for op in STEPS)
    assert {type(op) for op in STEPS} == set(Update.__subclasses__())


@pytest.mark.parametrize(("op", "inputs", "attrs"), samples(rl.float64))
def test_one_node_equals_ordinary_operations(op, inputs, attrs):
    node = op(*inputs, **attrs)
    results = arrays(op.parts(node))
    expanded = arrays(op.expand(*inputs, **attrs))
    assert len(results) == len(inputs) - len(op.scalars) - attrs["count"]
    for ours, theirs in zip(results, expanded, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("op", "inputs", "attrs"), samples())
def test_types_are_those_of_the_inputs(op, inputs, attrs):
    node = op(*inputs, **attrs)
    columns = inputs[len(op.scalars) :]
    count = attrs["count"]
    kept = columns[:count] + columns[2 * count :]
    assert list(node.spec) == [x.spec for x in kept]
    assert not node.requires_grad
    for index, (part, before) in enumerate(zip(op.parts(node), kept, strict=True)):
        assert part.spec is before.spec
        assert op.before(node, index) is before
    for array, before in zip(arrays(op.parts(node)), kept, strict=True):
        assert array.shape == before.shape
        assert array.dtype == np.float32


@pytest.mark.parametrize(("op", "inputs", "attrs"), samples())
def test_numbers_are_inputs(op, inputs, attrs):
    first = op(*inputs, **attrs)
    second = op(*[x if isinstance(x, Node) else x / 2 for x in inputs], **attrs)
    assert first.spec is second.spec
    assert first.attrs == second.attrs
    assert all(isinstance(x, Node) for x in second.inputs)


@pytest.mark.parametrize("op", STEPS, ids=str)
def test_bad_inputs(op):
    for call, kind, pattern in op.errors(Make()):
        with pytest.raises(kind, match=pattern):
            call()


@pytest.mark.parametrize("op", STEPS, ids=str)
def test_integers_are_refused(op):
    inputs, attrs = split(next(iter(op.samples(Make()))))
    whole = [rl.ones(2, dtype=rl.int64).node if isinstance(x, Node) else x for x in inputs]
    with pytest.raises(RuntimeError, match="must not be a floating point number"):
        op(*whole, **attrs)


def test_a_gradient_of_another_type_is_refused():
    weight, grad = rl.ones(2).node, rl.ones(2, dtype=rl.float64).node
    attrs = {"count": 1, "decays": False, "momenta": False, "nesterov": False}
    with pytest.raises(RuntimeError, match="the gradient of parameter 0 is f64"):
        sgd_step(0.1, 0.0, 0.0, 1.0, weight, grad, **attrs, maximize=False, first=False)


def test_complex_numbers_are_stepped_in_parts():
    one = np.array([[1 + 2j, -3j]]), np.array([[0.5j, 2.0 - 1j]])
    whole = [rl.tensor(x).node for x in one]
    halves = [rl.tensor(np.stack([x.real, x.imag])).node for x in one]
    form = {"count": 1, "decays": True, "maximize": True}
    results = []
    for p, g in (whole, halves):
        total = rl.full(p.shape, 1 + 1j if p.dtype.is_complex else 1.0, dtype=p.dtype).node
        node = adagrad_step(0.1, 1e-3, 0.5, p, g, total, **form)
        results.append(arrays(adagrad_step.parts(node)))
    for joined, (real, imag) in zip(*results, strict=True):
        assert joined.shape == (1, 2)
        assert joined.dtype == np.complex128
        np.testing.assert_allclose(joined, real + 1j * imag, rtol=1e-12)
