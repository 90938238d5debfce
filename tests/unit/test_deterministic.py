"""Deterministic switches: what they say, what they fill, and the same bits each time."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

import rushlight as rl
from rushlight.execute import tier

BOTH = pytest.mark.parametrize("lib", [rl, torch], ids=["rushlight", "torch"])
NAMES = (
    "float32", "float64", "float16", "bfloat16", "complex64", "int8", "uint8", "int16", "int32",
    "int64", "bool",
)  # fmt: skip


@pytest.fixture(autouse=True)
def off_again() -> Iterator[None]:
    yield
    for lib in (rl, torch):
        settings(lib).fill_uninitialized_memory = True
        lib.use_deterministic_algorithms(False)


def settings(lib: Any) -> Any:
    return __import__(f"{lib.__name__}.utils.deterministic", fromlist=["x"])


@BOTH
def test_what_was_asked_for(lib: Any) -> None:
    def asked() -> tuple[bool, bool]:
        return (
            lib.are_deterministic_algorithms_enabled(),
            lib.is_deterministic_algorithms_warn_only_enabled(),
        )

    lib.use_deterministic_algorithms(True)
    assert asked() == (True, False)
    lib.use_deterministic_algorithms(True, warn_only=True)
    assert asked() == (True, True)
    lib.use_deterministic_algorithms(False)
    assert asked() == (False, False)
    for wrong in (1, "True", None):
        with pytest.raises(TypeError, match=r"argument 'mode' .* must be bool"):
            lib.use_deterministic_algorithms(wrong)
        with pytest.raises(TypeError, match="argument 'warn_only' must be bool"):
            lib.use_deterministic_algorithms(True, warn_only=wrong)


@pytest.mark.parametrize("name", NAMES)
def test_memory_is_filled_with_what_stands_out(name: str) -> None:
    def made(lib: Any) -> list[str]:
        dtype = getattr(lib, name)
        old = lib.zeros(2, dtype=dtype)
        return [
            str(x.tolist())
            for x in (
                lib.empty(1, 2, dtype=dtype), lib.empty_like(old), old.new_empty(2),
                lib.empty_strided((2,), (1,), dtype=dtype), old.new_empty_strided((1,), (1,)),
                lib.empty_permuted((2, 1), (1, 0), dtype=dtype), old.clone().resize_(4),
            )
        ]  # fmt: skip

    for lib in (rl, torch):
        lib.use_deterministic_algorithms(True)
    assert made(rl) == made(torch)
    for lib in (rl, torch):
        settings(lib).fill_uninitialized_memory = False
    assert set(rl.empty(3).tolist()) == {0.0}


@BOTH
def test_classes_of_tensors_are_filled_too(lib: Any) -> None:
    lib.use_deterministic_algorithms(True)
    assert lib.isnan(lib.Tensor(2)).all() and lib.isnan(lib.FloatTensor(3)).all()
    assert lib.zeros(2).tolist() == [0.0, 0.0]


@BOTH
def test_the_setting_is_a_bool(lib: Any) -> None:
    assert settings(lib).fill_uninitialized_memory is True
    with pytest.raises(RuntimeError, match="expected a bool, but got int"):
        settings(lib).fill_uninitialized_memory = 3


def test_layers_have_no_trace_of_what_was_not_written() -> None:
    rl.use_deterministic_algorithms(True)
    for layer in (
        rl.nn.Linear(3, 2), rl.nn.Conv2d(2, 2, 3), rl.nn.LSTM(2, 2), rl.nn.Embedding(3, 2),
        rl.nn.BatchNorm1d(3), rl.nn.MultiheadAttention(4, 2), rl.nn.Bilinear(2, 2, 2),
        rl.nn.PReLU(), rl.nn.TransformerEncoderLayer(4, 2, 8), rl.nn.GRUCell(2, 2),
    ):  # fmt: skip
        for tensor in layer.state_dict().values():
            assert not rl.isnan(tensor.double()).any()


def test_the_same_is_the_same_to_the_bit_the_first_time_too() -> None:
    """References and kernels agree to rounding only, so both may not run the same."""
    x = rl.from_numpy(np.random.default_rng(0).normal(size=(64, 33)).astype(np.float32)).clone()

    def run(power: float) -> list[np.ndarray]:
        return [(x.tanh().exp() * x).softmax(1).sum(0).pow(power).numpy().copy() for _ in range(3)]

    with tier.only("auto"):
        rl.use_deterministic_algorithms(True)
        first, second, third = run(1.5)
        np.testing.assert_array_equal(first, second)
        np.testing.assert_array_equal(second, third)


@pytest.mark.parametrize("threads", [1, 2])
def test_what_pytorch_refuses_is_in_order_here(threads: int) -> None:
    rl.use_deterministic_algorithms(True)
    before = rl.get_num_threads()
    rl.set_num_threads(threads)
    try:
        index = rl.tensor([0, 1, 0, 0])
        put = rl.zeros(3).put_(index, rl.tensor([1.0, 2.0, 3.0, 4.0]))
        assert put.tolist() == [4.0, 2.0, 0.0]
        added = rl.zeros(3).index_add(0, index, rl.tensor([1e8, 1.0, 1.0, -1e8]))
        assert added.tolist() == [0.0, 1.0, 0.0]
    finally:
        rl.set_num_threads(before)


@BOTH
def test_flags_of_other_libraries_are_taken(lib: Any) -> None:
    if lib is torch:  # PyTorch's own test library, which other tests load, locks its flags
        with torch.backends.__allow_nonbracketed_mutation():
            _flags_are_taken(lib.backends.cudnn)
    else:
        _flags_are_taken(lib.backends.cudnn)


def _flags_are_taken(flags: Any) -> None:
    before = flags.deterministic, flags.benchmark
    try:
        flags.deterministic, flags.benchmark = True, False
        assert (flags.deterministic, flags.benchmark) == (True, False)
        with flags.flags(enabled=True, benchmark=True, deterministic=False):
            assert (flags.deterministic, flags.benchmark) == (False, True)
        assert (flags.deterministic, flags.benchmark) == (True, False)
    finally:
        flags.deterministic, flags.benchmark = before
