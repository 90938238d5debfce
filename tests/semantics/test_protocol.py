"""Python's protocols on tensors, conversions, and tensors made from data and sizes."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
from agree import same

Case = Any

# Numbers, lists, loops ----------------------------------------------------------------------------

NUMBERS: list[Case] = [
    lambda lib: [lib.tensor(v).item() for v in (1, 2.5, True, 1j)],
    lambda lib: [type(lib.tensor(v).item()).__name__ for v in (1, 2.5, True, 1j)],
    lambda lib: lib.ones(1, 1, 1).item(),
    lambda lib: lib.ones(2).item(),
    lambda lib: lib.zeros(0).item(),
    lambda lib: lib.tensor([1.5], dtype=lib.bfloat16).item(),
    lambda lib: lib.ones(1, requires_grad=True).item(),
    lambda lib: lib.tensor(3).tolist(),
    lambda lib: [lib.zeros(0).tolist(), lib.zeros(2, 0).tolist(), lib.zeros(0, 2).tolist()],
    lambda lib: lib.arange(6).view(2, 3).t().tolist(),
    lambda lib: [bool(lib.tensor(v)) for v in (0, 0.0, -1, 0.5, False, [True], 0j)],
    lambda lib: bool(lib.ones(2)),
    lambda lib: bool(lib.zeros(0)),
    lambda lib: bool(lib.tensor(float("nan"))),
    lambda lib: [int(lib.tensor(v)) for v in (2.9, -2.9, True, [[7]])],
    lambda lib: int(lib.tensor(float("nan"))),
    lambda lib: int(lib.tensor(float("inf"))),
    lambda lib: int(lib.ones(3)),
    lambda lib: [float(lib.tensor(v)) for v in (2, 0.1, True)],
    lambda lib: float(lib.tensor(0.1, dtype=lib.float64)),
    lambda lib: float(lib.ones(2)),
    lambda lib: [complex(lib.tensor(v)) for v in (2, 0.5, 1j)],
    lambda lib: [10, 20, 30][lib.tensor(1)],
    lambda lib: [10, 20, 30][lib.tensor([2])],
    lambda lib: [10, 20][lib.tensor(1.0)],
    lambda lib: [10, 20][lib.tensor([0, 1])],
    lambda lib: [10, 20][lib.tensor(True)],
    lambda lib: list(range(lib.tensor(3))),
    lambda lib: len(lib.zeros(3, 2)),
    lambda lib: len(lib.zeros(0, 2)),
    lambda lib: len(lib.tensor(1)),
    lambda lib: list(lib.arange(4).view(2, 2)),
    lambda lib: list(lib.tensor(1)),
    lambda lib: list(lib.zeros(0, 3)),
    lambda lib: [a + b for a, b in zip(lib.ones(2), lib.arange(2), strict=True)],
    lambda lib: list(reversed(lib.arange(3))),
    lambda lib: [v in lib.arange(3) for v in (0, 2, 3, 1.0, True)],
    lambda lib: lib.tensor(1) in lib.arange(3),
    lambda lib: "a" in lib.arange(3),
    lambda lib: None in lib.arange(3),
    lambda lib: [f"{lib.tensor(v)}" for v in (1, 2.5, True)],
    lambda lib: f"{lib.tensor(3.14159):.2f} {lib.tensor(7):04d}",
    lambda lib: f"{lib.tensor([3.14159]):.2f}",
    lambda lib: f"{lib.ones(2)}",
    lambda lib: f"{lib.tensor(2.0, requires_grad=True):.1f}",
    lambda lib: round(lib.tensor(2.6).item()),
    lambda lib: sum(lib.arange(4)),
    lambda lib: max(lib.arange(4)),
    lambda lib: sorted(lib.tensor([3, 1, 2])),
    lambda lib: abs(lib.tensor([-1, 2])),
    lambda lib: divmod(7, 2)[0] * lib.ones(1),
    lambda lib: lib.ones(2) and 1,
    lambda lib: lib.tensor(0.0) or 5,
    lambda lib: not lib.tensor(0),
    lambda lib: lib.ones(2) == None,  # noqa: E711
    lambda lib: lib.ones(2) != "a",
]


@pytest.mark.parametrize("program", NUMBERS)
def test_python_protocols(program: Case) -> None:
    same(program, text=False)


def test_hash_is_identity() -> None:
    def run(lib: Any) -> Any:
        a, b = lib.ones(2), lib.ones(2)
        table = {a: 1, b: 2}
        return len(table), table[a], table[b], hash(a) == hash(a), len({a, b, a})

    same(run)


# Copies -------------------------------------------------------------------------------------------


def by_pickle(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))


def leaf_with_gradient(lib: Any, clone: Any) -> Any:
    x = lib.ones(3, requires_grad=True)
    (x * x).sum().backward()
    y = clone(x)
    y.data[0] = 5
    return x, y, x.grad, y.grad


def parameter(lib: Any, clone: Any) -> Any:
    p = lib.nn.Parameter(lib.arange(3.0), requires_grad=False)
    q = clone(p)
    return q, type(q).__name__, type(clone(lib.nn.Parameter(lib.ones(1)))).__name__


def views(lib: Any, clone: Any) -> Any:
    x = lib.arange(6.0)
    row = clone(x[2:4])
    row[1] = 60
    return x, row.tolist()


def same_object_twice(lib: Any, clone: Any) -> Any:
    x = lib.ones(2)
    a, b = clone([x, x])
    return a is b, a


def arranged(lib: Any, clone: Any) -> Any:
    x = lib.arange(6).view(2, 3).t()
    copies = clone(x), clone(x[::2]), clone(x.contiguous().view(-1)[1:])
    return [c.tolist() for c in copies], clone(lib.zeros(0, 3)), clone(lib.tensor(4.0))


def dtypes(lib: Any, clone: Any) -> Any:
    names = ("float16", "bfloat16", "float64", "int8", "bool", "complex64")
    return [clone(lib.ones(2, dtype=getattr(lib, name))) for name in names]


def small_things(lib: Any, clone: Any) -> Any:
    size, kind = clone(lib.Size([1, 2])), clone(lib.float32)
    return size, kind, kind is lib.float32, clone(lib.device("cpu"))


@pytest.mark.parametrize(
    "program",
    [
        leaf_with_gradient, parameter, views, same_object_twice, arranged, dtypes,
        small_things,
    ],
)  # fmt: skip
@pytest.mark.parametrize("clone", [copy.deepcopy, by_pickle])
def test_copies(program: Any, clone: Any) -> None:
    same(lambda lib: program(lib, clone), layout=True)


def test_non_leaf_refuses_deepcopy() -> None:
    assert "Only Tensors created explicitly" in same(
        lambda lib: copy.deepcopy(lib.ones(2, requires_grad=True) * 2), text=False
    )


# Text ---------------------------------------------------------------------------------------------


def trained(lib: Any) -> Any:
    w = lib.tensor([[1.0, -2.0]], requires_grad=True)
    x = lib.tensor([[3.0], [0.5]])
    y = lib.relu(w @ x)
    loss = (y - 1).pow(2).mean()
    texts = [repr(v) for v in (w, x, y, loss, w[0], w.t(), w.detach(), loss.detach(), -w)]
    loss.backward()
    return [*texts, repr(w.grad), str(lib.nn.Parameter(w.detach()))]


REPRS: list[Case] = [
    trained,
    lambda lib: [repr(lib.ones(2, dtype=t)) for t in (lib.float64, lib.float16, lib.bfloat16)],
    lambda lib: [repr(lib.ones(2, dtype=t)) for t in (lib.int64, lib.int32, lib.uint8, lib.bool)],
    lambda lib: [repr(lib.zeros(*s)) for s in ((0,), (0, 3), (2, 0), (1, 1, 1))],
    lambda lib: [repr(lib.tensor(v)) for v in (1, 1.0, True, 1e10, 1e-7, float("nan"), 1 + 2j)],
    lambda lib: repr(lib.tensor([1.0, float("inf"), -float("inf"), float("nan")])),
    lambda lib: repr(lib.arange(2000.0)),
    lambda lib: repr(lib.tensor([1e-8, 1.0, 1e8])),
    lambda lib: repr(lib.zeros(2, dtype=lib.int32)[:0]),
    lambda lib: [repr(lib.Size([2, 3])), repr(lib.device("cpu")), repr(lib.float16)],
    lambda lib: repr({"a": lib.ones(2), "b": [lib.tensor(1)]}),
]


@pytest.mark.parametrize("program", REPRS)
def test_text(program: Case) -> None:
    same(program)


# Conversions --------------------------------------------------------------------------------------

CONVERSIONS: list[Case] = [
    lambda lib: [getattr(lib.tensor([-2.7, 0.0, 2.7]), n)() for n in ("int", "long", "short")],
    lambda lib: [getattr(lib.tensor([-2, 0, 3]), n)() for n in ("float", "double", "half")],
    lambda lib: [getattr(lib.tensor([0.0, 0.5]), n)() for n in ("bool", "bfloat16", "char")],
    lambda lib: lib.tensor([300, -1]).byte(),
    lambda lib: lib.tensor([200, -129]).to(lib.int8),
    lambda lib: lib.tensor([2**31, 2**33 + 1]).int(),
    lambda lib: lib.tensor([2**24 + 1, 2**53 + 1]).float(),
    lambda lib: lib.tensor([1e5, 65504.0, 1e-8]).half(),
    lambda lib: lib.tensor([1e300]).double().float(),
    lambda lib: lib.tensor([1.00390625, 3.3895e38]).bfloat16(),
    lambda lib: lib.tensor([float("nan"), float("inf"), 0.0]).bool(),
    lambda lib: lib.ones(2).to(lib.ones(1, dtype=lib.int16)),
    lambda lib: lib.ones(2).to("cpu", lib.float64),
    lambda lib: lib.ones(2).to(dtype=lib.float16, copy=True),
    lambda lib: (lambda x: [x.to(lib.float32) is x, x.float() is x, x.to("cpu") is x])(lib.ones(1)),
    lambda lib: lib.ones(2).to("nowhere"),
    lambda lib: lib.ones(2).type(lib.int32),
    lambda lib: lib.ones(2).type_as(lib.ones(1, dtype=lib.float64)),
    lambda lib: lib.ones(2, requires_grad=True).double(),
    lambda lib: lib.ones(2, requires_grad=True).long(),
    lambda lib: lib.tensor([1 + 2j]).abs(),
    lambda lib: lib.zeros(2, 2).copy_(lib.tensor([1, 2])),
    lambda lib: lib.zeros(2, dtype=lib.int32).copy_(lib.tensor([-1.9, 1.9])),
    lambda lib: lib.zeros(2).copy_(lib.zeros(3)),
    lambda lib: lib.arange(6).view(2, 3).t().fill_(7),
    lambda lib: lib.zeros(2, dtype=lib.int64).fill_(2.9),
    lambda lib: lib.zeros(2).fill_(lib.tensor(3)),
    lambda lib: lib.zeros(2).fill_(lib.ones(2)),
    lambda lib: lib.ones(2, 3)[:, 1].zero_(),
    lambda lib: lib.ones(2, requires_grad=True).zero_(),
    lambda lib: lib.arange(6).resize_(2, 2),
    lambda lib: lib.arange(6).resize_(3, 2)[:, 1],
    lambda lib: lib.ones(2, requires_grad=True).resize_(1),
    lambda lib: lib.ones(2, dtype=lib.float64).new_zeros(2, 1),
    lambda lib: lib.ones(2, dtype=lib.int16).new_ones((2,)),
    lambda lib: lib.ones(2, dtype=lib.int16).new_full((2,), 3.7),
    lambda lib: lib.ones(2, dtype=lib.int16).new_full((2,), 3.5, dtype=lib.float64),
    lambda lib: lib.ones(2).new_tensor([1, 2]),
    lambda lib: lib.ones(2, dtype=lib.int8).new_empty(3, 0),
    lambda lib: lib.ones(2).new_zeros(2, requires_grad=True),
    lambda lib: [lib.zeros_like(lib.ones(2, dtype=lib.bool)), lib.full_like(lib.arange(2), 7)],
    lambda lib: lib.ones_like(lib.zeros(3, 2).t(), dtype=lib.int64),
]


@pytest.mark.parametrize("program", CONVERSIONS)
def test_conversions(program: Case) -> None:
    same(program, text=False, warned=False)


# Making tensors -----------------------------------------------------------------------------------

MAKING: list[Case] = [
    lambda lib: [lib.tensor(v) for v in (1, 1.0, True, 1j, [], [[]], [1, 2.5], [True, 2], [1, 1j])],
    lambda lib: [lib.tensor(v).shape for v in ([], [[]], [[], []], (), ((1,), (2,)))],
    lambda lib: lib.tensor([[1, 2], [3]]),
    lambda lib: lib.tensor([[1], 2]),
    lambda lib: lib.tensor([1, [2]]),
    lambda lib: lib.tensor(["a"]),
    lambda lib: lib.tensor([None]),
    lambda lib: lib.tensor({1: 2}),
    lambda lib: lib.tensor({1, 2}),
    lambda lib: lib.tensor(2**63),
    lambda lib: lib.tensor([-(2**63), 2**63 - 1]),
    lambda lib: lib.tensor([1.9, -1.9], dtype=lib.int32),
    lambda lib: lib.tensor([0, 2], dtype=lib.bool),
    lambda lib: lib.tensor(range(3)),
    lambda lib: lib.tensor([lib.tensor(1), lib.tensor(2)]),
    lambda lib: lib.tensor([lib.tensor(1.5), 2]),
    lambda lib: lib.tensor([1, 2], requires_grad=True),
    lambda lib: lib.tensor([np.float64(0.1)]),
    lambda lib: lib.zeros(2, 3),
    lambda lib: lib.zeros((2,), dtype=lib.int8),
    lambda lib: [lib.zeros(()), lib.ones([2, 0]), lib.ones(lib.Size([1, 2]))],
    lambda lib: lib.zeros(-1),
    lambda lib: lib.zeros(2.0),
    lambda lib: lib.zeros("a"),
    lambda lib: lib.zeros(2, requires_grad=True),
    lambda lib: lib.zeros(2, dtype=lib.int32, requires_grad=True),
    lambda lib: [lib.full((2,), v) for v in (1, 1.5, True, 1j)],
    lambda lib: lib.full((2,), 1, dtype=lib.float16),
    lambda lib: lib.full((), float("inf")),
    lambda lib: lib.full(2, 1),
    lambda lib: [lib.arange(5), lib.arange(1, 5), lib.arange(1, 10, 3), lib.arange(5, 0, -2)],
    lambda lib: [
        lib.arange(2.5),
        lib.arange(0, 1, 0.25),
        lib.arange(0),
        lib.arange(3, dtype=lib.int8),
    ],
    lambda lib: lib.arange(0, 1, 0.1).shape,
    lambda lib: lib.arange(5, 1),
    lambda lib: lib.arange(1, 5, -1),
    lambda lib: lib.arange(1, 5, 0),
    lambda lib: lib.arange(float("nan")),
    lambda lib: lib.arange(float("inf")),
    lambda lib: [lib.linspace(0, 1, 5), lib.linspace(3, 3, 2), lib.linspace(0, 1, 1)],
    lambda lib: [
        lib.linspace(0, 1, 0),
        lib.linspace(10, -10, 5),
        lib.linspace(0, 9, 4, dtype=lib.int64),
    ],
    lambda lib: lib.linspace(0, 1, -1),
    lambda lib: lib.linspace(0, 1),
    lambda lib: [lib.logspace(0, 2, 3), lib.logspace(0, 3, 4, base=2), lib.logspace(1, 2, 1)],
    lambda lib: lib.logspace(0, 1, -2),
    lambda lib: [lib.eye(2), lib.eye(2, 3), lib.eye(3, 1, dtype=lib.int64), lib.eye(0)],
    lambda lib: lib.eye(-1),
    lambda lib: lib.eye(2, -1),
    lambda lib: lib.empty(2, 0, dtype=lib.float64),
    lambda lib: lib.scalar_tensor(3),
]


@pytest.mark.parametrize("program", MAKING)
def test_making(program: Case) -> None:
    same(program, text=False, warned=False, close=1e-6)


@pytest.mark.parametrize("name", ["float64", "float16", "bfloat16", "float32"])
def test_default_dtype(name: str) -> None:
    def run(lib: Any) -> Any:
        before = lib.get_default_dtype()
        lib.set_default_dtype(getattr(lib, name))
        try:
            return [
                before, lib.get_default_dtype(), lib.tensor(1.5), lib.tensor([1, 2.0]),
                lib.tensor(1),
                lib.zeros(2), lib.eye(2), lib.arange(2.0), lib.arange(2), lib.full((1,), 0.5),
                lib.arange(3) / 2, lib.tensor(np.float32([1])), lib.ones(1, dtype=lib.int64) * 1.5,
                lib.nn.Linear(1, 1).weight.dtype, lib.linspace(0, 1, 3), lib.tensor([True]).float(),
                repr(lib.ones(1)), lib.arange(4).float().mean(),
            ]  # fmt: skip
        finally:
            lib.set_default_dtype(before)

    same(run)


@pytest.mark.parametrize("bad", [lambda lib: lib.int64, lambda lib: "float32", lambda lib: None])
def test_default_dtype_refuses(bad: Any) -> None:
    same(lambda lib: lib.set_default_dtype(bad(lib)), text=False)


# Size ---------------------------------------------------------------------------------------------

SIZES: list[Case] = [
    lambda lib: lib.zeros(2, 3).shape,
    lambda lib: lib.zeros(2, 3).size(),
    lambda lib: [lib.zeros(2, 3).size(i) for i in (0, 1, -1, -2)],
    lambda lib: lib.zeros(2, 3).size(2),
    lambda lib: lib.tensor(1).size(0),
    lambda lib: [lib.Size([2, 3]).numel(), lib.Size([]).numel(), lib.Size([2, 0]).numel()],
    lambda lib: lib.Size([2, 3, 4])[1:],
    lambda lib: lib.Size([2, 3, 4])[-1],
    lambda lib: lib.Size([2]) + lib.Size([3]),
    lambda lib: lib.Size([2]) + (3,),
    lambda lib: (3,) + lib.Size([2]),
    lambda lib: lib.Size([2]) * 2,
    lambda lib: [
        lib.Size([2, 3]) == (2, 3),
        lib.Size([2]) == [2],
        hash(lib.Size([2])) == hash((2,)),
    ],
    lambda lib: lib.Size([lib.tensor(2), np.int64(3)]),
    lambda lib: lib.Size(3),
    lambda lib: lib.Size(),
    lambda lib: [isinstance(lib.Size([1]), tuple), f"{lib.Size([1])}", str(lib.Size([]))],
    lambda lib: [2 in lib.Size([2, 3]), lib.Size([2, 2]).count(2), lib.Size([2, 3]).index(3)],
    lambda lib: lib.zeros(*lib.Size([1, 2])).view(lib.Size([2])),
]


@pytest.mark.parametrize("program", SIZES)
def test_size(program: Case) -> None:
    same(program, text=False)
