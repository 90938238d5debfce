"""What of several processes can be seen in one: stores, the sampler, reductions, processes."""

import multiprocessing

import numpy as np
import pytest
import torch
import torch.multiprocessing
from torch.utils.data import DistributedSampler as Theirs

import rushlight as rl
import rushlight.multiprocessing as mp
from rushlight import distributed as dist
from rushlight.base.dtypes import bfloat16, float32
from rushlight.base.half import narrow
from rushlight.distributed.reduce_op import ReduceOp, reduced
from rushlight.utils.data import DistributedSampler


@pytest.fixture(params=["hash", "file", "tcp", "prefix"])
def store(request, tmp_path):
    made = {
        "hash": lambda: dist.HashStore(),
        "file": lambda: dist.FileStore(str(tmp_path / "kept"), 1),
        "tcp": lambda: dist.TCPStore("127.0.0.1", 0, 1, True),
        "prefix": lambda: dist.PrefixStore("mine", dist.HashStore()),
    }
    return made[request.param]()


def test_stores(store):
    from datetime import timedelta

    store.set("a", "one")
    store.set("b", b"\x00\xff")
    assert store.get("a") == b"one" and store.get("b") == b"\x00\xff"
    assert store.add("n", 2) == 2 and store.add("n", -5) == -3
    assert store.check(["a", "b"]) and not store.check(["a", "nothing"])
    store.append("a", "+")
    assert store.get("a") == b"one+"
    assert store.compare_set("a", "other", "new") == b"one+"
    assert store.compare_set("a", "one+", "new") == b"new"
    assert store.delete_key("a") and not store.delete_key("a")
    store.multi_set(["x", "y"], ["1", "2"])
    assert store.multi_get(["x", "y"]) == [b"1", b"2"]
    store.wait(["x", "y"])
    with pytest.raises(RuntimeError, match="timeout"):
        store.wait(["nothing"], timedelta(milliseconds=30))
    store.set_timeout(timedelta(milliseconds=30))
    with pytest.raises(RuntimeError, match="timeout"):
        store.get("nothing")


@pytest.mark.parametrize("count", [0, 1, 5, 8, 9])
@pytest.mark.parametrize("drop_last", [False, True])
def test_the_sampler_divides_as_pytorchs(count, drop_last):
    data = range(count)
    for world in (1, 2, 3):
        for rank in range(world):
            options = {"num_replicas": world, "rank": rank, "drop_last": drop_last}
            if count == 0:
                assert list(DistributedSampler(data, shuffle=False, **options)) == []
                continue
            theirs = Theirs(data, shuffle=False, **options)
            ours = DistributedSampler(data, shuffle=False, **options)
            assert list(ours) == list(theirs) and len(ours) == len(theirs)


def test_a_shuffled_sampler():
    parts = [DistributedSampler(range(10), 2, rank, seed=5) for rank in (0, 1)]
    first = [list(part) for part in parts]
    assert sorted(first[0] + first[1]) == list(range(10))
    assert first == [list(part) for part in parts]
    for part in parts:
        part.set_epoch(1)
    second = [list(part) for part in parts]
    assert first != second and sorted(second[0] + second[1]) == list(range(10))
    with pytest.raises(ValueError, match="Invalid rank"):
        DistributedSampler(range(3), 2, 2)
    with pytest.raises(ValueError, match="init_process_group"):
        DistributedSampler(range(3))


def test_sums_are_made_in_the_order_of_the_ranks():
    parts = [np.array([value], np.float32) for value in (1e8, 1.0, -1e8)]
    assert reduced(ReduceOp.SUM, parts, float32) == 0
    assert reduced(ReduceOp.SUM, parts[::2] + parts[1:2], float32) == 1
    halves = [narrow(np.array([value], np.float32), bfloat16) for value in (256.0, 1.0, 1.0)]
    assert rl.tensor(258.0, dtype=rl.bfloat16) == 258
    assert reduced(ReduceOp.SUM, halves, bfloat16) == narrow(np.array([258.0]), bfloat16)
    whole = [np.array([value], np.int64) for value in (-3, -4)]
    assert reduced(ReduceOp.AVG, whole, rl.int64) == -3


def test_what_is_refused_before_there_is_a_group():
    with pytest.raises(RuntimeError, match=r"doesn't have NCCL built in.*gloo"):
        dist.init_process_group("nccl", rank=0, world_size=1)
    with pytest.raises(AssertionError, match="Unknown backend type foo"):
        dist.init_process_group("foo", rank=0, world_size=1)
    with pytest.raises(ValueError, match="please make sure to call init_process_group"):
        dist.all_reduce(rl.ones(1))
    with pytest.raises(ValueError, match="not one of the 2 ranks"):
        dist.init_process_group(init_method="tcp://127.0.0.1:1", rank=2, world_size=2)
    with pytest.raises(ValueError, match="port number missing"):
        dist.init_process_group(init_method="tcp://127.0.0.1", rank=0, world_size=2)
    assert not dist.is_initialized() and not dist.is_nccl_available()


def test_a_variable_that_is_missing(monkeypatch):
    for name in ("RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ValueError, match="environment variable RANK expected, but not set"):
        dist.init_process_group("gloo")


def test_names_of_multiprocessing():
    public = [name for name in dir(torch.multiprocessing) if not name.startswith("_")]
    ours = set(dir(mp))
    absent = {name for name in public if name not in ours}
    assert absent <= {
        "torch", "sys", "multiprocessing", "init_reductions", "reductions", "Array",
        "ENV_VAR_PARALLEL_START",
    }  # fmt: skip
    assert mp.Process is multiprocessing.Process


def test_strategies():
    from rushlight.train.ranks import chosen
    from rushlight.train.strategies import DDPStrategy, SingleDeviceStrategy

    ranks = chosen("auto", 1, DDPStrategy(find_unused_parameters=True), 1)
    assert (ranks.rank, ranks.size, ranks._unused) == (0, 1, True)
    assert chosen("cpu", "auto", "ddp_find_unused_parameters_true", 1)._unused
    assert not chosen("cpu", [0], "ddp", 1)._unused
    assert chosen("cpu", "1", SingleDeviceStrategy(), 1).size == 1
    with pytest.raises(ValueError, match="nccl"):
        DDPStrategy(process_group_backend="nccl")


def _exit(index, status):
    raise SystemExit(status if index else 0)


def _fail(index):
    raise KeyError("missing")


def _put(index, found):
    found.put((index, rl.arange(3.0) * index))


@pytest.mark.slow
def test_processes_that_end_badly():
    with pytest.raises(mp.ProcessExitedException, match="process 1 terminated with exit code 3"):
        mp.spawn(_exit, args=(3,), nprocs=2)
    with pytest.raises(mp.ProcessRaisedException, match="KeyError: 'missing'"):
        mp.spawn(_fail, nprocs=1)


@pytest.mark.slow
def test_tensors_go_through_queues():
    found = mp.get_context("spawn").SimpleQueue()
    mp.spawn(_put, args=(found,), nprocs=2)
    assert sorted(found.get()[1].tolist() for _ in range(2)) == [[0, 0, 0], [0, 1, 2]]
