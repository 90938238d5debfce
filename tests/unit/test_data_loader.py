"""DataLoader in one process: options, errors, order, streams, and how a batch is made."""

from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import pytest
from data_programs import same
from naming import without_addresses

import rushlight as rl
from rushlight.utils import data


class Squares(data.Dataset):
    def __init__(self, size=7):
        self.size = size

    def __len__(self):
        return self.size

    def __getitem__(self, index):
        if not 0 <= index < self.size:
            raise IndexError(index)
        return index, float(index**2)


def stream(lib, values, length=None):
    class Stream(lib.utils.data.IterableDataset):
        def __iter__(self):
            return iter(values)

        def __str__(self):
            return "Stream"

    class SizedStream(Stream):
        def __len__(self):
            return length

    return Stream() if length is None else SizedStream()


def squares(lib, size=7):
    class Listed(lib.utils.data.Dataset):
        def __len__(self):
            return size

        def __getitem__(self, index):
            return index, float(index**2)

    return Listed()


# Batches --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {}, {"batch_size": 3}, {"batch_size": 3, "drop_last": True}, {"batch_size": 7},
        {"batch_size": 100}, {"batch_size": 100, "drop_last": True}, {"batch_size": None},
        {"sampler": [4, 2, 2]}, {"sampler": [4, 2, 2], "batch_size": 2},
        {"sampler": []}, {"batch_sampler": [[0, 1], [5]]}, {"batch_sampler": [(0, 1), [5]]},
        {"batch_sampler": [[]]}, {"batch_size": None, "sampler": [3, 1]},
        {"shuffle": False, "batch_size": 4, "collate_fn": len},
        {"batch_size": 4, "collate_fn": list}, {"batch_size": None, "collate_fn": list},
        {"batch_size": 4, "collate_fn": lambda batch: type(batch).__name__},
    ],
    ids=without_addresses,
)  # fmt: skip
def test_batches_of_a_map(options):
    same(lambda lib: list(lib.utils.data.DataLoader(squares(lib), **options)))
    same(lambda lib: len(lib.utils.data.DataLoader(squares(lib), **options)))


def test_samplers_may_be_iterators():
    same(lambda lib: list(lib.utils.data.DataLoader(squares(lib), sampler=iter([4, 2, 2]))))
    same(lambda lib: list(lib.utils.data.DataLoader(squares(lib), batch_sampler=iter([(0, 1)]))))
    same(lambda lib: len(lib.utils.data.DataLoader(squares(lib), sampler=iter([4]))))


@pytest.mark.parametrize("length", [None, 7, 100])
@pytest.mark.parametrize(
    "options",
    [
        {}, {"batch_size": 3}, {"batch_size": 3, "drop_last": True}, {"batch_size": None},
        {"batch_size": 7}, {"shuffle": False}, {"batch_size": 3, "collate_fn": sum},
    ],
    ids=without_addresses,
)  # fmt: skip
def test_batches_of_a_stream(options, length):
    same(lambda lib: list(lib.utils.data.DataLoader(stream(lib, range(7), length), **options)))
    same(
        lambda lib: len(lib.utils.data.DataLoader(stream(lib, range(7), length), **options)),
        message=False,
    )


def test_a_stream_may_be_empty():
    same(lambda lib: list(lib.utils.data.DataLoader(stream(lib, []), batch_size=2)))


def test_a_stream_longer_than_it_said():
    loader = data.DataLoader(stream(rl, range(4), 2))
    assert len(loader) == 2
    with pytest.warns(
        UserWarning, match=r"Length of IterableDataset Stream .* to be 2\(.* but [34] "
    ):
        list(loader)
    loader = data.DataLoader(stream(rl, range(4), 2))
    assert len(list(loader)) == 4  # nobody asked


def test_a_loop_can_be_repeated_broken_off_and_nested():
    def loops(lib):
        loader = lib.utils.data.DataLoader(squares(lib, 5), batch_size=2)
        first = [x for x, _ in loader]
        for x, _ in loader:
            broken = x
            break
        nested = [(a[0], b[0]) for a in loader for b in loader]
        iterator = iter(loader)
        rest = [next(iterator), list(iterator), list(iterator)]
        return first, broken, nested, rest, len(iterator)

    same(loops)


def test_shuffling():
    loader = data.DataLoader(Squares(50), batch_size=8, shuffle=True)
    rl.manual_seed(0)
    first, second = ([i for x, _ in loader for i in x.tolist()] for _ in range(2))
    rl.manual_seed(0)
    again = [i for x, _ in loader for i in x.tolist()]
    assert first == again != second
    assert sorted(first) == sorted(second) == list(range(50))
    assert first != list(range(50))


def test_the_generator_decides_the_order():
    def order(seed):
        generator = rl.Generator().manual_seed(seed)
        loader = data.DataLoader(range(50), shuffle=True, generator=generator)
        return [x.item() for x in loader]

    assert order(1) == order(1) != order(2)


def test_samples_come_from_getitems_when_there_is_one():
    class Many(Squares):
        def __getitems__(self, indices):
            return [-i for i in indices]

    assert next(iter(data.DataLoader(Many(), batch_size=3))).tolist() == [0, -1, -2]
    assert next(iter(data.DataLoader(Many(), batch_size=None)))[0] == 0

    class Disabled(Squares):
        __getitems__ = None

    assert next(iter(data.DataLoader(Disabled(), batch_size=3)))[0].tolist() == [0, 1, 2]


def test_any_object_with_items_is_a_dataset():
    same(lambda lib: list(lib.utils.data.DataLoader([1, 2, 3], batch_size=2)))
    same(lambda lib: list(lib.utils.data.DataLoader("abc", batch_size=2)))
    same(lambda lib: list(lib.utils.data.DataLoader({"k": 1, "l": 2}, sampler=["l", "k"])))
    same(lambda lib: list(lib.utils.data.DataLoader(np.arange(5), batch_size=2)))
    same(lambda lib: list(lib.utils.data.DataLoader(lib.arange(5), batch_size=2)))
    same(lambda lib: list(lib.utils.data.DataLoader([], batch_size=2)))


def test_errors_of_the_dataset_are_the_users():
    class Broken(Squares):
        def __getitem__(self, index):
            raise ZeroDivisionError("mine")

    note = "raised while the DataLoader loaded sample 0"
    with pytest.raises(ZeroDivisionError, match=rf"^mine\n{note}$"):
        next(iter(data.DataLoader(Broken())))


# Options --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {"num_workers": -1}, {"timeout": -1}, {"prefetch_factor": 2},
        {"num_workers": 1, "prefetch_factor": -1}, {"persistent_workers": True},
        {"multiprocessing_context": "fork"}, {"num_workers": 1, "multiprocessing_context": "x"},
        {"num_workers": 1, "multiprocessing_context": 3},
        {"shuffle": True, "sampler": [0]}, {"batch_sampler": [[0]], "batch_size": 2},
        {"batch_sampler": [[0]], "shuffle": True}, {"batch_sampler": [[0]], "sampler": [0]},
        {"batch_sampler": [[0]], "drop_last": True}, {"batch_sampler": [[0]], "batch_size": None},
        {"batch_size": None, "drop_last": True}, {"batch_size": 0}, {"batch_size": -1},
        {"batch_size": 1.5}, {"batch_size": "2"}, {"batch_size": True}, {"drop_last": "no"},
        {"drop_last": 1},
    ],
    ids=without_addresses,
)  # fmt: skip
def test_options_that_are_wrong(options):
    same(lambda lib: lib.utils.data.DataLoader(squares(lib), **options))


@pytest.mark.parametrize(
    "options",
    [{"shuffle": True}, {"shuffle": 1}, {"sampler": [0]}, {"batch_sampler": [[0]]}],
    ids=without_addresses,
)
def test_options_that_a_stream_does_not_take(options):
    same(lambda lib: lib.utils.data.DataLoader(stream(lib, []), **options))


def test_an_empty_dataset_cannot_be_shuffled():
    same(lambda lib: lib.utils.data.DataLoader([], shuffle=True))


def test_a_timeout_needs_workers():
    same(lambda lib: iter(lib.utils.data.DataLoader([1], timeout=1)))


@pytest.mark.parametrize(
    "name",
    ["batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers"],
)
def test_what_cannot_be_set_afterwards(name):
    def assign(lib):
        setattr(lib.utils.data.DataLoader([1]), name, None)

    same(assign)


def test_attributes():
    def attributes(lib):
        loader = lib.utils.data.DataLoader([1, 2], 2, drop_last=True, pin_memory_device="x")
        workers = lib.utils.data.DataLoader([1, 2], None, num_workers=1, timeout=3)
        own = lib.utils.data.DataLoader([1, 2], batch_sampler=[[0]])
        streaming = lib.utils.data.DataLoader(stream(lib, []))
        names = (
            "dataset", "batch_size", "num_workers", "pin_memory", "drop_last", "timeout",
            "worker_init_fn", "multiprocessing_context", "generator", "prefetch_factor",
            "persistent_workers", "pin_memory_device", "in_order",
        )  # fmt: skip
        kinds = [
            [type(each).__name__ for each in (a.sampler, a.batch_sampler)]
            for a in (loader, workers, own, streaming)
        ]
        functions = [a.collate_fn.__name__ for a in (loader, workers, own, streaming)]
        return (
            [[getattr(a, name) for name in names] for a in (loader, workers, own)],
            kinds,
            functions,
        )

    same(attributes)
    loader = data.DataLoader([1], num_workers=1)
    loader.multiprocessing_context = "spawn"
    assert loader.multiprocessing_context.get_start_method() == "spawn"
    loader.collate_fn = list
    assert data.DataLoader[int] is not None


def test_more_workers_than_processors_warns():
    with pytest.warns(UserWarning, match="This DataLoader will create 999 worker processes") as got:
        data.DataLoader([1], num_workers=999)
    assert got[0].filename == __file__


def test_pinning_warns_where_the_loop_is():
    with pytest.warns(UserWarning, match="no accelerator is found") as caught:
        for _ in data.DataLoader([1], pin_memory=True):
            pass
    assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match=r"pin_memory_device is deprecated|no accelerator"):
        iter(data.DataLoader([1], pin_memory=True, pin_memory_device="cuda"))


def test_a_pass_cannot_be_pickled():
    same(lambda lib: pickle.dumps(iter(lib.utils.data.DataLoader([1]))), message=False)
    assert len(pickle.loads(pickle.dumps(data.DataLoader([1, 2, 3])))) == 3


def test_importing_loads_no_multiprocessing():
    program = (
        "import sys, rushlight.utils.data as data; "
        "list(data.DataLoader([1, 2])); "
        "print('multiprocessing' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr
