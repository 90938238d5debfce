"""DataLoader with processes: the memory that batches come in."""

from __future__ import annotations

import gc
import os

import numpy as np
import pytest
from data_processes import Numbers, load

import rushlight as rl
from rushlight.utils import data
from rushlight.utils.data.slots import MOST, POSSIBLE, Read, Written

pytestmark = [
    pytest.mark.skipif(not POSSIBLE, reason="no files in memory here"),
    pytest.mark.filterwarnings("ignore:This DataLoader will create"),
]


class Large(Numbers):
    """Samples of different sizes, told apart by their content."""

    def __getitem__(self, index):
        return rl.full((20_000 + 7_001 * (index % 5),), float(index)), np.full(70_000, index)


def right(index, sample):
    tensor, array = sample
    return bool((tensor == index).all()) and bool((array == index).all())


def slots(iterator):
    return [len(member.slots._slots) for member in iterator._crew.members]


def test_slots_are_used_again_when_batches_are_dropped():
    iterator = iter(load(Large(200), 2, batch_size=None, prefetch_factor=2))
    for index, sample in enumerate(iterator):
        assert right(index, sample)
        assert max(slots(iterator)) <= 6


def test_batches_that_are_kept_stay_as_they_were():
    samples = list(load(Large(60), 2, batch_size=None))
    assert all(right(index, sample) for index, sample in enumerate(samples))
    views = [sample[0][5:9] for sample in samples]  # a part holds the whole
    del samples
    gc.collect()
    assert [view.tolist() for view in views] == [[float(i)] * 4 for i in range(60)]


def test_what_comes_in_a_slot_may_be_written():
    kept = []
    for index, (tensor, array) in enumerate(load(Large(40), 2, batch_size=None)):
        tensor += 1
        array += 1
        kept.append((tensor, array, index))
    assert all(right(index + 1, (tensor, array)) for tensor, array, index in kept)


def test_few_files_are_open_and_memory_outlives_the_workers():
    before = len(os.listdir("/proc/self/fd"))
    samples = list(load(Large(100), 2, batch_size=None))
    assert len(os.listdir("/proc/self/fd")) <= before + 2 * MOST
    assert right(3, samples[3])
    assert right(99, samples[99])
    del samples
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) <= before


def test_a_worker_that_is_killed_leaves_what_it_wrote():
    iterator = iter(load(Large(30), 1, batch_size=None))
    first = next(iterator)
    iterator._crew.members[0].process.kill()
    with pytest.raises(RuntimeError, match=r"killed by signal.*It was loading sample \d+"):
        list(iterator)
    assert right(0, first)


def test_parts_keep_their_sizes_and_places():
    written, read = Written(), Read()
    parts = [np.arange(n, dtype=np.uint8) for n in (1, 64, 65, 1000)]
    seen = set()
    for _ in range(3):
        slot, file = written.write([memoryview(part) for part in parts])
        if file is not None:
            read.add(slot, file)
        seen.add(slot)
        got = read.parts(slot, [part.nbytes for part in parts])
        assert [bytes(g) for g in got] == [part.tobytes() for part in parts]
        del got
        gc.collect()
        left = read.left()
        assert left == [slot]
        written.give_back(left)
    assert seen == {0}


def test_tensor_datasets_in_processes():
    x = rl.randn(100, 3000)
    loader = load(data.TensorDataset(x), 2, batch_size=25, multiprocessing_context="fork")
    assert rl.equal(rl.cat([batch for (batch,) in loader]), x)
