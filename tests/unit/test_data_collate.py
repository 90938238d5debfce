"""Collating and converting: every kind of sample, with PyTorch beside it."""

from __future__ import annotations

from collections import OrderedDict, UserDict, UserList, defaultdict, deque, namedtuple
from types import MappingProxyType

import numpy as np
import pytest
import torch
from data_programs import same
from naming import without_addresses

import rushlight as rl
from rushlight.utils import data
from rushlight.utils.data.collate import (
    collate,
    collate_tensor_fn,
    default_collate_fn_map,
    is_default,
)

Point = namedtuple("Point", ["x", "y"])


class Labelled(list):
    """A list with something more to it, that copying keeps."""

    def __init__(self, items, label):
        super().__init__(items)
        self.label = label


class FrozenMapping(dict):
    """A mapping that cannot be made from another one, nor changed."""

    def __init__(self, *, x):
        dict.__setitem__(self, "x", x)

    def update(self, *arguments):
        raise TypeError("frozen")


BATCHES = [
    [1, 2, 3],
    [True, False],
    [True, 2],
    [1, 2.5],
    [1.5, 2],
    [2**40],
    [1.1, float("nan"), float("inf")],
    ["a", "b"],
    [b"a", b"b"],
    ("a", "b"),
    [np.float32(1.5), np.float32(2.5)],
    [np.float64(0.1)],
    [np.int16(3), np.int16(4)],
    [np.uint8(3)],
    [np.bool_(True), np.bool_(False)],
    [np.str_("a"), np.str_("b")],
    [np.bytes_(b"a")],
    [np.arange(3), np.arange(3)],
    [np.arange(3, dtype=np.uint8)],
    [np.zeros((2, 0), np.float32)] * 2,
    [np.array(1.5, np.float16), np.array(2.5, np.float16)],
    [np.array([True]), np.array([False])],
    [np.arange(6).reshape(2, 3).T] * 2,
    [np.arange(3), np.arange(3.0)],
    [np.arange(3, dtype=np.int32), np.arange(3, dtype=np.float32)],
    [np.arange(3), np.arange(4)],
    [np.array(["a"])],
    [np.array([b"a"])],
    [np.array([object()])],
    [np.ma.masked_array([1, 2], [False, True])],
    [(1, "a"), (2, "b")],
    [(1,), (2,)],
    [(), ()],
    [[], []],
    [{}, {}],
    [[1, 2.0], [3, 4.0]],
    [(1, (2, [3, "c"])), (4, (5, [6, "f"]))],
    [{"x": 1, "y": (2, 3)}, {"x": 4, "y": (5, 6)}],
    [{"x": 1, "more": 0}, {"x": 4}],
    [{"x": 1}, {"x": 4, "more": 0}],
    [OrderedDict(b=1, a=2), OrderedDict(a=3, b=4)],
    [Point(1, "a"), Point(2, "b")],
    [Point(Point(1, 2.0), 3)],
    [(1, 2), (3,)],
    [[1], [2, 3]],
    [[1, 2], (3, 4)],
    [deque([1, 2]), deque([3, 4])],
    [range(3), range(3)],
    [bytearray(b"ab"), bytearray(b"cd")],
    [None, None],
    [1j],
    [{1, 2}],
    [object],
    [1, "a"],
    ["a", 1],
    [],
    None,
]


@pytest.mark.parametrize("batch", BATCHES, ids=lambda batch: without_addresses(batch)[:40])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_collate(batch):
    same(lambda lib: lib.utils.data.default_collate(batch))


def test_collate_dates():
    same(
        lambda lib: lib.utils.data.default_collate([np.array(["2020-01-01"], "M8[D]")]),
        message=False,
    )


SAMPLES = [
    1, 1.5, "a", b"a", None, True, 1j,
    np.arange(3), np.float32(1.5), np.bool_(True), np.str_("a"),
    np.array(["a"]), np.array([object], object), np.array([b"a"]),
    np.zeros((0, 2), np.int8),
    (1, np.arange(2)), (), [np.arange(2), "a"], [],
    {"x": np.arange(2), "y": [np.ones(1)]}, OrderedDict(x=np.arange(1)),
    Point(np.array(0), 1), deque([np.arange(1)]), range(3), {1, 2},
    bytearray(b"ab"),
]  # fmt: skip


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: without_addresses(sample)[:40])
def test_convert(sample):
    if isinstance(sample, np.ndarray) and sample.dtype == object:
        assert data.default_convert(sample) is sample
        return
    same(lambda lib: lib.utils.data.default_convert(sample))


def test_convert_leaves_strings_in_bytes_alone():
    assert data.default_convert(np.bytes_(b"a")) == b"a"


def test_convert_keeps_tensors_and_shares_arrays():
    tensor = rl.arange(3)
    assert data.default_convert(tensor) is tensor
    array = np.arange(3)
    converted = data.default_convert([array])[0]
    array[0] = 9
    assert converted.tolist() == [9, 1, 2]


@pytest.mark.parametrize(
    "make",
    [
        lambda lib: [lib.arange(3), lib.arange(3) + 1],
        lambda lib: [lib.tensor(1.5), lib.tensor(2.5)],
        lambda lib: [lib.zeros(2, 0)],
        lambda lib: [lib.zeros(2, dtype=lib.bfloat16)],
        lambda lib: [lib.zeros(2), lib.zeros(2, dtype=lib.float64)],
        lambda lib: [lib.zeros(2), lib.zeros(3)],
        lambda lib: [(lib.zeros(2), 1), (lib.ones(2), 2)],
        lambda lib: [{"x": lib.zeros(2)}, {"x": lib.ones(2)}],
        lambda lib: [lib.zeros(2).requires_grad_()],
    ],
)
def test_collate_tensors(make):
    same(lambda lib: lib.utils.data.default_collate(make(lib)))


def test_collate_carries_gradients():
    x = rl.ones(2, requires_grad=True)
    data.default_collate([x, x * 2]).sum().backward()
    assert x.grad.tolist() == [3, 3]


def test_collate_keeps_the_type_of_containers():
    def containers(lib):
        counted = defaultdict(int, x=1)
        user = lib.utils.data.default_collate([UserDict(x=1), UserDict(x=2)])
        labelled = lib.utils.data.default_collate([Labelled([1], "a"), Labelled([2], "b")])
        return [
            lib.utils.data.default_collate([counted, counted]),
            (type(user).__name__, user["x"]),
            (type(labelled).__name__, labelled.label, labelled[0]),
            dict(lib.utils.data.default_collate([MappingProxyType({"x": 1})])),
            list(lib.utils.data.default_collate([UserList([1, 2]), UserList([3, 4])])),
            lib.utils.data.default_collate([FrozenMapping(x=1), FrozenMapping(x=2)]),
        ]

    same(containers)


def test_collate_does_not_change_the_samples():
    first = {"x": 1, "y": [1, 2]}
    data.default_collate([first, {"x": 2, "y": [3, 4]}])
    assert first == {"x": 1, "y": [1, 2]}


def test_collate_one_array_operation_copies():
    arrays = [np.zeros(3), np.ones(3)]
    batch = data.default_collate(arrays)
    arrays[0][:] = 7
    assert batch.tolist() == [[0, 0, 0], [1, 1, 1]]


def test_registered_types():
    class Image:
        def __init__(self, size):
            self.size = size

    class Photo(Image):
        pass

    def sizes(batch, *, collate_fn_map):
        return sum(image.size for image in batch)

    assert collate([Image(1), Image(2)], collate_fn_map={Image: sizes}) == 3
    assert collate([Photo(1), Photo(2)], collate_fn_map={Image: sizes}) == 3
    assert collate([(Photo(1), Image(2))], collate_fn_map={(int, Image): sizes}) == [1, 2]
    with pytest.raises(TypeError, match=r"found <class '.*Image'>"):
        data.default_collate([Image(1)])


def test_the_default_table_can_be_changed(monkeypatch):
    assert is_default(data.default_collate)
    assert not is_default(lambda batch: data.default_collate(batch))

    def doubled(batch, *, collate_fn_map):
        return collate_tensor_fn(batch) * 2

    monkeypatch.setitem(default_collate_fn_map, rl.Tensor, doubled)
    assert not is_default(data.default_collate)
    ones = data.TensorDataset(rl.ones(4))
    assert next(iter(data.DataLoader(ones, batch_size=2)))[0].tolist() == [2, 2]
    assert data.default_collate([np.ones(1), np.ones(1)]).tolist() == [[2], [2]]


def test_names_where_pytorch_keeps_them():
    from rushlight.utils.data._utils.collate import default_collate as there

    assert there is data.default_collate
    ours = rl.utils.data._utils.collate
    for name in ours.__all__:
        assert hasattr(torch.utils.data._utils.collate, name)
