"""Tensors print as PyTorch's do, compared with PyTorch's own text."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rushlight.base import dtypes
from rushlight.tensor import printing

INF, NAN = math.inf, math.nan
FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
INTEGERS = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)
COMPLEX = (torch.complex64, torch.complex128)


def named(dtype: torch.dtype) -> dtypes.DType:
    return dtypes.named(str(dtype).removeprefix("torch."))


def printed(tensor: torch.Tensor, **given) -> str:
    """Our text of PyTorch's ``tensor``."""
    values = tensor.detach().resolve_conj().resolve_neg()
    array = (values.float() if values.dtype in FLOATS[:2] else values).numpy()
    grad_fn = tensor.grad_fn
    return printing.format_tensor(
        array.__getitem__,
        named(tensor.dtype),
        tuple(tensor.shape),
        default_dtype=named(torch.get_default_dtype()),
        requires_grad=tensor.requires_grad,
        grad_fn=grad_fn and type(grad_fn).__name__,
        parameter=isinstance(tensor, torch.nn.Parameter),
        **given,
    )


@pytest.fixture
def set_both():
    """Sets the same print options here and in PyTorch, and puts them back after the test."""

    def apply(**given):
        printing.set_printoptions(**given)
        torch.set_printoptions(**given)

    yield apply
    apply(profile="default")


VALUES = [
    [], [0.0], [-0.0], [0.0, -0.0, 0.0], [1.0], [-1.0, 2.0], [1.0, -0.0], [0.5, -0.0], [0.5],
    [1.0, 2.5], [1e-4], [9.9999e-5], [0.1, 100.0], [0.1, 100.00001], [0.1, 101.0], [1.0, 1000.0],
    [1.0, 1001.0], [1e8], [1.00000008e8], [99999999.0], [1e-8, 1e8], [1e4, 1e5, 12345.678],
    [INF], [-INF], [NAN], [INF, 1.0], [-INF, 1.5], [NAN, 2.0, 3.25], [NAN, 1e-9], [INF, 1e9, -1.0],
    [NAN, -INF, 0.0], [0.99995, 9.99995], [-0.00004], [0.0, 1e-5], [1e-45, 3.4e38], [-1e10, 1.0],
    [3.0, 1e7], [1.0] * 30, [0.25] * 60, [-123.456] * 23, [1e-5 * 3**i for i in range(40)],
    [0.0] * 100, [0.0, -0.0] * 50, [NAN] * 45, [INF, -INF] * 20, [123456.0, NAN, -INF] * 9,
]  # fmt: skip


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("values", VALUES, ids=lambda values: str(values)[:40])
def test_floats(values, dtype):
    tensor = torch.tensor(values, dtype=torch.float64).to(dtype)
    assert printed(tensor) == repr(tensor)
    for element in tensor[:3]:
        assert printed(element) == repr(element)


@pytest.mark.parametrize("values", VALUES, ids=lambda values: str(values)[:40])
def test_complex(values):
    for dtype in COMPLEX:
        real = torch.tensor(values, dtype=torch.float64)
        for tensor in (
            torch.complex(real, real.flip(0)).to(dtype),
            torch.complex(real, torch.full_like(real, -0.0)).to(dtype),
            torch.complex(torch.arange(len(values)).double(), -real).to(dtype).conj(),
        ):
            assert printed(tensor) == repr(tensor)
            for element in tensor[:2]:
                assert printed(element) == repr(element)


@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
def test_integers(dtype):
    limits = torch.iinfo(dtype)
    for values in ([0], [limits.min, limits.max], [limits.max] * 50, list(range(100)), [0, 1] * 30):
        tensor = torch.tensor(values, dtype=dtype)
        assert printed(tensor) == repr(tensor)
        assert printed(tensor[0]) == repr(tensor[0])
        assert printed(tensor.reshape(-1, 1)) == repr(tensor.reshape(-1, 1))


def test_bools():
    for values in ([True], [False], [True, False] * 20, [[True], [True]], True, False):
        tensor = torch.tensor(values)
        assert printed(tensor) == repr(tensor)


@pytest.mark.parametrize("dtype", (torch.bool, *INTEGERS, *FLOATS, *COMPLEX), ids=str)
def test_empty_tensors(dtype):
    for shape in ((0,), (0, 3), (3, 0), (1, 0, 2), (0, 0)):
        tensor = torch.empty(shape, dtype=dtype)
        assert printed(tensor) == repr(tensor)


def test_empty_tensors_are_not_read():
    def read(index):
        raise AssertionError(index)

    options = {"default_dtype": dtypes.float32, "name": "Mine"}
    text = printing.format_tensor(read, dtypes.int64, (0, 2), **options)
    assert text == "Mine([], size=(0, 2), dtype=torch.int64)"


@pytest.mark.parametrize("default", (torch.float64, torch.float16, torch.bfloat16), ids=str)
def test_default_dtype_needs_no_suffix(default):
    torch.set_default_dtype(default)
    try:
        for dtype in (torch.bool, *INTEGERS, *FLOATS, *COMPLEX):
            for tensor in (torch.ones(2, dtype=dtype), torch.ones(0, 2, dtype=dtype)):
                assert printed(tensor) == repr(tensor)
    finally:
        torch.set_default_dtype(torch.float32)


def random_tensor(seed: int) -> torch.Tensor:
    """A tensor of random shape, dtype, scale and layout."""
    rng = np.random.default_rng(seed)
    ndim = int(rng.integers(0, 6))
    shape = [int(n) for n in rng.choice([1, 2, 3, 5, 7, 12], ndim)]
    if rng.random() < 0.5 and math.prod(shape) < 300:
        shape += [int(rng.integers(1, 40))]
    dtype = rng.choice(np.array([torch.bool, *INTEGERS, *FLOATS, *COMPLEX], dtype=object))
    spread = float(rng.choice([0, 0.3, 1, 3, 8]))
    values = rng.standard_normal(shape) * 10.0 ** rng.uniform(-spread, spread, shape)
    if rng.random() < 0.3:
        values = np.round(values)
    if rng.random() < 0.2:
        values = np.where(rng.random(shape) < 0.1, rng.choice([INF, -INF, NAN, -0.0]), values)
    if not (dtype.is_floating_point or dtype.is_complex):
        values = np.clip(np.nan_to_num(values), -100 if dtype.is_signed else 0, 100)
    tensor = torch.from_numpy(np.asarray(values)).to(dtype)
    if dtype.is_complex:
        tensor = torch.complex(tensor.real, tensor.real.flip(tuple(range(tensor.ndim))))
    return rearranged(tensor, rng)


def rearranged(tensor: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """The tensor itself or one of several views of it."""
    view = rng.integers(0, 6) if tensor.ndim else 0
    if view == 1:
        return tensor.transpose(0, -1)
    if view == 2:
        return tensor[::2]
    if view == 3:
        return tensor[None, ..., :1].expand(2, *tensor.shape[:-1], 5)
    if view == 4:
        return tensor[0]
    return tensor.permute(*reversed(range(tensor.ndim))) if view == 5 else tensor


@pytest.mark.parametrize("start", range(0, 400, 40))
def test_random_tensors(start):
    for seed in range(start, start + 40):
        tensor = random_tensor(seed)
        assert printed(tensor) == repr(tensor), seed


@settings(max_examples=60, deadline=None)
@given(
    hnp.arrays(
        st.sampled_from([np.float32, np.float64, np.complex64, np.int64, np.bool_]),
        hnp.array_shapes(min_dims=0, max_dims=3, max_side=6),
    )
)
def test_any_array(array):
    tensor = torch.from_numpy(np.asarray(array))
    assert printed(tensor) == repr(tensor)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-80, 80).map(lambda power: 10.0 ** (power / 10)), min_size=1))
def test_wide_ranges(values):
    tensor = torch.tensor(values)
    assert printed(tensor) == repr(tensor)


SUMMARISED = [
    (1001,), (2000, 1), (1, 2000), (7, 200), (6, 200), (200, 6), (2, 3, 500), (11, 11, 11),
    (7, 1, 7, 30), (2,) * 10, (3,) * 7, (5, 5, 5, 5, 5), (1, 1, 1001), (8, 8, 8, 8),
]  # fmt: skip


@pytest.mark.parametrize("shape", SUMMARISED, ids=str)
def test_summaries(shape):
    count = torch.arange(math.prod(shape)).reshape(shape)
    for tensor in (count, count / 7, count.double() - 0.5, torch.complex(count * 1.0, count / 3)):
        assert printed(tensor) == repr(tensor)
        assert printed(tensor.mT if tensor.ndim > 1 else tensor[::2]) == repr(
            tensor.mT if tensor.ndim > 1 else tensor[::2]
        )


def test_summary_is_formatted_by_what_it_shows():
    tensor = torch.ones(3000)
    tensor[1500] = 1e-20
    assert printed(tensor) == repr(tensor) == "tensor([1., 1., 1.,  ..., 1., 1., 1.])"


def test_summary_reads_the_ends_only():
    array = np.broadcast_to(np.float32(1.5), (10**6, 10**6, 10**6))
    taken = []

    def read(index):
        taken.append(array[index])
        return taken[-1]

    text = printing.format_tensor(read, dtypes.float32, array.shape, default_dtype=dtypes.float32)
    assert text.count("1.5000") == 6**3
    assert [part.shape for part in taken] == [(6, 6, 6)]


def test_threshold_is_a_count_of_elements():
    for count in (999, 1000, 1001):
        tensor = torch.zeros(count)
        assert printed(tensor) == repr(tensor)
        assert (" ..." in printed(tensor)) == (count > 1000)


OPTIONS = [
    {"precision": 0}, {"precision": 1}, {"precision": 10}, {"threshold": 5}, {"threshold": 0},
    {"threshold": 3.5, "edgeitems": 1}, {"threshold": 5, "edgeitems": 0}, {"edgeitems": 0},
    {"linewidth": 20}, {"linewidth": 1}, {"linewidth": 0}, {"linewidth": 200}, {"sci_mode": True},
    {"sci_mode": False}, {"profile": "short"}, {"profile": "full"},
    {"profile": "short", "precision": 6}, {"precision": 2, "sci_mode": True, "linewidth": 40},
    {"threshold": math.inf}, {"threshold": 4, "edgeitems": 2, "precision": 3, "sci_mode": False},
]  # fmt: skip


@pytest.mark.parametrize("given", OPTIONS, ids=str)
def test_options(given, set_both):
    set_both(**given)
    for seed in range(1000, 1025):
        tensor = random_tensor(seed)
        assert printed(tensor) == repr(tensor), seed
    long = torch.arange(1500.0)
    for tensor in (long[:1200] * 0, long, long[::100] / 3, torch.tensor([0.0, NAN]), long[:0]):
        assert printed(tensor) == repr(tensor)


def test_options_accumulate_but_sci_mode_does_not(set_both):
    tensor = torch.tensor([1.0, 2.5, 3.125])
    for change in ({"sci_mode": True}, {"precision": 2}, {"linewidth": 10}, {"profile": "short"}):
        set_both(**change)
        assert printed(tensor) == repr(tensor)
    assert printing.get_printoptions() == torch._tensor_str.get_printoptions()


def test_printoptions_are_put_back_after_the_block():
    before = printing.get_printoptions()
    with pytest.raises(KeyError), printing.printoptions(precision=1, sci_mode=True):
        assert printed(torch.tensor(2.0)) == "tensor(2.0e+00)"
        raise KeyError
    assert printing.get_printoptions() == before


@pytest.mark.parametrize(
    "given, message",
    [
        ({"profile": "long"}, r"no profile 'long'[^$]*'default', 'short', 'full'"),
        ({"precision": -1}, r"\[set_printoptions\] precision is -1"),
        ({"edgeitems": -3, "precision": 2}, "edgeitems is -3"),
    ],
)
def test_bad_options_change_nothing(given, message):
    before = printing.get_printoptions()
    with pytest.raises(ValueError, match=message):
        printing.set_printoptions(**given)
    assert printing.get_printoptions() == before


def test_requires_grad_and_grad_fn():
    leaf = torch.tensor([1.0, 2.0], requires_grad=True)
    for tensor in (
        leaf, leaf + 1, leaf.double() * 2, (leaf * 3).sum(), leaf.view(2, 1), leaf.detach(),
        leaf.expand(20, 2), leaf.new_empty(0, 4).requires_grad_(),
    ):  # fmt: skip
        assert printed(tensor) == repr(tensor)


def test_suffixes_break_the_line_where_it_is_full():
    for count in range(1, 14):
        for dtype in FLOATS:
            leaf = torch.full((2, count), 0.5, dtype=dtype, requires_grad=True)
            for tensor in (leaf, leaf * 2, leaf.logsumexp(1, keepdim=True), leaf[0] + 1.25):
                assert printed(tensor) == repr(tensor)


def test_parameters():
    for data in (torch.ones(2, 3), torch.zeros((), dtype=torch.float64), torch.empty(0, 2)):
        for tensor in (torch.nn.Parameter(data), torch.nn.Parameter(data, requires_grad=False)):
            assert printed(tensor) == repr(tensor)


def test_subclasses_print_their_own_name():
    class Longitude(torch.Tensor):
        pass

    class Weight(torch.nn.Parameter):
        pass

    values = torch.arange(60.0).reshape(2, 30)
    tensor = values.as_subclass(Longitude)
    assert printed(tensor, name="Longitude") == repr(tensor)
    assert printed(Weight(values), name="Weight") == repr(Weight(values))


def test_device_comes_first():
    text = printing.format_tensor(
        np.ones(2, np.float64).__getitem__,
        dtypes.float64,
        (2,),
        default_dtype=dtypes.float32,
        device="cuda:0",
        requires_grad=True,
    )
    assert text == "tensor([1., 1.], device='cuda:0', dtype=torch.float64, requires_grad=True)"
