"""DataLoader with threads: where they are used, order, random numbers, ends."""

from __future__ import annotations

import gc
import os
import resource
import threading
import time
import weakref
from functools import partial

import numpy as np
import pytest
from data_processes import Numbers, children, load, values
from naming import without_addresses

import rushlight as rl
from rushlight.utils import data
from rushlight.utils.data.sharing import threads_may_share

pytestmark = pytest.mark.filterwarnings("ignore:This DataLoader will create")


class Shared(Numbers):
    """Says that threads may load from it."""

    def __threads__(self):
        return True


class Drawn(Shared):
    def __getitem__(self, index):
        return [index, *rl.rand(2).tolist(), rl.randn(()).item()]


class Where(Shared):
    def __getitem__(self, index):
        time.sleep(0.01)
        return index, data.get_worker_info().id, threading.current_thread().name


def threads():
    return [t for t in threading.enumerate() if t.name.startswith("DataLoader worker")]


def all_end(seconds=3.0):
    deadline = time.monotonic() + seconds
    while threads() and time.monotonic() < deadline:
        time.sleep(0.01)
    return not threads()


def test_threads_load_where_the_dataset_allows_it():
    before = children()
    loaded = list(load(Where(12), 3, batch_size=None))
    assert [index for index, _, _ in loaded] == list(range(12))
    assert {worker for _, worker, _ in loaded} == {0, 1, 2}
    assert all(name == f"DataLoader worker {worker}" for _, worker, name in loaded)
    assert children() == before
    assert data.get_worker_info() is None
    assert all_end()


def test_the_samples_of_a_batch_are_shared():
    slow = Slow(6, meeting=2)
    (batch,) = load(slow, 2, batch_size=6)
    assert batch[0].tolist() == list(range(6))
    assert slow.threads == {"DataLoader worker 0", "DataLoader worker 1"}
    assert all_end()


class Slow(Shared):
    """Notes who has loaded; as many threads as are to meet wait for each other from sample 1 on."""

    def __init__(self, size, meeting=1):
        super().__init__(size)
        self.threads = set()
        self.meeting = threading.Barrier(meeting)

    def __getitem__(self, index):
        self.threads.add(threading.current_thread().name)
        time.sleep(0.004)
        if 1 <= index <= self.meeting.parties:
            self.meeting.wait(20)
        return [index, *rl.rand(2).tolist()]


@pytest.mark.parametrize("count", [1, 3])
def test_without_workers_what_takes_long_is_shared(count):
    before = rl.get_num_threads()
    rl.set_num_threads(count)
    try:
        slow, quick = Slow(24, meeting=count), Drawn(24)
        batches = [batch[0].tolist() for batch in load(slow, 0, batch_size=8)]
        assert batches == [list(range(k, k + 8)) for k in (0, 8, 16)]
        main = threading.main_thread().name
        others = {f"DataLoader thread {k}" for k in range(1, count)}
        assert slow.threads == {main, *others}
        assert len(list(load(quick, 0, batch_size=8))) == 3 and data.get_worker_info() is None
    finally:
        rl.set_num_threads(before)


def test_without_workers_threads_draw_the_same_bits():
    def loaded(workers, count):
        before = rl.get_num_threads()
        rl.set_num_threads(count)
        try:
            generator = rl.Generator().manual_seed(3)
            return repr(list(load(Slow(10), workers, batch_size=4, generator=generator)))
        finally:
            rl.set_num_threads(before)

    assert loaded(0, 3) == loaded(0, 1) == loaded(2, 2)


@pytest.mark.parametrize("workers", [0, 2])
def test_the_first_sample_that_fails_is_told(workers):
    class Fails(Slow):
        def __getitem__(self, index):
            time.sleep(0.005 if index == 3 else 0.001)
            if index in (3, 4, 5):
                raise KeyError(index)
            return index

    before = rl.get_num_threads()
    rl.set_num_threads(3)
    try:
        iterator = iter(load(Fails(16), workers, batch_size=8))
        with pytest.raises(KeyError) as caught:
            next(iterator)
        assert caught.value.args == (3,)
        assert caught.value.__notes__[0] == "raised while the DataLoader loaded sample 3"
        assert next(iterator).tolist() == list(range(8, 16))
    finally:
        rl.set_num_threads(before)


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_the_same_bits_as_without(workers):
    def passes(workers):
        generator = rl.Generator().manual_seed(7)
        loader = load(Drawn(11), workers, batch_size=3, shuffle=True, generator=generator)
        return [repr(list(loader)) for _ in range(2)]

    before = rl.get_rng_state()
    assert passes(workers) == passes(0)
    assert rl.equal(rl.get_rng_state(), before)


def test_what_threads_may_share():
    class Mine(data.TensorDataset):
        def __getitem__(self, index):
            return super().__getitem__(index)

    class Renamed(data.TensorDataset):
        pass

    tensors = data.TensorDataset(rl.ones(3))
    assert threads_may_share(tensors)
    assert threads_may_share(Renamed(rl.ones(3)))
    assert threads_may_share(data.Subset(tensors, [0]))
    assert threads_may_share(data.ConcatDataset([tensors, data.StackDataset(a=tensors, b=tensors)]))
    assert threads_may_share(data.default_collate)
    assert threads_may_share(partial(data.default_collate))
    for dataset in (Mine(rl.ones(3)), Numbers(), [1, 2]):
        assert not threads_may_share(dataset)
        assert not threads_may_share(data.Subset(dataset, [0]))
        assert not threads_may_share(data.ConcatDataset([tensors, dataset]))
    assert not threads_may_share(lambda x: x)
    assert not threads_may_share(partial(data.default_collate, lambda x: x))


@pytest.mark.parametrize(
    "options",
    [
        {"worker_init_fn": print},
        {"multiprocessing_context": "fork"},
        {"collate_fn": lambda batch: batch},
    ],
    ids=without_addresses,
)
def test_processes_where_they_are_asked_for_or_needed(options):
    iterator = iter(load(Shared(4), 2, **options))
    assert hasattr(iterator, "_crew")


def test_what_is_in_memory_is_loaded_by_nobody():
    x = rl.arange(10)
    for dataset in (data.TensorDataset(x), data.Subset(data.TensorDataset(x), range(10))):
        assert [b[0].tolist() for b in load(dataset, 2, batch_size=4)] == [
            [0, 1, 2, 3], [4, 5, 6, 7], [8, 9],
        ]  # fmt: skip
        assert not threads()


def test_streams_have_processes():
    class Count(data.IterableDataset):
        def __threads__(self):
            return True

        def __iter__(self):
            return iter(range(data.get_worker_info().id, 4, 2))

    assert values(load(Count(), batch_size=2)) == [[0, 2], [1, 3]]


def test_an_exception_is_the_datasets_own_with_the_sample():
    class Raises(Shared):
        def __getitem__(self, index):
            if index == 3:
                raise KeyError("mine")
            return index

    iterator = iter(load(Raises(6), 2, batch_size=2))
    assert next(iterator).tolist() == [0, 1]
    with pytest.raises(KeyError, match="mine") as caught:
        next(iterator)
    first, second = caught.value.__notes__
    assert first == "raised while the DataLoader loaded sample 3"
    assert second.startswith("in DataLoader worker ")
    assert caught.traceback[-1].name == "__getitem__"
    assert next(iterator).tolist() == [4, 5]  # one batch is lost, not the pass


def test_a_thread_that_hangs_says_where():
    release = threading.Event()

    class Stuck(Shared):
        def __getitem__(self, index):
            if index == 1:
                release.wait(20)
            return index

    iterator = iter(load(Stuck(4), 2, batch_size=None, timeout=0.1))
    assert next(iterator) == 0
    with pytest.raises(RuntimeError, match=r"DataLoader timed out after 0\.1 seconds") as caught:
        next(iterator)
    assert "DataLoader worker" in str(caught.value)
    assert "is at sample 1:" in str(caught.value)
    assert "release.wait(20)" in str(caught.value)
    release.set()
    assert next(iterator) == 1
    del iterator, caught  # its traceback holds the iterator as well
    gc.collect()
    assert all_end()


def test_a_loop_that_is_left_leaves_no_thread():
    for batch in load(Where(50), 2, batch_size=None):
        assert batch[0] == 0
        break
    del batch
    gc.collect()
    assert all_end()


def test_out_of_order_returns_what_is_ready():
    class Staggered(Shared):
        def __getitem__(self, index):
            time.sleep(0.2 if index == 0 else 0)
            return index

    batches = list(load(Staggered(6), 2, batch_size=None, in_order=False))
    assert sorted(batches) == [0, 1, 2, 3, 4, 5]
    assert batches[0] == 1


def test_batches_do_not_outlive_their_turn():
    class Large(Shared):
        def __getitem__(self, index):
            return rl.full((1000,), float(index))

    seen = []
    for batch in load(Large(40), 2, batch_size=2, prefetch_factor=2):
        seen.append(weakref.ref(batch))
        alive = sum(ref() is not None for ref in seen)
        assert alive <= 2  # this one, and the variable's before
    del batch
    assert all_end()


def test_tensors_come_computed():
    class Lazy(Shared):
        def __getitem__(self, index):
            return {"x": (rl.ones(3) * index, [rl.zeros(2) + index])}

    for index, sample in enumerate(load(Lazy(4), 2, batch_size=None)):
        x, (y,) = sample["x"]
        assert x.node.buffer is not None
        assert y.node.buffer is not None
        assert np.array_equal(x.numpy(), np.full(3, index, np.float32))


def resident():
    """Megabytes of memory that this process has."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 1e6


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="no /proc here")
@pytest.mark.parametrize("kind", ["nobody", "threads", "processes"])
def test_memory_stays_flat_over_a_hundred_epochs(kind):
    class Arrays(Shared):
        def __threads__(self):
            return kind == "threads"

        def __getitem__(self, index):
            return np.full(20_000, index, np.float32)  # 80 kB

    workers = 0 if kind == "nobody" else 2
    loader = load(Arrays(16), workers, batch_size=4, persistent_workers=workers > 0)
    seen = []
    for epoch in range(100):
        for batch in loader:
            assert batch.shape == (4, 20_000)
        if epoch % 20 == 19:
            gc.collect()
            seen.append(resident())
    assert max(seen[1:]) < seen[0] + 8, seen
