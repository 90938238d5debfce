"""Batches made in one go: always what collating the samples would have given."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from data_programs import plain, same

import rushlight as rl
from rushlight.utils import data
from rushlight.utils.data.batch import row_numbers, samples, whole_batch


def tensors(lib):
    return lib.arange(12).view(6, 2), lib.arange(6).to(lib.float32) / 2, lib.zeros(6, 0)


def loaded(lib, dataset, **options):
    return list(lib.utils.data.DataLoader(dataset, batch_size=4, **options))


def never(*_):
    raise AssertionError("asked for a whole batch")


MAKERS: dict[str, Callable] = {
    "tensors": lambda lib: lib.utils.data.TensorDataset(*tensors(lib)),
    "subset": lambda lib: lib.utils.data.Subset(
        lib.utils.data.TensorDataset(*tensors(lib)), [5, 0, -1, 2, 2]
    ),
    "subset of a subset": lambda lib: lib.utils.data.Subset(
        lib.utils.data.Subset(lib.utils.data.TensorDataset(*tensors(lib)), np.array([5, 0, 3])),
        np.array([2, 2, 1]),
    ),
    "subset by a tensor": lambda lib: lib.utils.data.Subset(
        lib.utils.data.TensorDataset(*tensors(lib)), lib.tensor([3, 1, 5])
    ),
    "stack": lambda lib: lib.utils.data.StackDataset(
        lib.utils.data.TensorDataset(*tensors(lib)), range(6), "abcdef"
    ),
    "stack by name": lambda lib: lib.utils.data.StackDataset(
        x=lib.utils.data.TensorDataset(*tensors(lib)), y=range(6)
    ),
    "concatenation": lambda lib: lib.utils.data.ConcatDataset(
        [lib.utils.data.TensorDataset(*tensors(lib)), lib.utils.data.TensorDataset(*tensors(lib))]
    ),
}


@pytest.mark.parametrize("name", MAKERS)
def test_loading_is_what_pytorch_loads(name):
    same(lambda lib: loaded(lib, MAKERS[name](lib)))


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("indices", [[0], [2, 0, 2], [-1, 1], [np.int64(1), 0], []])
def test_a_whole_batch_is_the_collated_samples(name, indices):
    dataset = MAKERS[name](rl)
    batch = whole_batch(dataset, indices)
    if batch is not NotImplemented:
        assert plain(batch) == plain(data.default_collate(samples(dataset, indices)))
    else:
        assert not indices or name in ("concatenation", "subset by a tensor")


def test_one_gather_for_each_tensor(monkeypatch):
    x, y = rl.arange(128).view(64, 2), rl.arange(64)
    monkeypatch.setattr(data.TensorDataset, "__getitem__", never)
    loader = data.DataLoader(data.TensorDataset(x, y), batch_size=32, sampler=range(63, -1, -1))
    batches = list(loader)
    assert [batch[1].tolist() for batch in batches] == [[*range(63, 31, -1)], [*range(31, -1, -1)]]
    assert batches[0][0][0].tolist() == [126, 127]


def test_a_subclass_says_what_its_samples_are(monkeypatch):
    class Negated(data.TensorDataset):
        def __getitem__(self, index):
            return tuple(-tensor for tensor in super().__getitem__(index))

    class Further(Negated):
        pass

    class Together(data.TensorDataset):
        def __getitems__(self, indices):
            return [(rl.tensor(7),) for _ in indices]

    class Plain(data.TensorDataset):
        def extra(self):
            return 1

    class Faster(Negated):
        def __getbatch__(self, indices):
            return "fast"

    x = rl.arange(4)
    assert loaded(rl, Negated(x))[0][0].tolist() == [0, -1, -2, -3]
    assert loaded(rl, Further(x))[0][0].tolist() == [0, -1, -2, -3]
    assert loaded(rl, data.Subset(Further(x), [2, 1]))[0][0].tolist() == [-2, -1]
    assert loaded(rl, data.StackDataset(Further(x)))[0][0][0].tolist() == [0, -1, -2, -3]
    assert loaded(rl, Together(x))[0][0].tolist() == [7, 7, 7, 7]
    assert loaded(rl, Faster(x)) == ["fast"]
    monkeypatch.setattr(data.TensorDataset, "__getitem__", never)
    assert loaded(rl, Plain(x))[0][0].tolist() == [0, 1, 2, 3]


def test_a_subset_that_says_what_its_samples_are():
    class Negated(data.Subset):
        def __getitem__(self, index):
            return (-super().__getitem__(index)[0],)

        def __getitems__(self, indices):
            return [self[i] for i in indices]

    subset = Negated(data.TensorDataset(rl.arange(4)), [3, 1])
    assert loaded(rl, subset)[0][0].tolist() == [-3, -1]


def test_a_collate_function_gets_a_list_of_samples():
    def kinds(lib):
        def collate(batch):
            return [type(batch).__name__, len(batch), [type(sample).__name__ for sample in batch]]

        return loaded(lib, MAKERS["tensors"](lib), collate_fn=collate)

    same(kinds)
    same(lambda lib: loaded(lib, MAKERS["tensors"](lib), collate_fn=lambda b: b[0][0] * 2))
    same(lambda lib: loaded(lib, MAKERS["tensors"](lib), collate_fn=lib.utils.data.default_collate))


def test_samplers_of_anything_that_indexes():
    def batches(lib):
        dataset = MAKERS["tensors"](lib)
        samplers = [
            [[0, True], [lib.tensor(1), 2]],
            [np.array([4, 5])],
            [lib.tensor([4, 5])],
            [(0, 1)],
            [[slice(0, 2), slice(2, 4)]],
            [[[0, 1], [2, 3]]],
        ]
        make = lib.utils.data.DataLoader
        return [list(make(dataset, batch_sampler=sampler)) for sampler in samplers]

    same(batches)


@pytest.mark.parametrize("index", [6, -7, 2**70, "a", 1.0])
def test_an_index_out_of_range_is_an_error_at_once(index):
    def batches(lib):
        return next(iter(lib.utils.data.DataLoader(MAKERS["tensors"](lib), sampler=[index])))

    with pytest.raises((IndexError, TypeError, RuntimeError, OverflowError)):
        batches(rl)


def test_gradients_pass_through_a_batch():
    x = rl.ones(4, 2, requires_grad=True)
    for (batch,) in data.DataLoader(data.TensorDataset(x), batch_size=3):
        (batch * 2).sum().backward()
    assert x.grad.tolist() == [[2, 2]] * 4


def test_a_batch_keeps_what_it_was_when_the_data_change():
    x = rl.zeros(3)
    (batch,) = next(iter(data.DataLoader(data.TensorDataset(x), batch_size=3)))
    x += 1
    batch -= 1
    assert batch.tolist() == [-1, -1, -1]
    assert x.tolist() == [1, 1, 1]


def test_row_numbers():
    def rows(indices):
        found = row_numbers(indices, 5)
        return found if found is None else (str(found.dtype), found.tolist())

    assert rows([0, 4, -1, -5]) == ("int64", [0, 4, 4, 0])
    assert rows([np.int8(3), np.int64(-1)]) == ("int64", [3, 4])
    for refused in ([], [5], [-6], [True], [1.0], [[1]], [2**70], [2**63], (1, 2), np.array([1])):
        assert rows(refused) is None
