"""Datasets, and datasets made of datasets."""

from __future__ import annotations

import pytest
from data_programs import same

import rushlight as rl
from rushlight.utils import data


def stream(lib, values, length=None):
    class Stream(lib.utils.data.IterableDataset):
        def __iter__(self):
            return iter(values)

    class SizedStream(Stream):
        def __len__(self):
            return length

    return Stream() if length is None else SizedStream()


class Recorded(data.Dataset):
    """Notes how it is asked."""

    def __init__(self, size=6):
        self.size, self.asked = size, []

    def __len__(self):
        return self.size

    def __getitem__(self, index):
        self.asked.append(index)
        return index

    def __getitems__(self, indices):
        self.asked.append(list(indices))
        return [10 * i for i in indices]


def test_the_base_class_promises_nothing():
    same(lambda lib: lib.utils.data.Dataset()[0])
    same(lambda lib: len(lib.utils.data.Dataset()), message=False)
    same(lambda lib: iter(lib.utils.data.IterableDataset()), message=False)
    same(lambda lib: hasattr(lib.utils.data.Dataset(), "__getitems__"))
    assert data.Dataset[int] is not None


def test_tensor_dataset():
    def rows(lib):
        both = lib.utils.data.TensorDataset(lib.arange(6).view(3, 2), lib.tensor([7.0, 8.0, 9.0]))
        return len(both), both[0], both[-1], both[1:], both[[2, 0]], list(both)

    same(rows)
    same(lambda lib: lib.utils.data.TensorDataset(lib.zeros(2), lib.zeros(3)))
    same(lambda lib: lib.utils.data.TensorDataset(lib.zeros(2))[2], message=False)
    same(lambda lib: lib.utils.data.TensorDataset(lib.zeros(())), message=False)


def test_tensor_dataset_rows_are_views():
    def written(lib):
        x = lib.zeros(2, 2)
        lib.utils.data.TensorDataset(x)[1][0].fill_(3)
        return x

    same(written)


def test_stack():
    same(lambda lib: list(lib.utils.data.StackDataset("abc", range(3))))
    same(lambda lib: list(lib.utils.data.StackDataset(x="abc", y=range(3))))
    same(lambda lib: len(lib.utils.data.StackDataset("abc")))
    same(lambda lib: lib.utils.data.StackDataset("abc", "de"))
    same(lambda lib: lib.utils.data.StackDataset(x="abc", y="de"))
    same(lambda lib: lib.utils.data.StackDataset("abc", y="abc"))
    same(lambda lib: lib.utils.data.StackDataset())
    same(lambda lib: lib.utils.data.StackDataset("abc", "def").__getitems__([2, 0]))
    same(lambda lib: lib.utils.data.StackDataset(x="abc", y="def").__getitems__([2, 0]))
    same(lambda lib: lib.utils.data.StackDataset(x="abc", y="def").__getitems__([]))


def test_stack_asks_for_many_at_once():
    recorded = Recorded()
    assert data.StackDataset("abcdef", recorded).__getitems__([1, 3]) == [("b", 10), ("d", 30)]
    assert recorded.asked == [[1, 3]]


def test_stack_notices_too_few_samples():
    def short(lib):
        class Short(lib.utils.data.Dataset):
            def __len__(self):
                return 3

            def __getitem__(self, index):
                return index

            def __getitems__(self, indices):
                return indices[1:]

        return lib.utils.data.StackDataset(Short()).__getitems__([0, 1])

    same(short)


def test_concat():
    same(lambda lib: list(lib.utils.data.ConcatDataset(["ab", "", "cde"])))

    def measures(lib):
        both = lib.utils.data.ConcatDataset(["ab", "", "cde"])
        return len(both), both[-1], both[-5], both.cumulative_sizes, both.cumsum(["a", "bc"])

    same(measures)
    same(lambda lib: lib.utils.data.ConcatDataset(["ab"])[2], message=False)
    same(lambda lib: lib.utils.data.ConcatDataset(["ab"])[-3])
    same(lambda lib: lib.utils.data.ConcatDataset([]))
    same(lambda lib: lib.utils.data.ConcatDataset(["ab", stream(lib, "c")]))
    same(lambda lib: list(lib.utils.data.ConcatDataset(iter(["ab", "c"]))))


def test_plus():
    def summed(lib):
        x = lib.utils.data.TensorDataset(lib.arange(2))
        return type(x + x).__name__, list(x + x + x)

    same(summed)
    same(lambda lib: list(stream(lib, "ab") + stream(lib, "c")))
    same(lambda lib: type(stream(lib, "ab") + stream(lib, "c")).__name__)


def test_chain():
    same(lambda lib: list(lib.utils.data.ChainDataset([stream(lib, "ab"), stream(lib, "c")])))
    same(lambda lib: len(lib.utils.data.ChainDataset([stream(lib, "ab", 2), stream(lib, "c", 1)])))
    same(lambda lib: len(lib.utils.data.ChainDataset([stream(lib, "ab")])), message=False)
    same(lambda lib: list(lib.utils.data.ChainDataset([stream(lib, "ab"), "c"])))
    same(lambda lib: len(lib.utils.data.ChainDataset(["c"])))
    same(lambda lib: list(lib.utils.data.ChainDataset([])))


def test_subset():
    same(lambda lib: list(lib.utils.data.Subset("abcd", [3, 0, 3])))
    same(lambda lib: len(lib.utils.data.Subset("abcd", [3, 0, 3])))
    same(lambda lib: lib.utils.data.Subset("abcd", [3, 0])[-1])
    same(lambda lib: lib.utils.data.Subset("abcd", [3, 0])[2])
    same(lambda lib: lib.utils.data.Subset("abcd", [3, 0]).__getitems__([1, 1]))

    def many(lib):
        x = lib.utils.data.TensorDataset(lib.arange(5) * 10)
        return lib.utils.data.Subset(x, [4, 2, 0])[[2, 0]]

    same(many)


def test_subset_asks_for_many_at_once():
    recorded = Recorded()
    assert data.Subset(recorded, [5, 4]).__getitems__([1, 0]) == [40, 50]
    assert recorded.asked == [[4, 5]]


def test_subset_overridden_by_half():
    def half(lib):
        class Half(lib.utils.data.Subset):
            def __getitem__(self, index):
                return -1

        return Half("ab", [0])

    same(half)

    class Whole(data.Subset):
        def __getitem__(self, index):
            return -1

        def __getitems__(self, indices):
            return [-1 for _ in indices]

    assert Whole("ab", [0])[0] == -1


@pytest.mark.parametrize(
    "size, lengths",
    [
        (10, [3, 7]), (10, [10, 0]), (0, []), (0, [0]), (10, [0.3, 0.3, 0.4]), (11, [0.5, 0.5]),
        (10, [0.7, 0.2, 0.1]), (7, [1 / 3] * 3), (10, [1.0]), (1, [0.5, 0.5]), (10, [1]),
        (3, [0.25] * 4), (106, [0.1, 0.2, 0.3, 0.4]), (79, [0.1, 0.2, 0.3, 0.4]),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:Length of split")
def test_split_lengths(size, lengths):
    def counts(lib):
        return [len(part) for part in lib.utils.data.random_split(range(size), lengths)]

    same(counts)
    parts = data.random_split(range(size), lengths)
    taken = [i for part in parts for i in part.indices]
    assert sorted(taken) == list(range(size))
    assert all(type(i) is int for i in taken)


@pytest.mark.parametrize(
    "size, lengths",
    [
        (10, [3, 6]), (10, [0.5, 0.4]), (10, [11]), (10, []), (10, [1.5, -0.5]), (0, [1]),
        (10, [-0.5, 1.5]), (10, [0.6, 0.6]),
    ],
)  # fmt: skip
def test_split_errors(size, lengths):
    def counts(lib):
        return [len(part) for part in lib.utils.data.random_split(range(size), lengths)]

    same(counts)


def test_split_follows_its_generator():
    def split(seed):
        generator = rl.Generator()
        generator.manual_seed(seed)
        return [part.indices for part in data.random_split(range(50), [20, 30], generator)]

    assert split(1) == split(1) != split(2)
    rl.manual_seed(4)
    first = data.random_split(range(50), [50])[0].indices
    rl.manual_seed(4)
    assert first == data.random_split(range(50), [50])[0].indices
