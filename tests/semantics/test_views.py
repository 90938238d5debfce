"""Views, writes through them, layouts, ``out=``, broadcasting and promotion, as in PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from agree import same

import rushlight as rl

Program = Callable[[Any], Any]

ALIASES: dict[str, Program] = {
    "row": lambda x: x[1],
    "columns": lambda x: x[:, 1:3],
    "step": lambda x: x[::2, ::3],
    "t": lambda x: x.t(),
    "T": lambda x: x.T,
    "mT": lambda x: x.mT,
    "view": lambda x: x.view(2, 6),
    "reshape": lambda x: x.reshape(-1),
    "flatten": lambda x: x.flatten(),
    "unsqueeze": lambda x: x.unsqueeze(1),
    "squeeze": lambda x: x[:1].squeeze(0),
    "narrow": lambda x: x.narrow(1, 1, 2),
    "select": lambda x: x.select(1, -1),
    "diagonal": lambda x: x.diagonal(),
    "diagonal above": lambda x: x.diagonal(1),
    "diagonal below": lambda x: x.diagonal(-1),
    "split": lambda x: x.split(2, dim=1)[1],
    "chunk": lambda x: x.chunk(3)[2],
    "unbind": lambda x: x.unbind(1)[2],
    "unfold": lambda x: x.unfold(1, 2, 2),
    "permute": lambda x: x.permute(1, 0),
    "movedim": lambda x: x.movedim(0, 1),
    "unflatten": lambda x: x.unflatten(1, (2, 2)),
    "as_strided": lambda x: x.as_strided((2, 2), (4, 1), 1),
    "view of views": lambda x: x.t()[1:].unsqueeze(0)[0, :, ::2],
    "slice of slice of slice": lambda x: x[1:][:, 1:][0, ::2],
    "detach": lambda x: x.detach(),
    "data": lambda x: x.data,
    "detached view": lambda x: x[1].detach()[1:],
    "contiguous": lambda x: x.contiguous(),
    "same dtype": lambda x: x.to(x.dtype),
    "clone": lambda x: x.clone(),
    "copying reshape": lambda x: x.t().reshape(-1),
    "copying contiguous": lambda x: x.t().contiguous(),
    "copying flatten": lambda x: x.t().flatten(),
    "advanced": lambda x: x[[0, 1]],
}
VIEWS = [pytest.param(view, id=name) for name, view in ALIASES.items()]


def base(f: Any) -> Any:
    return f.arange(12.0).reshape(3, 4)


@pytest.mark.parametrize("view", VIEWS)
def test_writes_are_seen(view: Program) -> None:
    def program(f: Any) -> Any:
        x = base(f)
        y = view(x)
        y += 100
        first = x.clone(), y.clone()
        x.mul_(2)
        x[1, 1] = -5
        return first, x, y, view(x)

    same(program)


@pytest.mark.parametrize("view", VIEWS)
def test_layout(view: Program) -> None:
    def program(f: Any) -> Any:
        x = base(f)
        y = view(x)
        return y, y.is_contiguous(), y.storage_offset(), y.stride()

    same(program, layout=True)


# PyTorch refuses to write to one of several views while recording; here they are views like others.
SEVERAL = ("split", "chunk", "unbind")
RECORDED = [pytest.param(v, id=name) for name, v in ALIASES.items() if name not in SEVERAL]


@pytest.mark.parametrize("view", RECORDED)
def test_gradients_through_writes(view: Program) -> None:
    def program(f: Any) -> Any:
        leaf = base(f).requires_grad_()
        x = leaf * 1
        y = view(x)
        y.mul_(3)
        (x * base(f)).sum().backward()
        return x, y, leaf.grad

    same(program, text=False)


@pytest.mark.parametrize("view", VIEWS)
def test_write_to_a_view_of_a_leaf(view: Program) -> None:
    def program(f: Any, guarded: bool) -> Any:
        leaf = base(f).requires_grad_()
        y = view(leaf)
        if guarded:
            with f.no_grad():
                y.add_(1)
        else:
            y.add_(1)
        return leaf.detach(), y.detach()

    same(lambda f: program(f, True))
    same(lambda f: program(f, False), text=False)


def test_views_among_themselves() -> None:
    def program(f: Any) -> Any:
        x = f.zeros(4, 4)
        rows, columns, diagonal = x[1:3], x[:, 1:3], x.diagonal()
        rows.add_(1)
        columns.mul_(5).add_(2)
        diagonal.fill_(-1)
        rows[0, :2] = f.tensor([7.0, 8.0])
        return x, rows, columns, diagonal

    same(program)


def test_overlapping_source() -> None:
    def program(f: Any) -> Any:
        x = f.arange(6.0)
        x[1:] = x[:-1].clone()
        x += x[2].clone()
        return x

    same(program)


EXPANDED: dict[str, Program] = {
    "add_": lambda e: e.add_(1),
    "fill_": lambda e: e.fill_(1),
    "copy_": lambda e: e.copy_(e + 1),
    "row": lambda e: e[0].add_(1),
    "zero_": lambda e: e.zero_(),
    "clone": lambda e: e.clone().add_(1),
    "setitem": lambda e: e.__setitem__(0, 5.0),
}


@pytest.mark.parametrize("change", [pytest.param(c, id=n) for n, c in EXPANDED.items()])
def test_writes_to_expanded(change: Program) -> None:
    def program(f: Any) -> Any:
        x = f.arange(3.0)
        e = x.expand(4, 3)
        change(e)
        return x, e

    same(program, text=False)


REFUSED: dict[str, Program] = {
    "view of transposed": lambda f: base(f).t().view(-1),
    "view of strided": lambda f: base(f)[:, ::2].view(-1),
    "view of a fitting split": lambda f: base(f)[:, ::2].view(3, 2, 1),
    "view of other count": lambda f: base(f).view(5, -1),
    "two unknown": lambda f: base(f).view(-1, -1),
    "reshape of other count": lambda f: base(f).reshape(5),
    "unknown of nothing": lambda f: f.zeros(0).view(0, -1),
    "expand a real dim": lambda f: base(f).expand(3, 8),
    "expand to fewer dims": lambda f: base(f).expand(4),
    "expand by -1 in front": lambda f: base(f).expand(-1, 3, 4),
    "t of three": lambda f: f.zeros(1, 2, 3).t(),
    "mT of one": lambda f: f.zeros(3).mT,
    "transpose outside": lambda f: base(f).transpose(0, 2),
    "permute twice": lambda f: base(f).permute(0, 0),
    "permute too few": lambda f: base(f).permute(0),
    "narrow outside": lambda f: base(f).narrow(0, 2, 2),
    "select outside": lambda f: base(f).select(0, 3),
    "diagonal of one": lambda f: f.zeros(3).diagonal(),
    "same dims": lambda f: base(f).diagonal(0, 1, 1),
    "split by 0": lambda f: base(f).split(0),
    "split by wrong sizes": lambda f: base(f).split([1, 1]),
    "chunk to 0": lambda f: base(f).chunk(0),
    "unbind a scalar": lambda f: f.tensor(1.0).unbind(),
    "squeeze outside": lambda f: base(f).squeeze(2),
    "unsqueeze outside": lambda f: base(f).unsqueeze(3),
    "add": lambda f: f.zeros(3) + f.zeros(4),
    "add of 2 and 3": lambda f: f.zeros(2, 3) + f.zeros(3, 2),
    "add of nothing": lambda f: f.zeros(0) + f.zeros(2),
    "where": lambda f: f.where(f.zeros(2, dtype=f.bool), f.zeros(3), f.zeros(3)),
    "in-place of smaller": lambda f: f.zeros(3).add_(f.zeros(2, 3)),
    "in-place that does not broadcast": lambda f: f.zeros(3).mul_(f.zeros(2)),
    "float into int": lambda f: f.zeros(3, dtype=f.int64).add_(0.5),
    "division of int": lambda f: f.ones(3, dtype=f.int64).div_(2),
    "float tensor into int": lambda f: f.zeros(3, dtype=f.int32).mul_(f.ones(3)),
    "int into bool": lambda f: f.zeros(3, dtype=f.bool).add_(1),
    "complex into float": lambda f: f.zeros(3).add_(1j),
    "double into float": lambda f: f.zeros(3).add_(f.ones(3, dtype=f.float64)),
    "int16 into int8": lambda f: f.zeros(3, dtype=f.int8).add_(f.ones(3, dtype=f.int16)),
    "copy_ of larger": lambda f: f.zeros(3).copy_(f.zeros(2, 3)),
    "bool minus bool": lambda f: f.ones(2, dtype=f.bool) - f.ones(2, dtype=f.bool),
}


@pytest.mark.parametrize("program", [pytest.param(p, id=n) for n, p in REFUSED.items()])
def test_refused(program: Program) -> None:
    same(program, text=False)


@pytest.mark.parametrize("left", [(), (1,), (3,), (0,), (2, 1), (1, 3), (2, 0), (4, 1, 3)])
@pytest.mark.parametrize("right", [(), (1,), (3,), (0,), (2, 3), (4, 2, 1)])
def test_broadcasting(left: tuple[int, ...], right: tuple[int, ...]) -> None:
    def program(f: Any) -> Any:
        a, b = f.full(left, 2.0, requires_grad=True), f.full(right, 3.0, requires_grad=True)
        y = a * b + a
        y.sum().backward()
        return y, a.grad, b.grad

    same(program)
    same(lambda f: f.broadcast_shapes(left, right), text=False)
    same(lambda f: f.full(left, 1.0).add_(f.full(right, 2.0)), text=False)


@pytest.mark.parametrize("step", [1, 2, 3, 5])
def test_pieces_are_aliases(step: int) -> None:
    def program(f: Any) -> Any:
        x = f.arange(10.0).reshape(5, 2)
        for number, piece in enumerate(x.split(step)):
            piece.add_(number * 100)
        for number, piece in enumerate(x.chunk(step)):
            piece.mul_(number)
        for number, piece in enumerate(x.unbind(1)):
            piece.sub_(number)
        return x, x.split(step), x.chunk(step), x.unbind(1)

    same(program, layout=True)


@pytest.mark.parametrize("piece", SEVERAL)
def test_write_to_one_of_several_is_recorded(piece: str) -> None:
    x = base(rl).requires_grad_()
    y = x * 1
    ALIASES[piece](y).mul_(3)
    (weights,) = rl.autograd.grad(y.sum(), x)
    scaled = rl.ones(3, 4)
    ALIASES[piece](scaled).mul_(3)
    assert weights.tolist() == scaled.tolist()


def test_gradient_after_a_read_value_was_overwritten() -> None:
    """The gradient is that of the value that was read; PyTorch raises for having lost it."""
    leaf = base(rl).requires_grad_()
    x = leaf * 1
    y = (x * x).sum()
    x[0].add_(1)
    y.backward()
    assert leaf.grad.tolist() == (base(rl) * 2).tolist()


OUT: dict[str, Program] = {
    "add": lambda f: lambda out: f.add(base(f), 1, out=out),
    "exp": lambda f: lambda out: f.exp(base(f), out=out),
    "sum": lambda f: lambda out: f.sum(base(f), 0, out=out),
    "matmul": lambda f: lambda out: f.matmul(base(f), base(f).t(), out=out),
    "cat": lambda f: lambda out: f.cat([base(f), base(f)], out=out),
    "div": lambda f: lambda out: f.div(base(f), 3, out=out),
}


# Casts that PyTorch's kernels each decide for themselves are left out.
OUT_CASES = [
    pytest.param(call, dtype, id=f"{name}-{dtype}")
    for name, call in OUT.items()
    for dtype in ("float32", "float64", "int64", "bool")
    if not (name == "matmul" and dtype == "float64")
    if not (name in ("sum", "cat") and dtype in ("int64", "bool"))
]


@pytest.mark.parametrize(("call", "dtype"), OUT_CASES)
@pytest.mark.parametrize("shape", [(0,), (3, 4), (2, 2)])
def test_out(call: Program, dtype: str, shape: tuple[int, ...]) -> None:
    def program(f: Any) -> Any:
        out = f.zeros(shape, dtype=getattr(f, dtype))
        result = call(f)(out)
        return out, result is out

    same(program, close=1e-6, text=False, warned=False)


def test_out_of_a_view_writes_its_base() -> None:
    def program(f: Any) -> Any:
        x = f.zeros(2, 3, 4)
        f.mul(base(f), 2, out=x[1])
        return x

    same(program)


def test_out_of_a_leaf_is_refused() -> None:
    def program(f: Any) -> Any:
        return f.add(base(f), 1, out=f.zeros(3, 4, requires_grad=True))

    assert "Error" in same(program, text=False)


DTYPES = (
    "bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32",
    "float64", "complex64", "complex128",
)  # fmt: skip


@pytest.mark.parametrize("name", ["add", "mul", "div"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_promotion(dtype: str, name: str) -> None:
    half = dtype == "float16"  # with complex numbers it would become complex32, which is not here
    others = DTYPES[:-2] if half else DTYPES

    def program(f: Any) -> Any:
        call = getattr(f, name)
        x = f.tensor([1, 2, 3]).to(getattr(f, dtype))
        scalars = [call(x, s) for s in ((True, 2, 2.0) if half else (True, 2, 2.0, 2j))]
        zeros = [call(x, f.tensor(1).to(getattr(f, other))) for other in others]
        ones = [call(x, f.tensor([1]).to(getattr(f, other))) for other in DTYPES]
        single = [call(x[0], f.tensor(1).to(getattr(f, other))) for other in DTYPES]
        kinds = [f.result_type(x, f.tensor(1).to(getattr(f, other))) for other in others]
        return scalars, [(y.dtype, y.shape) for y in zeros + ones + single], zeros[:6], kinds

    same(program, close=1e-6, warned=False)
