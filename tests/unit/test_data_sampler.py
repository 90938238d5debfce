"""Samplers: lengths, orders, errors, and that a generator decides what is random."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from data_programs import same

import rushlight as rl
from rushlight.utils import data


class Sized:
    def __init__(self, size: int) -> None:
        self.size = size

    def __len__(self) -> int:
        return self.size


@pytest.mark.parametrize("size", [0, 1, 5])
def test_sequential(size):
    same(lambda lib: list(lib.utils.data.SequentialSampler(range(size))))
    same(lambda lib: len(lib.utils.data.SequentialSampler(range(size))))


@pytest.mark.parametrize("num_samples", [None, 1, 3, 4, 8, 11])
def test_random_without_replacement_deals_everything_before_it_repeats(num_samples):
    sampler = data.RandomSampler(Sized(4), num_samples=num_samples)
    order = list(sampler)
    assert len(order) == len(sampler) == (num_samples or 4)
    for start in range(0, len(order), 4):
        part = order[start : start + 4]
        assert len(set(part)) == len(part)
        assert set(part) <= {0, 1, 2, 3}


@pytest.mark.parametrize("num_samples", [None, 1, 1023, 1024, 1025, 3000])
def test_random_with_replacement(num_samples):
    order = list(data.RandomSampler(Sized(7), replacement=True, num_samples=num_samples))
    assert len(order) == (num_samples or 7)
    assert all(type(i) is int and 0 <= i < 7 for i in order)
    if num_samples == 3000:  # 428 each, standard deviation 19
        assert all(300 < n < 560 for n in Counter(order).values())


@pytest.mark.parametrize("replacement", [False, True])
def test_random_follows_its_generator(replacement):
    def order(seed):
        generator = rl.Generator()
        generator.manual_seed(seed)
        return list(data.RandomSampler(range(100), replacement, generator=generator))

    assert order(1) == order(1) != order(2)


def test_random_follows_the_global_seed_and_differs_from_loop_to_loop():
    sampler = data.RandomSampler(range(100))
    rl.manual_seed(3)
    first, second = list(sampler), list(sampler)
    rl.manual_seed(3)
    assert first != second
    assert [first, second] == [list(sampler), list(sampler)]


def test_random_follows_a_dataset_that_grows():
    source = list(range(3))
    sampler = data.RandomSampler(source)
    source.append(3)
    assert len(sampler) == 4
    assert sorted(sampler) == [0, 1, 2, 3]


def test_random_draws_from_an_empty_dataset_never():
    same(lambda lib: lib.utils.data.RandomSampler([]))
    for replacement in (False, True):
        sampler = data.RandomSampler([], replacement, num_samples=3)
        with pytest.raises(ValueError, match="empty dataset"):
            list(sampler)


@pytest.mark.parametrize("replacement", [0, 1, None, "no"])
def test_random_replacement_is_a_bool(replacement):
    same(lambda lib: lib.utils.data.RandomSampler(range(3), replacement=replacement))


@pytest.mark.parametrize("num_samples", [0, -1, 2.0, "2"])
def test_random_num_samples_is_a_positive_int(num_samples):
    same(lambda lib: lib.utils.data.RandomSampler(range(3), num_samples=num_samples))


def test_random_needs_a_length():
    same(lambda lib: lib.utils.data.RandomSampler(iter("abc")))


def test_subset_random():
    indices = [5, 9, 2, 2]
    sampler = data.SubsetRandomSampler(indices, generator=rl.Generator())
    assert len(sampler) == 4
    assert sorted(sampler) == sorted(indices)
    assert list(data.SubsetRandomSampler([])) == []
    assert sorted(data.SubsetRandomSampler(np.array([4, 6]))) == [4, 6]
    orders = {tuple(data.SubsetRandomSampler(range(6))) for _ in range(10)}
    assert len(orders) > 1


def test_weighted_random():
    weights = [0.0, 1.0, 3.0]
    sampler = data.WeightedRandomSampler(weights, 4000)
    counts = Counter(sampler)
    assert len(sampler) == 4000
    assert counts[0] == 0
    assert 850 < counts[1] < 1150  # 1000 expected, standard deviation 27
    assert sampler.weights.dtype == rl.float64
    assert sorted(data.WeightedRandomSampler([0.1, 5.0, 0.1], 3, replacement=False)) == [0, 1, 2]
    assert set(data.WeightedRandomSampler(rl.tensor([0.0, 2.0]), 5)) == {1}


def test_weighted_random_follows_its_generator():
    def order(seed):
        generator = rl.Generator()
        generator.manual_seed(seed)
        return list(data.WeightedRandomSampler([1.0, 2.0, 3.0], 50, generator=generator))

    assert order(1) == order(1) != order(2)


@pytest.mark.parametrize(
    "arguments",
    [
        ([1.0], 0), ([1.0], -2), ([1.0], 1.5), ([1.0], True), ([1.0], "1"), ([1.0], None),
        ([1.0], 1, 1), ([1.0], 1, None), ([[1.0, 2.0]], 1), (1.0, 1),
    ],
)  # fmt: skip
def test_weighted_random_errors(arguments):
    same(lambda lib: lib.utils.data.WeightedRandomSampler(*arguments))


def test_weighted_random_cannot_take_more_than_there_is():
    same(
        lambda lib: list(lib.utils.data.WeightedRandomSampler([1.0, 1.0], 3, replacement=False)),
    )


@pytest.mark.parametrize("size", [0, 1, 5, 6, 7])
@pytest.mark.parametrize("batch_size", [1, 3, 10])
@pytest.mark.parametrize("drop_last", [False, True])
def test_batches(size, batch_size, drop_last):
    arguments = range(size), batch_size, drop_last
    same(lambda lib: list(lib.utils.data.BatchSampler(*arguments)))
    same(lambda lib: len(lib.utils.data.BatchSampler(*arguments)))


def test_batches_of_anything_iterable():
    same(lambda lib: list(lib.utils.data.BatchSampler("abcde", 2, False)))
    same(lambda lib: list(lib.utils.data.BatchSampler(iter([3, 1, 2]), 2, True)))
    same(lambda lib: len(lib.utils.data.BatchSampler(iter([3, 1, 2]), 2, True)))
    same(lambda lib: list(lib.utils.data.BatchSampler([[1, 2], [3]], 2, False)))


@pytest.mark.parametrize("batch_size", [0, -1, 2.0, True, None, "2"])
def test_batch_size_is_a_positive_int(batch_size):
    same(lambda lib: lib.utils.data.BatchSampler(range(3), batch_size, False))


@pytest.mark.parametrize("drop_last", [0, 1, None, "no"])
def test_drop_last_is_a_bool(drop_last):
    same(lambda lib: lib.utils.data.BatchSampler(range(3), 2, drop_last))


def test_the_base_class_promises_nothing():
    same(lambda lib: iter(lib.utils.data.Sampler()))
    same(lambda lib: len(lib.utils.data.Sampler()), message=False)
    assert data.Sampler[int] is not None
