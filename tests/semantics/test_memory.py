"""One memory in several guises: bit casts, parts of complex numbers, strides, sizes, ``.data``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from agree import same

PROGRAMS: list[Any] = []
# PyTorch says these in words about its own insides.
OTHER_WORDS = {"resize_bad", "set_other_dtype", "bad sizes"}


def program(run: Callable[[Any], Any]) -> Callable[[Any], Any]:
    PROGRAMS.append(run)
    return run


def ar(lib, *shape):
    return (
        lib.arange(int(np.prod(shape)), dtype=lib.float32).reshape(shape)
        if shape
        else lib.tensor(1.0)
    )


for src, dst in [
    ("float32", "int32"),
    ("float32", "int16"),
    ("int16", "float32"),
    ("float64", "complex64"),
    ("complex64", "float32"),
    ("bfloat16", "int16"),
    ("float16", "uint8"),
    ("uint8", "float16"),
    ("bool", "uint8"),
    ("uint8", "bool"),
    ("int64", "float64"),
    ("uint8", "bfloat16"),
]:

    def f(lib, src=src, dst=dst):
        x = lib.arange(8).to(getattr(lib, src)).reshape(2, 4)
        y = x.view(getattr(lib, dst))
        return (y.shape, y.stride(), y.storage_offset(), y.view(getattr(lib, src)), y.dtype)

    f.__name__ = f"bits {src} {dst}"
    PROGRAMS.append(f)


for name, mk in {
    "0d": lambda l: l.tensor(1.0),
    "odd": lambda l: l.zeros(3),
    "t": lambda l: l.zeros(2, 4).t(),
    "off": lambda l: l.zeros(5)[1:],
    "rows": lambda l: l.zeros(4, 7)[:, 1:5],
    "ok rows": lambda l: l.zeros(4, 6)[:, 2:],
    "empty": lambda l: l.zeros(0, 2),
    "exp": lambda l: l.zeros(2).expand(3, 2),
}.items():

    def f(lib, mk=mk):
        y = mk(lib).view(lib.float64)
        return (y.shape, y.stride(), y.storage_offset())

    f.__name__ = "widen " + name
    PROGRAMS.append(f)

    def f(lib, mk=mk):
        y = mk(lib).view(lib.int16)
        return (y.shape, y.stride(), y.storage_offset())

    f.__name__ = "narrow " + name
    PROGRAMS.append(f)


@program
def bits_write(lib):
    x = lib.zeros(3)
    y = x.view(lib.int32)
    y[1] = 1065353216
    x[0] = 2
    return (x, y)


@program
def bits_write_through_slices(lib):
    x = lib.zeros(2, 4)
    y = x[:, 2:].view(lib.int32)
    y.fill_(1065353216)
    return x


@program
def bits_grad(lib):
    x = lib.ones(2, requires_grad=True) * 1
    return x.view(lib.int32).requires_grad


@program
def real_imag(lib):
    z = lib.tensor([1 + 2j, 3 - 4j])
    z.real[0] = 9
    z.imag.mul_(2)
    return (z, z.real.stride(), z.imag.storage_offset(), z.real.is_contiguous())


@program
def set_real(lib):
    z = lib.tensor([1 + 2j, 3 - 4j])
    z.real = lib.tensor([7.0, 8.0])
    z.imag = 1
    return z


@program
def real_of_real(lib):
    x = lib.ones(2)
    x.real = lib.tensor([3.0, 4.0])
    return (x, x.real is x)


@program
def imag_of_real(lib):
    return lib.ones(2).imag


@program
def set_imag_of_real(lib):
    lib.ones(2).imag = 1


@program
def conj_writes(lib):
    z = lib.tensor([1 + 2j, 3 - 4j])
    c = z.conj()
    c[0] = 5 + 5j
    return (z, c, c.is_conj(), z.is_conj(), c.conj().is_conj(), c.resolve_conj().is_conj())


@program
def conj_numpy(lib):
    lib.tensor([1j]).conj().numpy()


@program
def conj_numpy2(lib):
    return (lib.tensor([1j]).conj().conj().numpy(), lib.tensor([1j]).conj().resolve_conj().numpy())


@program
def view_as_real(lib):
    z = lib.tensor([[1 + 2j, 3 - 4j]])
    r = lib.view_as_real(z)
    r[0, 0, 1] = 7
    return (z, r.stride(), r.shape, lib.view_as_complex(r))


@program
def real_grad(lib):
    z = lib.tensor([1 + 2j, 3 - 4j], requires_grad=True)
    (z.real * 2 + z.imag * 3).sum().backward()
    return z.grad


@program
def real_grad_write(lib):
    z = lib.tensor([1 + 2j, 3 - 4j], requires_grad=True)
    y = z * 1
    y.real.mul_(3.0)
    (y * y.conj()).real.sum().backward()
    return (z.grad, y)


@program
def strided(lib):
    x = ar(lib, 12)
    v = x.as_strided((2, 3), (5, 2), 1)
    v.mul_(-1)
    return (x, v, v.stride(), v.storage_offset(), lib.as_strided(x, (2,), (3,)))


@program
def strided_overlap(lib):
    x = ar(lib, 4)
    return (x.as_strided((3, 2), (1, 1)), lib.as_strided(x, (2, 2), (1, 2), 0))


@program
def strided_of_view(lib):
    x = ar(lib, 3, 4)
    v = x[1]
    return (v.as_strided((2, 2), (4, 1)), v.as_strided((2, 2), (4, 1), 0), v.as_strided((), (), 3))


@program
def strided_grad(lib):
    x = lib.ones(6, dtype=lib.float64, requires_grad=True)
    w = lib.arange(6).double().reshape(3, 2)
    (x.as_strided((3, 2), (2, 1), 0) * w).sum().backward()
    return x.grad


@program
def strided_overlap_grad(lib):
    x = lib.ones(4, dtype=lib.float64, requires_grad=True)
    (x.as_strided((3, 2), (1, 1)) * lib.arange(6).double().reshape(3, 2)).sum().backward()
    return x.grad


for n, a in {
    "short": ((2, 2), (3, 3)),
    "neg": ((2, 2), (-1, 3)),
    "len": ((2, 2), (1,)),
    "off": ((2,), (1,), -1),
    "size": ((-2,), (1,)),
    "far": ((2,), (1,), 5),
}.items():

    def f(lib, a=a):
        return ar(lib, 6).as_strided(*a)

    f.__name__ = "strided " + n
    PROGRAMS.append(f)


@program
def strided_inplace(lib):
    x = ar(lib, 6)
    x.as_strided_((2, 2), (2, 1), 1)
    return (x, x.stride(), x.storage_offset())


@program
def resize_small(lib):
    x = ar(lib, 6)
    v = x[:3]
    x.resize_(2, 2)
    x[0, 0] = 9
    return (x, v, x.stride())


@program
def resize_back(lib):
    x = ar(lib, 6)
    x.resize_(2)
    x.resize_(4)
    return x


@program
def resize_grow_keeps(lib):
    x = ar(lib, 2, 2)
    x.resize_(3, 3)
    return (x.shape, x.flatten()[:4])


@program
def resize_same(lib):
    x = ar(lib, 2, 3).t()
    x.resize_(3, 2)
    return (x, x.stride())


@program
def resize_grad(lib):
    lib.ones(2, requires_grad=True).resize_(3)


@program
def resize_bad(lib):
    lib.ones(2).resize_(-1)


@program
def resize_as(lib):
    return ar(lib, 6).resize_as_(lib.zeros(3, 2))


@program
def data_swap(lib):
    x = ar(lib, 3)
    v = x[:2]
    x.data = lib.tensor([7.0, 8.0])
    v[0] = 5
    return (x, v)


@program
def data_shares(lib):
    x = ar(lib, 3)
    d = x.data
    d[0] = 5
    y = lib.zeros(3)
    y.data = x
    y[1] = 6
    return (x, d, y)


@program
def data_of_leaf(lib):
    x = lib.ones(3, requires_grad=True)
    x.data.mul_(3)
    x.data[0] = 5
    return (x, x.is_leaf, x.data.requires_grad)


@program
def data_other_dtype(lib):
    x = lib.ones(3)
    x.data = lib.tensor([1, 2])
    return x


@program
def data_int_for_leaf(lib):
    x = lib.ones(3, requires_grad=True)
    x.data = lib.tensor([1, 2])


@program
def data_nontensor(lib):
    x = lib.ones(3)
    x.data = [1]


@program
def data_keeps_history(lib):
    x = lib.ones(2, requires_grad=True)
    y = x * 3
    y.data = lib.tensor([5.0, 6.0])
    (y * y).sum().backward()
    return (y, x.grad)


@program
def set_memory(lib):
    x = lib.zeros(2)
    y = ar(lib, 6)
    x.set_(y)
    x[0] = 9
    z = lib.zeros(0)
    z.set_(y, 1, (2, 2), (2, 1))
    z[0, 0] = -1
    return (x, y, z, z.stride(), z.storage_offset())


@program
def set_nothing(lib):
    x = lib.ones(2)
    x.set_()
    return x.shape


@program
def set_other_dtype(lib):
    lib.zeros(2).set_(lib.zeros(2, dtype=lib.int32))


@program
def is_set_to(lib):
    x = ar(lib, 3)
    return (x.is_set_to(x), x.is_set_to(x[:]), x.is_set_to(x[1:]), x.is_set_to(x.clone()))


@program
def base(lib):
    x = ar(lib, 2, 3)
    v = x[0]
    w = v[1:]
    return (
        x._base is None,
        v._base is x,
        w._base is x,
        x.detach()._base is None,
        x.t()._is_view(),
        x.clone()._is_view(),
    )


@program
def base_gone(lib):
    v = ar(lib, 2, 3)[0]
    return v._base


@program
def squeeze_inplace(lib):
    x = ar(lib, 1, 3, 1)
    x.squeeze_(0)
    y = ar(lib, 2, 3)
    y.transpose_(0, 1)
    z = ar(lib, 2, 3)
    z.t_()
    w = ar(lib, 3)
    w.unsqueeze_(1)
    return (x, y, y.stride(), z.stride(), w.shape)


@program
def turned_leaf(lib):
    x = lib.ones(2, 3, requires_grad=True)
    with lib.no_grad():
        x.t_()
    (x * lib.arange(6.0).reshape(3, 2)).sum().backward()
    return (x.is_leaf, x.shape, x.grad)


@program
def turn_leaf(lib):
    lib.ones(2, 3, requires_grad=True).t_()


@program
def element_sizes(lib):
    return (
        [lib.zeros(2, dtype=d).element_size() for d in (lib.bool, lib.bfloat16, lib.complex128)],
        lib.zeros(2, 3).nbytes,
        lib.zeros(2).itemsize,
    )


@program
def sizes(lib):
    return (
        ar(lib, 2, 3).size(),
        ar(lib, 2, 3).size(-1),
        ar(lib, 2, 3).stride(0),
        lib.tensor(1.0).size(),
        lib.tensor(1.0).stride(),
    )


for n, c in {
    "size": lambda l: ar(l, 2).size(1),
    "size0": lambda l: l.tensor(1.0).size(0),
    "stride": lambda l: ar(l, 2).stride(5),
    "stride0": lambda l: l.tensor(1.0).stride(0),
    "sizes": lambda l: ar(l, 2).size("a"),
}.items():
    c.__name__ = "bad " + n
    PROGRAMS.append(c)


@program
def share_after_view_chain(lib):
    x = ar(lib, 2, 3, 4)
    v = x.permute(2, 0, 1)[1:3].unsqueeze(1).flatten(2)
    return (v, v.is_contiguous())


@program
def contig(lib):
    x = ar(lib, 2, 3)
    y = x.t().contiguous()
    y[0, 0] = 9
    return (x, y, x.contiguous() is x, y.stride())


@program
def chunks_write(lib):
    x = ar(lib, 7)
    a, b, c = x.chunk(3)
    b.zero_()
    c += 10
    return (x, a, b, c)


@program
def tensor_split(lib):
    x = ar(lib, 7)
    ps = x.tensor_split(3)
    ps[1][0] = 99
    return (x, x.tensor_split((2, 5)), [q.storage_offset() for q in ps])


@program
def flatten_copy(lib):
    x = ar(lib, 2, 3)
    y = x.t().flatten()
    y[0] = 99
    return (x, x.flatten()._base is x, x.t().reshape(-1)._base is None)


@pytest.mark.parametrize("run", PROGRAMS, ids=lambda run: run.__name__)
def test_program(run: Callable[[Any], Any]) -> None:
    same(run, close=1e-12, warned=False, text=run.__name__ not in OTHER_WORDS)
