"""DataLoader: a pass that goes on in another process from where it was left."""

from __future__ import annotations

import copy
import random

import numpy as np
import pytest
from data_processes import Numbers, load, values
from naming import without_addresses

import rushlight as rl
from rushlight.utils import data

pytestmark = pytest.mark.filterwarnings("ignore:This DataLoader will create")


class Drawn(Numbers):
    def __getitem__(self, index):
        return [index, random.random(), np.random.rand(), rl.rand(()).item()]


class PythonsOrder(data.Sampler):
    def __init__(self, size):
        self.size = size

    def __iter__(self):
        order = [*np.random.permutation(self.size).tolist(), *range(3)]
        random.shuffle(order)
        return iter(order)


OPTIONS = [
    {"shuffle": True},
    {"shuffle": True, "drop_last": True},
    {"sampler": data.RandomSampler(range(14), replacement=True, num_samples=20)},
    {"sampler": data.WeightedRandomSampler([1.0] * 14, 14, replacement=False)},
    {"sampler": PythonsOrder(14)},
    {"batch_sampler": data.BatchSampler(PythonsOrder(14), 3, False), "batch_size": 1},
    {"batch_size": None},
]


def training(loader, passes, *, state=None, stop=None):
    """What a program sees that draws between batches; the state after ``stop`` batches."""
    seen = []
    for _ in range(passes):
        for batch in loader:
            seen.append((repr(batch), rl.rand(()).item(), random.random(), np.random.rand()))
            if len(seen) == stop:
                return seen, copy.deepcopy(loader.state_dict()), states()
    return seen


def states():
    return rl.get_rng_state(), random.getstate(), np.random.get_state()


def set_states(kept):
    rl.set_rng_state(kept[0])
    random.setstate(kept[1])
    np.random.set_state(kept[2])


def seed():
    rl.manual_seed(1)
    random.seed(2)
    np.random.seed(3)


@pytest.mark.parametrize("own", [False, True], ids=["default generator", "own generator"])
@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("options", OPTIONS, ids=without_addresses)
def test_a_run_goes_on_with_the_same_bits(options, workers, own):
    def loader():
        generator = rl.Generator().manual_seed(9) if own else None
        return load(Drawn(14), workers, generator=generator, **{"batch_size": 3, **options})

    seed()
    whole = training(loader(), 2)
    length = len(whole) // 2
    for stop in (1, length - 1, length, length + 2):
        seed()
        seen, state, kept = training(loader(), 2, stop=stop)
        seed()
        resumed = loader()
        resumed.load_state_dict(state)
        set_states(kept)
        rest = training(resumed, 2 if stop <= length else 1)
        assert seen + rest[: len(whole) - stop] == whole, stop


def test_between_passes_the_next_one_begins_where_it_would_have():
    def loader():
        return load(Numbers(9), 0, shuffle=True, generator=rl.Generator().manual_seed(4))

    whole = loader()
    first, second = values(whole), values(whole)
    left = loader()
    assert values(left) == first
    state = left.state_dict()
    assert state["returned"] == 0
    resumed = loader()
    resumed.load_state_dict(state)
    assert values(resumed) == second != first


def test_a_loader_that_was_told_says_the_same_until_it_begins():
    loader = load(Numbers(9), 0, shuffle=True)
    batches = iter(loader)
    next(batches)
    state = loader.state_dict()
    again = load(Numbers(9), 0, shuffle=True)
    again.load_state_dict(state)
    assert again.state_dict()["returned"] == state["returned"] == 1
    rest = values(again)
    assert rest == values(batches)
    assert len(values(again)) == 9  # only the next loop goes on


class Count(data.IterableDataset):
    def __iter__(self):
        info = data.get_worker_info()
        return iter(range(info.id if info else 0, 10, info.num_workers if info else 1))


class Counter(data.IterableDataset):
    """A stream that knows where it is."""

    def __init__(self):
        self.place = 0

    def __iter__(self):
        while self.place < 10:
            self.place += 1
            yield self.place

    def state_dict(self):
        return {"place": self.place}

    def load_state_dict(self, state):
        self.place = state["place"]


@pytest.mark.parametrize("workers", [0, 2])
def test_a_stream_is_read_again_to_where_it_was(workers):
    whole = values(load(Count(), workers, batch_size=2))
    loader = load(Count(), workers, batch_size=2)
    batches = iter(loader)
    assert [next(batches).tolist() for _ in range(2)] == whole[:2]
    resumed = load(Count(), workers, batch_size=2)
    resumed.load_state_dict(loader.state_dict())
    assert values(resumed) == whole[2:]


def test_a_stream_that_has_a_state_is_told_it():
    loader = load(Counter(), 0, batch_size=2)
    batches = iter(loader)
    assert [next(batches).tolist() for _ in range(2)] == [[1, 2], [3, 4]]
    resumed = load(Counter(), 0, batch_size=2)
    resumed.load_state_dict(loader.state_dict())
    assert values(resumed) == [[5, 6], [7, 8], [9, 10]]


def test_what_is_no_state_is_refused():
    with pytest.raises(KeyError, match="own"):
        load(Numbers(), 0).load_state_dict({})


def test_persistent_workers_go_on_as_well():
    options = {"shuffle": True, "persistent_workers": True, "batch_size": 2}
    loader = load(Numbers(9), 2, generator=rl.Generator().manual_seed(4), **options)
    whole = values(loader)
    batches = iter(loader)
    seen = [next(batches).tolist() for _ in range(2)]
    loader.load_state_dict(loader.state_dict())
    rest = values(loader)
    assert len(seen + rest) == len(whole)
    assert sorted(i for batch in seen + rest for i in batch) == list(range(9))
