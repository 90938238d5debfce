"""The template ``scatter``: elements that an index names, changed in order."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "ops"))

from lowered import EPS, said, sights
from tests.compiler.contracting import narrow

import rushlight as rl
import rushlight.nn.functional as F
from rushlight import ops
from rushlight.base.buffer import Buffer
from rushlight.compiler.expand import expand
from rushlight.compiler.inside.kernels import show_call
from rushlight.compiler.plain import Referred
from rushlight.compiler.program import compiled
from rushlight.compiler.scatter import Scatter, scatters
from rushlight.compiler.schedule import schedule
from rushlight.execute import tier
from rushlight.execute.compiled import CompiledProgram
from rushlight.execute.cut import Cut
from rushlight.execute.realize import realize, value
from rushlight.graph.node import Node, known, number
from rushlight.runtime import get_num_threads, set_num_threads

SAMPLED = [
    ops.index_add, ops.index_copy, ops.index_fill, ops.scatter, ops.scatter_add,
    ops.scatter_reduce, ops.index_reduce,
]  # fmt: skip


@pytest.fixture(autouse=True)
def compiled_tier():
    before = tier.choose("compiled")
    yield
    tier.choose(before)


def in_both(function, *args):
    """What a function makes of arrays in each tier."""
    found = []
    for name in ("compiled", "reference"):
        tier.choose(name)
        made = function(*args)
        found.append([t.numpy() for t in (made if isinstance(made, tuple) else (made,))])
    tier.choose("compiled")
    return found


def calls(*tensors):
    """The calls of the program that computes some tensors."""
    return schedule(expand(Cut([tensor.node for tensor in tensors]).graph())).calls


def on_its_own(sight):
    """A step run by itself."""
    inputs = [
        number(x.item(), spec.dtype) if one else known(Buffer.of(x, spec.dtype))
        for x, spec, one in zip(sight.inputs, sight.specs, sight.numbers, strict=True)
    ]
    node = Node(sight.step.op, tuple(inputs), sight.step.attrs, sight.step.spec, False, None)
    realize([node])
    return value(node).values


@pytest.mark.parametrize("op", SAMPLED, ids=lambda op: op.name)
def test_samples_are_what_references_make_of_them(op):
    seen = set()
    for sight in sights(op):
        key = sight.step.op, sight.step.attrs, sight.specs
        if not scatters(sight.step.op, sight.step.spec, sight.specs) or key in seen:
            continue
        seen.add(key)
        got, wanted, dtype = on_its_own(sight), sight.result, sight.step.spec.dtype
        rtol = 8 * EPS.get(dtype.name, 0)
        np.testing.assert_allclose(got, wanted, rtol, 4 * rtol, err_msg=said(sight))
    assert seen


def drawn(*shape, seed=0, dtype=np.float64):
    return rl.tensor(np.random.default_rng(seed).standard_normal(shape).astype(dtype))


def places(*shape, size, low=0, seed=0):
    return rl.tensor(np.random.default_rng(seed).integers(low, size, shape))


SHAPES = [((5, 3), 0), ((5, 16), 0), ((5, 64), 0), ((5, 150), 0), ((4, 5, 6), 1), ((3, 40), 1),
          ((9,), 0), ((2, 5, 1), 1), ((7, 1, 33), 0), ((3, 70, 2), 0)]  # fmt: skip


@pytest.mark.parametrize("shape, dim", SHAPES, ids=str)
def test_rows_named_many_times(shape, dim):
    index = places(23, size=shape[dim])
    source = drawn(*shape[:dim], 23, *shape[dim + 1 :], seed=1)
    x = drawn(*shape)

    def run():
        return (
            x.index_add(dim, index, source, alpha=0.5), x.index_copy(dim, index, source * 2),
            x.index_fill(dim, index[:2] - shape[dim], 3),
        )  # fmt: skip

    assert not any(isinstance(call, Referred) for call in calls(*run()))
    for got, wanted in zip(*in_both(run), strict=True):
        np.testing.assert_allclose(got, wanted, 1e-14, 1e-14)


@pytest.mark.parametrize("shape, dim", SHAPES, ids=str)
@pytest.mark.parametrize("how", ["sum", "prod", "amax", "amin", "mean"])
def test_elements_named_many_times(shape, dim, how):
    own = tuple(19 if d == dim else n for d, n in enumerate(shape))
    index, source, x = places(*own, size=shape[dim]), drawn(*own, seed=1), drawn(*shape)

    def run():
        reduced = x.scatter_reduce(dim, index, source, how, include_self=False)
        return reduced, x.scatter(dim, index, source), x.scatter_add(dim, index, source.cos())

    for got, wanted in zip(*in_both(run), strict=True):
        np.testing.assert_allclose(got, wanted, 1e-13, 1e-13)


PLACES = rl.tensor([[0, -1, 2], [1, 1, -3]])
KEYS = [
    (PLACES,),
    (slice(None), PLACES),
    (slice(None), PLACES, PLACES[0]),
    (PLACES, slice(None), PLACES[:, :1]),
    (rl.tensor(2), ..., rl.tensor([-4])),
    (PLACES, PLACES, PLACES),
    (PLACES[:0],),
]


@pytest.mark.parametrize("key", KEYS, ids=[f"{k}" for k in range(len(KEYS))])
@pytest.mark.parametrize("accumulate", [False, True])
def test_advanced_indices(key, accumulate):
    x = drawn(3, 4, 5)
    gathers = [None if isinstance(k, slice) else k for k in key if k is not Ellipsis]
    gathers = [gathers[0], None, gathers[1]] if Ellipsis in key else gathers
    nodes = [None if each is None else each.node for each in gathers]
    values = drawn(*ops.index(x.node, nodes).shape, seed=1)

    def run():
        made = [ops.index_put(x.node, nodes, v.node, accumulate) for v in (values, values.sum())]
        return tuple(map(rl.Tensor, made))

    assert not any(isinstance(call, Referred) for call in calls(*run()))
    for got, wanted in zip(*in_both(run), strict=True):
        np.testing.assert_allclose(got, wanted, 1e-14, 1e-14)


@pytest.mark.parametrize("dtype", [rl.float16, rl.bfloat16], ids=str)
def test_half_types_are_rounded_once(dtype):
    x, source = drawn(3, 40).to(dtype), drawn(400, 40, seed=1).to(dtype)
    index = places(400, size=3)
    made, wanted = in_both(lambda: x.index_add(0, index, source).float())
    np.testing.assert_allclose(made[0], wanted[0], 2 * EPS[dtype.name.split(".")[-1]])


def test_special_values():
    x = rl.tensor([1.0, -np.inf, np.nan, 5.0, -0.0])
    index, source = rl.tensor([0, 1, 3, 4, 3]), rl.tensor([np.nan, 2.0, np.inf, -1.0, 0.0])

    def run():
        return tuple(x.scatter_reduce(0, index, source, how) for how in ("amax", "amin", "prod"))

    for got, wanted in zip(*in_both(run), strict=True):
        np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("vector", [128, 256])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int8, np.bool_])
def test_vectors_of_any_width(vector, dtype):
    rng = np.random.default_rng(0)
    x, source = (rl.tensor(rng.integers(0, 2, (n, 75)).astype(dtype)) for n in (6, 30))
    index, flat = places(30, size=6), places(30, 75, size=6)
    made = (x.index_add(0, index, source), x.scatter_add(0, flat, source))
    cut = Cut([tensor.node for tensor in made])
    program = CompiledProgram(cut.graph(), compiled(cut.graph(), narrow(vector)))
    for got, wanted in zip(program.run([leaf.buffer for leaf in cut.leaves]), made, strict=True):
        np.testing.assert_array_equal(got.stored, wanted.numpy())


def test_bits_do_not_depend_on_threads():
    x, source = drawn(50, 300, dtype=np.float32), drawn(3000, 300, seed=1, dtype=np.float32)
    index, flat = places(3000, size=50), places(3000, 300, size=50, seed=2)
    before, found = get_num_threads(), []
    try:
        for threads in (1, 2, 4):
            set_num_threads(threads)
            made = (
                x.index_add(0, index, source), x.index_copy(0, index, source),
                x.scatter_add(0, flat, source),
                x.mT.scatter_reduce(1, flat.mT, source.mT, "prod"),
            )  # fmt: skip
            found.append([each.numpy().tobytes() for each in made])
    finally:
        set_num_threads(before)
    assert found[0] == found[1] == found[2]


OUTSIDE = [
    (lambda x, i: x.index_add(0, i, rl.ones(2, 4)), "out of bounds|out of range"),
    (lambda x, i: x.index_copy(0, i, rl.ones(2, 4)), "index_copy.*out of bounds"),
    (lambda x, i: x.index_fill(0, i, 1), "out of bounds for dimension 0 with size 3"),
    (lambda x, i: x.scatter_add(0, i[:, None], rl.ones(2, 4)), "out of bounds"),
    (lambda x, i: x.scatter(0, i[:, None], 1.0), "out of bounds"),
    (lambda x, i: x.scatter_reduce(0, i[:, None], rl.ones(2, 4), "amax"), "out of bounds"),
    (lambda x, i: x.index_put((i,), rl.ones(4)), "out of bounds for dimension 0 with size 3"),
    (lambda x, i: x.index_put((i,), rl.ones(4), True), "out of bounds for dimension 0"),
    (lambda x, i: rl.tensor(1.0).index_fill(0, i[:1], 2), "out of bounds"),
]


@pytest.mark.parametrize("function, message", OUTSIDE)
@pytest.mark.parametrize("wrong", [3, -4])
def test_a_place_outside_is_refused_by_the_operation(function, message, wrong):
    x = rl.zeros(3, 4)
    rl.realize(x)
    index = rl.tensor([wrong - 1, wrong - 1]) + 1  # not known while recording
    with pytest.raises((IndexError, RuntimeError), match=message):
        rl.realize(function(x, index))
    assert not x.numpy().any()


def test_a_refused_change_in_place_leaves_memory_as_it_was():
    memory = np.zeros((3, 4), np.float32)
    x, index = rl.from_numpy(memory), rl.tensor([0, 6]) + 1
    with pytest.raises((IndexError, RuntimeError), match="out of"):
        x.index_add_(0, index, rl.ones(2, 4))
        rl.realize(x)
    assert not memory.any()


def test_a_source_that_is_the_changed_tensor():
    x = drawn(6, 5)
    index = rl.tensor([1, 0, 3, 3, 5, 1])

    def run():
        y = x.clone()
        y.index_add_(0, index, y)
        y[index] = y.flip(0)
        return y

    for got, wanted in zip(*in_both(run), strict=True):
        np.testing.assert_allclose(got, wanted, 1e-14)


def test_one_change_after_another():
    x, index = drawn(6, 5), rl.tensor([1, 1, 4])

    def run():
        y = (x * 2).index_add(0, index, x[:3])
        z = y.index_copy(0, index - 1, (y + 1)[:3])
        return y, z, z.sum(0) + y[0]

    for got, wanted in zip(*in_both(run), strict=True):
        np.testing.assert_allclose(got, wanted, 1e-14)


def test_the_gradient_of_an_embedding_is_two_kernels_and_a_check():
    weight, index = drawn(11, 32, dtype=np.float32).requires_grad_(), places(4, 9, size=11)
    g = drawn(4, 9, 32, seed=1, dtype=np.float32)
    (found,) = rl.autograd.grad(F.embedding(index, weight), weight, g)
    kinds = calls(found)
    assert len(kinds) <= 3 and isinstance(kinds[-1], Scatter)
    assert [axis.extent for axis in kinds[-1].rows] == [32]


def test_a_scatter_reads_like_loops():
    (call,) = [c for c in calls(rl.zeros(3, 4).index_add(0, rl.tensor([2, 0]), rl.ones(2, 4)))
               if isinstance(c, Scatter)]  # fmt: skip
    names = {buffer: f"b{buffer}" for buffer in call.inputs}
    lines = show_call(call, names).splitlines()
    assert lines[:2] == ["for i < 4:", "    for j < 2:"]
    assert lines[2].strip().startswith(f"b{call.outputs[0]}[i + 4*b")


@pytest.mark.parametrize("kwargs", [{}, {"padding_idx": 2}, {"scale_grad_by_freq": True}], ids=str)
def test_a_training_step_with_an_embedding(kwargs):
    index, wanted = places(4, 9, size=11), places(36, size=5, seed=3)

    def run():
        table = rl.nn.Embedding(11, 24, dtype=rl.float64, _weight=drawn(11, 24), **kwargs)
        linear = rl.nn.Linear(24, 5, dtype=rl.float64)
        linear.load_state_dict({"weight": drawn(5, 24, seed=4), "bias": drawn(5, seed=5)})
        parameters = [*table.parameters(), *linear.parameters()]
        optimizer = rl.optim.SGD(parameters, lr=0.1, momentum=0.9)
        for _ in range(2):
            optimizer.zero_grad()
            loss = F.cross_entropy(linear(table(index)).reshape(36, 5), wanted)
            loss.backward()
            optimizer.step()
        return (loss.detach(), *(each.detach() for each in parameters))

    for got, want in zip(*in_both(run), strict=True):
        np.testing.assert_allclose(got, want, 1e-12, 1e-12)


@pytest.mark.parametrize(
    "how", ["index_add", "scatter_add", "index_copy", "index_put", "take", "gather", "select"]
)
def test_places_that_are_sums(how):
    """Short sums are computed where they are used, which an index cannot do."""
    starts, rows = rl.tensor([0, 2]), rl.arange(8.0).reshape(4, 2)

    def work():
        bag = (rl.arange(4).unsqueeze(1) >= starts).sum(1) - 1
        base = rl.zeros(3, 2)
        if how == "take":
            return rows.take(bag)
        if how in ("gather", "select"):
            column = rows[:, 0]
            return column.gather(0, bag) if how == "gather" else column[bag]
        if how == "scatter_add":
            return base.scatter_add(0, bag.unsqueeze(1).expand(4, 2), rows * 2)
        if how == "index_put":
            return base.index_put((bag,), rows * 2, accumulate=True)
        return getattr(base, how)(0, bag, rows * 2)

    with tier.only("compiled"):
        found = work().tolist()
    with tier.only("reference"):
        assert found == work().tolist()
