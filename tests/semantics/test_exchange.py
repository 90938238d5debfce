"""Tensors and arrays of other libraries: shared memory, refusals, lifetimes."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest
import torch
from agree import same

import rushlight as rl

LIBRARIES = (rl, torch)


def row(count: int = 6, dtype: Any = np.float32) -> Any:
    return np.arange(count, dtype=dtype)


# Shared memory ------------------------------------------------------------------------------------


def write_view(lib: Any, a: Any) -> Any:
    t = lib.from_numpy(a)
    t[1:].fill_(5)
    return t


def write_view_of_view(lib: Any, a: Any) -> Any:
    t = lib.from_numpy(a)
    t[1:][::2].mul_(-2)
    return t


def write_reshaped(lib: Any, a: Any) -> Any:
    t = lib.from_numpy(a)
    t.view(2, 3).t()[1] += 10
    return t


def write_array_then_read(lib: Any, a: Any) -> Any:
    t = lib.from_numpy(a)
    v = t[2:]
    a[3] = 50
    v.add_(1)
    a[4] *= 3
    return t, v, t + 1


def write_masked(lib: Any, a: Any) -> Any:
    t = lib.from_numpy(a)
    t[t > 2] = -1
    t[lib.tensor([0, 1])] = 9
    return t


def write_detached(lib: Any, a: Any) -> Any:
    t = lib.from_numpy(a).requires_grad_()
    t.detach()[0] = 7
    with lib.no_grad():
        t[1:3].sub_(1)
    return t


def write_out(lib: Any, a: Any) -> Any:
    t = lib.from_numpy(a)
    lib.add(t, 1, out=t)
    lib.mul(t[:2], 4, out=t[:2])
    return t


def write_as_tensor(lib: Any, a: Any) -> Any:
    lib.as_tensor(a)[0] = 3
    lib.asarray(a)[1] = 4
    return lib.as_tensor(a)


def write_copies(lib: Any, a: Any) -> Any:
    """None of these shares memory with the array."""
    copies = [
        lib.tensor(a),
        lib.as_tensor(a, dtype=lib.float64),
        lib.from_numpy(a).clone(),
        lib.from_numpy(a) + 0,
        lib.asarray(a, copy=True),
        lib.from_numpy(a).to(lib.float32, copy=True),
    ]
    for t in copies:
        t[0] = 77
    return copies


def write_same(lib: Any, a: Any) -> Any:
    """All of these do."""
    t = lib.from_numpy(a)
    views = [t.to(lib.float32), t.contiguous(), t.detach(), t.data, t.float(), t.reshape(3, 2)[0]]
    for i, v in enumerate(views):
        v[0] = v[0] * 2 + i
    return t, views


def write_back(lib: Any, a: Any) -> Any:
    """The array of a tensor writes to the tensor, and the tensor to the array."""
    t = lib.zeros(6)
    b = t.numpy()
    b[1] = 4
    t[2] = 5
    t[3:].numpy()[0] = 6
    t.view(2, 3).numpy()[1, 2] = 7
    a[:] = b
    return t, b


def write_computed(lib: Any, a: Any) -> Any:
    t = lib.from_numpy(a) * 2
    b = t.numpy()
    b += 1
    t[0] = -4
    c = t.t().numpy()
    return t, b, c, a


def swap(lib: Any, a: Any) -> Any:
    t = lib.from_numpy(a)
    t[:3], t[3:] = t[3:].clone(), t[:3].clone()
    return t


SHARING = [
    write_view, write_view_of_view, write_reshaped, write_array_then_read, write_masked,
    write_detached, write_out, write_as_tensor, write_copies, write_same, write_back,
    write_computed, swap,
]  # fmt: skip


@pytest.mark.parametrize("program", SHARING)
def test_memory_is_shared(program: Any) -> None:
    def run(lib: Any) -> Any:
        a = row()
        return program(lib, a), a

    same(run, layout=True)


LAYOUTS = [
    lambda: row(12).reshape(3, 4).T,
    lambda: row(12)[::3],
    lambda: row(24).reshape(2, 3, 4)[:, 1:, ::2],
    lambda: np.broadcast_to(row(3), (2, 3)).copy(order="F"),
    lambda: np.array(4.0),
    lambda: np.zeros((0, 3), np.float32),
    lambda: np.zeros((3, 0, 2)),
    lambda: row(5)[5:],
    lambda: row(4)[None, :, None],
    lambda: row(6)[2:3],
]


@pytest.mark.parametrize("make", LAYOUTS)
def test_layouts(make: Any) -> None:
    def run(lib: Any) -> Any:
        a = make()
        t = lib.from_numpy(a)
        strides = t.stride() if t.numel() else None
        t.mul_(2).add_(1)
        a *= 3
        back = t.numpy()
        shared = np.shares_memory(a, back) == bool(a.size)
        return t, a, back, strides, shared, back.strides == a.strides or not a.size

    same(run)


DTYPES = [
    "float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool",
    "complex64", "complex128",
]  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
def test_dtypes_share_both_ways(dtype: str) -> None:
    def run(lib: Any) -> Any:
        a = np.array([0, 1, 1, 0]).astype(dtype)
        t = lib.from_numpy(a)
        t[0] = 1
        a[1] = 0
        return t, a, t.numpy(), lib.tensor(a), lib.tensor(a[2]), lib.as_tensor(list(a))

    same(run, warned=False)


@pytest.mark.parametrize(
    "make",
    [
        lambda: np.array(["a", "b"]),
        lambda: np.array([object()]),
        lambda: np.array(["2020-01-01"], "datetime64[D]"),
        lambda: np.zeros(2, [("x", "f4")]),
        lambda: row(4)[::-1],
        lambda: row(6).reshape(2, 3)[:, ::-1],
        lambda: row(4, ">f4"),
        lambda: [1.0, 2.0],
        lambda: 3.0,
        lambda: np.float32(3),
        lambda: None,
    ],
)
def test_refused_arrays(make: Any) -> None:
    assert "Error" in same(lambda lib: lib.from_numpy(make()), text=False)


@pytest.mark.parametrize(
    "program",
    [
        lambda lib: lib.ones(2, requires_grad=True).numpy(),
        lambda lib: (lib.ones(2, requires_grad=True) * 2).numpy(),
        lambda lib: lib.nn.Parameter(lib.ones(2)).numpy(),
        lambda lib: np.asarray(lib.ones(2, requires_grad=True)),
        lambda lib: lib.ones(2, dtype=lib.bfloat16).numpy(),
        lambda lib: lib.ones(2, dtype=lib.bfloat16, requires_grad=True).numpy(),
        lambda lib: np.asarray(lib.ones(2, dtype=lib.bfloat16)),
        lambda lib: lib.from_dlpack(lib.ones(2, requires_grad=True)),
        lambda lib: lib.ones(2, requires_grad=True).__dlpack__(),
        lambda lib: lib.as_tensor(row(3)[::-1]),
    ],
)
def test_refused_tensors(program: Any) -> None:
    assert "Error" in same(program, text=False)


def test_force_looks_past_the_gradient() -> None:
    def run(lib: Any) -> Any:
        x = lib.ones(3, requires_grad=True)
        return x.numpy(force=True), (x * 2).numpy(force=True), x.detach().numpy()

    same(run)


# DLPack -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make", [lambda: row(), lambda: row(12).reshape(3, 4).T, lambda: row(9)[::2]]
)
def test_dlpack_from_numpy(make: Any) -> None:
    def run(lib: Any) -> Any:
        a = make()
        t = lib.from_dlpack(a)
        t[1:].fill_(5)
        a[0] = 8
        return t, a

    same(run, layout=True)


def test_dlpack_to_numpy() -> None:
    def run(lib: Any) -> Any:
        t = lib.arange(6.0)
        a = np.from_dlpack(t)
        b = np.from_dlpack(t[1::2])
        t[1] = 50
        return t, a, b, tuple(int(n) for n in t.__dlpack_device__())

    same(run)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "uint8", "float16"])
@pytest.mark.parametrize(("giver", "taker"), [(rl, torch), (torch, rl)])
def test_dlpack_between_libraries(giver: Any, taker: Any, dtype: str) -> None:
    t = giver.arange(6).to(getattr(giver, dtype)).view(2, 3).t()
    u = taker.from_dlpack(t)
    assert str(u.dtype) == str(t.dtype) and tuple(u.stride()) == tuple(t.stride())
    u[1:].fill_(9)
    assert t.tolist() == u.tolist() == [[0, 3], [9, 9], [9, 9]]
    t[0].add_(1)
    assert u[0].tolist() == [1, 4]


# Lifetime -----------------------------------------------------------------------------------------


def test_tensor_outlives_its_array() -> None:
    def run(lib: Any) -> Any:
        a = row(1000)
        t = lib.from_numpy(a)[500:503]
        u = lib.from_dlpack(a)[1:3]
        del a
        gc.collect()
        noise = [np.full(1000, -1, np.float32) for _ in range(5)]
        return t, u, t * 2, len(noise)

    same(run)


def test_array_outlives_its_tensor() -> None:
    def run(lib: Any) -> Any:
        t = lib.arange(1000.0)
        a, b, c = t.numpy()[500:503], t[7:9].numpy(), np.from_dlpack(t * 2)[:2]
        del t
        gc.collect()
        noise = [lib.full((1000,), -1.0).sum().item() for _ in range(5)]
        return a, b, c, noise

    same(run)


@pytest.mark.parametrize("lib", LIBRARIES)
def test_memory_is_let_go(lib: Any) -> None:
    class Watched(np.ndarray):
        pass

    a = row(10).view(Watched)
    gone = weakref.ref(a)
    t = lib.from_numpy(a)
    t[1:].fill_(2)
    v = t * 2
    assert v[1].item() == 4
    del a
    gc.collect()
    assert t[2].item() == 2
    del t
    gc.collect()
    assert gone() is None
