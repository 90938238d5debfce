"""``rushlight.testing``: closeness and its messages, and made tensors, as PyTorch's."""

import warnings
from collections import OrderedDict

import numpy as np
import pytest
import torch

import rushlight as rl

NAN, INF = float("nan"), float("inf")
DTYPES = [
    "float16",
    "bfloat16",
    "float32",
    "float64",
    "complex64",
    "complex128",
    "int8",
    "uint8",
    "int64",
    "bool",
]


def outcome(T, call):
    """None, or the kind of exception and its text in words that both libraries share."""
    try:
        call(T)
    except Exception as error:
        text = str(error).replace("rushlight.tensor.tensor.Tensor", "torch.Tensor")
        return type(error).__name__, text.replace("rushlight.nn.parameter", "torch.nn.parameter")
    return None


def same(call):
    ours, theirs = outcome(rl, call), outcome(torch, call)
    assert ours == theirs
    return ours


def close(make, *, fails=None, **options):
    """Compares the two of ``make(T)``; whether it has to fail, if that is said."""
    found = same(lambda T: T.testing.assert_close(*make(T), **options))
    assert fails is None or (found is not None) == fails
    return found


@pytest.mark.parametrize("name", DTYPES)
def test_tolerances_of_each_dtype(name):
    for factor in (1e-8, 5e-8, 1e-6, 2e-6, 5e-4, 2e-3, 1e-2, 0.5):
        x = [1.0, 3.0, -20.0]
        wanted = [value * (1 + factor) for value in x]
        close(lambda T, pair=(x, wanted): [made(T, values, name) for values in pair])


def made(T, values, dtype="float32"):
    return T.tensor(values).to(getattr(T, dtype))


@pytest.mark.parametrize("name", DTYPES)
@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_messages_of_each_dtype(name, shape):
    def two(T):
        x = T.arange(6).to(T.float32)[: 1 if not shape else 3 if len(shape) == 1 else 6]
        return x.reshape(shape).to(getattr(T, name)), (x * 2 + 1).reshape(shape).to(
            getattr(T, name)
        )

    close(two)
    close(two, rtol=0, atol=0)
    close(two, rtol=0.1, atol=3.0)


def test_nan_and_infinity():
    for values in ([NAN, 1.0], [INF, 1.0], [-INF, 1.0], [NAN, INF]):
        for others in ([NAN, 1.0], [INF, 1.0], [-INF, 1.0]):
            for equal_nan in (False, True):
                pair = lambda T, a=values, b=others: (T.tensor(a), T.tensor(b))
                close(pair, equal_nan=equal_nan)
                close(lambda T, a=values, b=others: (a, b), equal_nan=equal_nan)
    close(lambda T: (T.tensor(NAN), T.tensor(NAN)), fails=True)
    close(lambda T: (complex(NAN, 1), complex(NAN, 2)), equal_nan=True, fails=False)


def test_numbers():
    for pair in (
        (1, 1), (1, 2), (1.0, 1.0 + 1e-9), (1.0, 1.1), (0.0, 1e-9), (1.0, 0.0), (1, 1.0), (2j, 2j),
        (2j, 3j), (True, True), (True, False), (np.float32(1), np.float32(2)), (np.int8(1), 1),
        (np.bool_(True), True), (np.float64(1), np.float32(1)), (1e300, -1e300), (0, 0.0),
    ):  # fmt: skip
        close(lambda T, pair=pair: pair)
        close(lambda T, pair=pair: pair, check_dtype=False)
        close(lambda T, pair=pair: pair, rtol=0.0, atol=0.0)
    with pytest.raises(AssertionError, match="types do not match"):  # PyTorch stumbles over it
        rl.testing.assert_close(True, 1)


def test_none_strings_and_other_things():
    for pair in ((None, None), (None, 1), (1, None), ("a", "a"), ("a", "b"), (1, "a"), (object, 1)):
        close(lambda T, pair=pair: pair)
    close(lambda T: (T.ones(2), np.ones(2)), fails=True)
    close(lambda T: (T.ones(2), [1.0, 1.0]), fails=True)
    close(lambda T: (np.ones(2), np.ones(2)), fails=False)
    close(lambda T: (np.ones(2), np.zeros(2)), fails=True)
    close(lambda T: ({1}, {1}), fails=True)


def test_containers():
    one, two = lambda T: T.ones(2), lambda T: T.zeros(2)
    close(lambda T: ([one(T), 2.0], (one(T), 2.0)), fails=False)
    close(lambda T: ([one(T), [2.0, two(T)]], [one(T), [2.0, one(T)]]), fails=True)
    close(lambda T: ([1, 2, 3], [1, 2]), fails=True)
    close(lambda T: ([[1, 2, 3]], [[1, 2]]), fails=True)
    close(lambda T: ({"a": one(T), "b": 1}, OrderedDict(b=1, a=one(T))), fails=False)
    close(lambda T: ({"a": [1, {"b": one(T)}]}, {"a": [1, {"b": two(T)}]}), fails=True)
    close(lambda T: ({"a": 1, "c": 2}, {"a": 1, "b": 2, "d": 3}), fails=True)
    close(lambda T: ({1: 1.0, 2: 2.0}, {1: 1.0, 2: 2.5}), fails=True)
    close(lambda T: ([], []), fails=False)
    close(lambda T: ({}, {}), fails=False)
    close(lambda T: ([], {}), fails=True)
    # What containers are like is looked at before what is in them.
    close(lambda T: ([one(T), [1]], [two(T), [1, 2]]), fails=True, msg="mine")


def test_attributes():
    close(lambda T: (T.ones(2), T.ones(3)), fails=True)
    close(lambda T: (T.ones(2), T.ones(2, 1)), fails=True)
    close(lambda T: (T.ones(2), T.ones(2, dtype=T.float64)), fails=True)
    close(lambda T: (T.ones(2), T.ones(2, dtype=T.float64)), check_dtype=False, fails=False)
    close(lambda T: (T.ones(2), T.zeros(2, dtype=T.int64)), check_dtype=False, fails=True)
    close(lambda T: (T.ones(2, 3), T.ones(3, 2).T), fails=False)
    close(lambda T: (T.ones(2, 3), T.ones(3, 2).T), check_stride=True, fails=True)
    close(lambda T: (T.nn.Parameter(T.ones(2)), T.ones(2)), fails=False)
    close(lambda T: (T.nn.Parameter(T.ones(2)), T.ones(2)), allow_subclasses=False, fails=True)
    close(lambda T: (T.ones(2, requires_grad=True), T.zeros(2)), fails=True)
    close(lambda T: (T.ones(0, 3), T.ones(0, 3)), fails=False)
    close(
        lambda T: (T.ones(2, dtype=T.complex64).conj(), T.ones(2, dtype=T.complex64)), fails=False
    )


def test_one_tolerance_is_not_enough():
    for options in ({"rtol": 1e-3}, {"atol": 1e-3}):
        close(lambda T: (T.ones(2), T.ones(2)), fails=True, **options)
        close(lambda T: (1.0, 1.0), fails=True, **options)


def test_own_messages():
    pair = lambda T: ([T.ones(2), T.ones(2)], [T.ones(2), T.zeros(2)])
    assert close(pair, msg="mine") == ("AssertionError", "mine")
    close(pair, msg=lambda text: f"before\n{text}\nafter", fails=True)


def test_allclose():
    for pair in (([1.0], [1.0 + 5e-5]), ([1.0], [1.1]), ([NAN], [NAN]), (1, 1.0), ([1, 2], [1, 3])):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            same(lambda T, pair=pair: T.testing.assert_allclose(*pair))
            same(lambda T, pair=pair: T.testing.assert_allclose(*pair, rtol=0.0, atol=1.0, msg="m"))
    with pytest.warns(FutureWarning, match="deprecated"):
        rl.testing.assert_allclose(1.0, 1.0)


# make_tensor --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DTYPES)
def test_made_tensors_are_as_asked(name):
    dtype = getattr(rl, name)
    for options in ({}, {"low": 2, "high": 4}, {"exclude_zero": True}, {"noncontiguous": True}):
        if name == "bool":
            options.pop("low", None), options.pop("high", None)
        x = rl.testing.make_tensor(40, 5, dtype=dtype, device="cpu", **options)
        y = torch.testing.make_tensor(40, 5, dtype=getattr(torch, name), device="cpu", **options)
        assert x.shape == y.shape and x.stride() == y.stride() and x.dtype is dtype
        assert x.storage_offset() == y.storage_offset()
        parts = rl.view_as_real(x) if dtype.is_complex else x
        values = parts.double().numpy()
        low = options.get("low", 0 if name in ("bool", "uint8") else -9)
        high = options.get("high", 10)
        assert (
            values.min() >= low
            and values.max() < high
            and (len(np.unique(values)) > 1 or name == "bool")
        )
        if options.get("exclude_zero"):
            assert (x != 0).all()
    limits = rl.testing.make_tensor(300, dtype=dtype, device="cpu", low=-INF, high=INF)
    parts = rl.view_as_real(limits) if dtype.is_complex else limits
    assert parts.double().isfinite().all()


def test_shapes_of_made_tensors():
    for shape in ((), (0,), (1,), (2, 0)):
        for noncontiguous in (False, True):
            x = rl.testing.make_tensor(
                shape, dtype=rl.float32, device="cpu", noncontiguous=noncontiguous
            )
            assert x.shape == shape and x.is_contiguous()
    x = rl.testing.make_tensor(
        2, 3, 4, 5, dtype=rl.float32, device="cpu", memory_format=rl.channels_last,
        requires_grad=True,
    )  # fmt: skip
    assert x.is_contiguous(memory_format=rl.channels_last) and x.requires_grad and x.is_leaf


def test_made_tensors_that_cannot_be():
    for name, options in (
        ("float32", {"low": NAN}), ("float32", {"low": 3, "high": 2}),
        ("int8", {"low": 5, "high": 5}),
        ("uint8", {"low": -9, "high": -3}), ("int8", {"low": 300, "high": 400}),
        ("int64", {"requires_grad": True}), ("bool", {"low": 2, "high": 3}),
    ):  # fmt: skip
        found = same(
            lambda T, name=name, options=options: T.testing.make_tensor(
                2, dtype=getattr(T, name), device="cpu", **options
            )
        )
        assert found is not None and found[0] == "ValueError"
    with pytest.raises(ValueError, match="mutually exclusive"):
        rl.testing.make_tensor(
            2, dtype=rl.float32, device="cpu", noncontiguous=True, memory_format=rl.channels_last
        )
    with pytest.warns(FutureWarning):
        equal = rl.testing.make_tensor(2, dtype=rl.float32, device="cpu", low=1, high=1)
    assert equal.tolist() == [1, 1]
