"""DataLoader with processes: order, what comes back, streams, seeds, ways to start."""

from __future__ import annotations

import os
import random
import signal
import time

import numpy as np
import pytest
from data_processes import Numbers, Slow, all_end, children, load, pids, running, values
from naming import without_addresses

import rushlight as rl
from rushlight.utils import data

pytestmark = pytest.mark.filterwarnings("ignore:This DataLoader will create")


class Count(data.IterableDataset):
    """Worker ``i`` gives ``lengths[i]`` numbers."""

    def __init__(self, lengths):
        self.lengths = lengths

    def __iter__(self):
        worker = data.get_worker_info().id
        return iter(range(100 * worker, 100 * worker + self.lengths[worker]))


class Draws(Numbers):
    def __getitem__(self, index):
        seed = data.get_worker_info().seed
        return seed, random.random(), np.random.rand(), rl.rand(()).item()


class Threads(Numbers):
    def __getitem__(self, index):
        return rl.get_num_threads()


def test_a_worker_has_one_thread():
    before = rl.get_num_threads()
    rl.set_num_threads(3)
    try:
        assert values(load(Threads(), 2, batch_size=5)) == [[1] * 5] * 2
        assert rl.get_num_threads() == 3
    finally:
        rl.set_num_threads(before)


# Order ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize(
    "options", [{}, {"batch_size": 3}, {"batch_size": None}], ids=without_addresses
)
def test_the_same_batches_in_the_same_order(workers, options):
    alone = values(load(Slow(7), 0, **options))
    assert values(load(Slow(7), workers, **options)) == alone


@pytest.mark.parametrize("prefetch_factor", [0, 1, 5])
def test_any_prefetch_factor(prefetch_factor):
    loader = load(Numbers(), 2, batch_size=2, prefetch_factor=prefetch_factor)
    assert values(loader) == [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9]]


@pytest.mark.parametrize("persistent", [False, True])
def test_orders_do_not_depend_on_workers(persistent):
    def orders(workers, **options):
        generator = rl.Generator().manual_seed(5)
        loader = load(Numbers(20), workers, shuffle=True, generator=generator, **options)
        return [values(loader) for _ in range(3)], rl.randint(10**6, (), generator=generator).item()

    assert orders(2, persistent_workers=persistent) == orders(0)


def test_out_of_order_returns_what_is_ready():
    class Staggered(Numbers):
        def __getitem__(self, index):
            time.sleep(0.2 if index == 0 else 0)
            return index

    batches = values(load(Staggered(6), 2, batch_size=None, in_order=False))
    assert sorted(batches) == [0, 1, 2, 3, 4, 5]
    assert batches[0] == 1
    assert batches.index(0) > batches.index(5)


def test_batches_are_prefetched_but_not_more_than_asked(tmp_path):
    class Noted(Numbers):
        def __getitem__(self, index):
            (tmp_path / str(index)).touch()
            return index

    iterator = iter(load(Noted(20), 2, prefetch_factor=3))
    time.sleep(0.2)
    assert len(list(tmp_path.iterdir())) == 6
    next(iterator)
    time.sleep(0.1)
    assert len(list(tmp_path.iterdir())) == 7


def test_the_sampler_stays_in_the_main_process():
    class Sampler(data.Sampler):
        def __iter__(self):
            assert data.get_worker_info() is None
            return iter([3, 1, 2])

    assert values(load(Numbers(), sampler=Sampler(), batch_size=None)) == [3, 1, 2]


def test_indices_of_any_kind_reach_the_workers():
    batches = [[0, rl.tensor(1)], list(range(20_000)), []]
    loader = load(Numbers(), batch_sampler=batches, collate_fn=len)
    assert values(loader) == [2, 20_000, 0]


def test_many_indices_do_not_block():
    sampler = [list(range(100_000))] * 6
    loader = load(Numbers(), batch_sampler=sampler, collate_fn=lambda batch: np.array(batch))
    assert [int(batch.sum()) for batch in loader] == [4999950000] * 6


# What comes back ------------------------------------------------------------------------------


def test_tensors_of_every_dtype_come_back():
    dtypes = [
        rl.float16, rl.bfloat16, rl.float32, rl.float64, rl.int8, rl.int16, rl.int32, rl.int64,
        rl.uint8, rl.bool, rl.complex64, rl.complex128,
    ]  # fmt: skip

    class Typed(Numbers):
        def __getitem__(self, index):
            return rl.tensor([0, 1, 2]).to(dtypes[index])

    for dtype, batch in zip(dtypes, load(Typed(12), batch_size=None), strict=True):
        assert batch.dtype == dtype
        assert batch.to(rl.float32 if not dtype.is_complex else dtype).tolist() == (
            [0, 1, 1] if dtype == rl.bool else [0, 1, 2]
        )


@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (5,), (300, 401)])
def test_tensors_of_every_size_come_back_and_can_be_written(shape):
    class Full(Numbers):
        def __getitem__(self, index):
            return rl.full(shape, float(index)), np.full(shape, index, np.int32), {"k": index}

    for index, (tensor, array, rest) in enumerate(load(Full(3), batch_size=None)):
        assert tensor.shape == array.shape == shape
        assert rest == {"k": index}
        tensor += 1
        array += 1
        assert bool((tensor == index + 1).all())
        assert bool((array == index + 1).all())
        tensor.numpy()[...] = 9
        assert bool((tensor == 9).all())


def test_collated_batches_come_back():
    x = rl.arange(40).view(10, 4) * 2
    dataset = data.TensorDataset(x, rl.arange(10).to(rl.float32))
    alone = [[t.tolist() for t in batch] for batch in load(dataset, 0, batch_size=4)]
    assert [[t.tolist() for t in batch] for batch in load(dataset, 2, batch_size=4)] == alone
    leaf = rl.ones(3, requires_grad=True)
    (batch,) = load([leaf], 1, batch_size=None)
    assert batch.requires_grad
    assert batch.is_leaf


def test_what_cannot_come_back_says_so():
    with pytest.raises(Exception, match=r"pickle.*in DataLoader worker process 0|lambda"):
        values(load(Numbers(), 1, collate_fn=lambda batch: lambda: batch))
    weight = rl.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"(?s)in DataLoader worker process 0.*detach"):
        values(load(Numbers(), 1, collate_fn=lambda batch: weight * 2))


class Unreadable:
    def __reduce__(self):
        return _refuse, ()


def _refuse():
    raise ValueError("cannot be read")


def test_a_batch_that_cannot_be_read_is_one_lost_batch():
    class Mixed(Numbers):
        def __getitem__(self, index):
            return Unreadable() if 0 < index < 6 else index

    iterator = iter(load(Mixed(8), 2, batch_size=None))
    assert next(iterator) == 0
    for _ in range(5):
        with pytest.raises(ValueError, match="cannot be read"):
            next(iterator)
    assert list(iterator) == [6, 7]


def test_indices_that_cannot_be_sent_are_one_lost_batch():
    iterator = iter(load(Numbers(), 1, sampler=[0, 1, lambda: 2, 3, 4], batch_size=None))
    with pytest.raises(Exception, match=r"pickle|lambda"):
        next(iterator)
    assert list(iterator) == [1, 3, 4]


def test_indices_that_cannot_be_read_end_the_worker():
    with pytest.raises(RuntimeError, match="exited unexpectedly with exit code 1"):
        next(iter(load(Numbers(), 1, sampler=[Unreadable()])))


# Streams --------------------------------------------------------------------------------------


@pytest.mark.parametrize("lengths", [(2, 5, 0), (0, 0, 0), (0, 9, 1)])
@pytest.mark.parametrize(
    "options", [{"batch_size": 2}, {"batch_size": None}], ids=without_addresses
)
def test_streams_that_end_at_different_times(lengths, options):
    def flat(batches):
        return sorted(
            i for batch in batches for i in (batch if isinstance(batch, list) else [batch])
        )

    expected = [100 * worker + i for worker, n in enumerate(lengths) for i in range(n)]
    loader = load(Count(lengths), 3, **options)
    first = values(loader)
    assert flat(first) == expected
    assert values(loader) == first


def test_streams_out_of_order():
    numbers = values(load(Count((2, 5, 0)), 3, in_order=False, batch_size=None))
    assert sorted(numbers) == [0, 1, 100, 101, 102, 103, 104]


def test_streams_alternate():
    assert values(load(Count((2, 5)), batch_size=2)) == [[0, 1], [100, 101], [102, 103], [104]]
    loader = load(Count((3, 5)), batch_size=2, drop_last=True)
    assert values(loader) == [[0, 1], [100, 101], [102, 103]]


def test_a_stream_that_every_worker_reads_whole():
    class Whole(data.IterableDataset):
        def __iter__(self):
            return iter(range(3))

        def __len__(self):
            return 3

    loader = load(Whole(), batch_size=None)
    assert len(loader) == 3
    with pytest.warns(UserWarning, match="reported to be 3.* but [456] samples.*get_worker_info"):
        assert sorted(values(loader)) == [0, 0, 1, 1, 2, 2]


# Persistent workers ---------------------------------------------------------------------------


class Where(Numbers):
    def __getitem__(self, index):
        return index, os.getpid()


def test_workers_start_anew_unless_they_persist():
    loader = load(Where(), 2, batch_size=None)
    assert not {pid for _, pid in loader} & {pid for _, pid in loader}
    loader = load(Where(), 2, batch_size=None, persistent_workers=True)
    first, second = ({pid for _, pid in loader} for _ in range(2))
    assert first == second == set(pids(loader._iterator))
    assert all(map(running, first))
    del loader
    assert all_end(first)


def test_persistent_workers_after_a_loop_that_was_left():
    loader = load(Slow(10), 2, batch_size=2, persistent_workers=True)
    for batch in loader:
        assert batch.tolist() == [0, 1]
        break
    assert values(loader) == values(load(Slow(10), 0, batch_size=2))


def test_persistent_streams_start_again():
    loader = load(Count((2, 5)), batch_size=2, persistent_workers=True)
    assert values(loader) == values(loader) == values(load(Count((2, 5)), batch_size=2))


def test_a_persistent_loader_recovers_from_a_death():
    loader = load(Numbers(), 2, persistent_workers=True)
    iterator = iter(loader)
    os.kill(pids(iterator)[0], signal.SIGKILL)
    with pytest.raises(RuntimeError, match="killed by signal"):
        list(iterator)
    assert values(loader) == [[i] for i in range(10)]


# Random numbers -------------------------------------------------------------------------------


def draws(workers, passes=1, seed=3, **options):
    loader = load(
        Draws(8), workers, batch_size=None, generator=rl.Generator().manual_seed(seed), **options
    )
    return [list(loader) for _ in range(passes)]


def test_workers_are_seeded_by_the_generator():
    (samples,) = draws(2)
    assert [samples] == draws(2)
    assert [samples] != draws(2, seed=4)
    seeds = [sample[0] for sample in samples]
    assert seeds == [seeds[0] + i % 2 for i in range(8)]
    for column in (1, 2, 3):  # different in every worker and sample
        assert len({sample[column] for sample in samples}) == 8
    assert not {sample[1] for sample in samples} & {sample[2] for sample in samples}


def test_persistent_workers_draw_what_new_ones_would():
    assert draws(2, passes=3) == draws(2, passes=3, persistent_workers=True)


def test_worker_init_fn_runs_once_in_each_worker_after_seeding(tmp_path):
    def init(worker):
        info = data.get_worker_info()
        assert (info.id, info.num_workers) == (worker, 2)
        assert rl.initial_seed() == info.seed
        info.dataset.size = 100 + worker
        with open(tmp_path / str(worker), "a") as file:
            file.write("x")

    class Sizes(Numbers):
        def __getitem__(self, index):
            assert data.get_worker_info().dataset is self
            return self.size

    dataset = Sizes(4)
    loader = load(dataset, 2, batch_size=None, worker_init_fn=init, persistent_workers=True)
    assert list(loader) == list(loader) == [100, 101, 100, 101]
    assert dataset.size == 4
    assert [(tmp_path / str(i)).read_text() for i in range(2)] == ["x", "x"]


# Starting -------------------------------------------------------------------------------------


def _add_a_hundred(worker):
    data.get_worker_info().dataset.size += 100


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_other_ways_to_start(method):
    dataset = data.TensorDataset(rl.arange(6).view(3, 2))
    loader = load(dataset, 1, batch_size=2, multiprocessing_context=method, persistent_workers=True)
    for _ in range(2):
        assert [batch[0].tolist() for batch in loader] == [[[0, 1], [2, 3]], [[4, 5]]]
    iterator = loader._iterator
    processes = pids(iterator)
    del loader, iterator
    assert all_end(processes)


def test_what_cannot_be_started_leaves_nothing():
    before = children()
    with pytest.raises(Exception, match=r"pickle|lambda"):
        iter(load(Numbers(), 2, multiprocessing_context="spawn", collate_fn=lambda batch: batch))
    assert children() == before


def test_pending_work_of_the_dataset_is_done_before_workers_start():
    x = rl.arange(6).to(rl.float32) * 2 + 1
    dataset = data.TensorDataset(x)
    iterator = iter(load(dataset, 1, batch_size=3, multiprocessing_context="fork"))
    assert x.node.buffer is not None
    assert [batch[0].tolist() for batch in iterator] == [[1, 3, 5], [7, 9, 11]]
