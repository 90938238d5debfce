"""DataLoader: what is drawn at random is a function of the pass and the sample."""

from __future__ import annotations

import random

import numpy as np
import pytest
from data_processes import Numbers, load
from naming import without_addresses

import rushlight as rl
from rushlight.utils import data

pytestmark = pytest.mark.filterwarnings("ignore:This DataLoader will create")


class Drawn(Numbers):
    """A sample is all that can be drawn for it."""

    def __getitem__(self, index):
        drawn = [random.random(), random.random(), np.random.rand(), np.random.randn()]
        return [index, *drawn, *rl.rand(2).tolist(), rl.randn(()).item()]


class DrawnTogether(Drawn):
    def __getitems__(self, indices):
        return [self[index] for index in indices]


def _noisy(samples):
    return data.default_collate(samples), random.random(), np.random.rand(), rl.rand(3).tolist()


@pytest.mark.parametrize("collate_fn", [None, _noisy])
@pytest.mark.parametrize(
    "dataset",
    [
        Drawn(11),
        DrawnTogether(11),
        data.Subset(Drawn(30), [3 * i for i in range(11)]),
        data.Subset(DrawnTogether(30), [3 * i for i in range(11)]),
        data.StackDataset(Drawn(11), DrawnTogether(11)),
    ],
    ids=without_addresses,
)
def test_the_same_bits_whatever_the_number_of_workers(dataset, collate_fn):
    def passes(workers):
        random.seed(workers)  # which must not matter
        np.random.seed(workers)
        loader = load(
            dataset, workers, batch_size=3, shuffle=True, collate_fn=collate_fn,
            generator=rl.Generator().manual_seed(3),
        )  # fmt: skip
        return [repr(list(loader)) for _ in range(2)]

    first, second = passes(0)
    assert first != second
    for workers in (1, 2, 3):
        assert passes(workers) == [first, second]


def test_loading_leaves_the_generators_of_the_program_alone():
    random.seed(5)
    np.random.seed(5)
    rl.manual_seed(5)
    np.random.randn()  # of two that were made, one is left
    expected = random.getstate(), repr(np.random.get_state()), rl.get_rng_state().tolist()
    values = list(load(Drawn(5), 0, batch_size=2, generator=rl.Generator()))
    assert len(values) == 3
    assert expected == (random.getstate(), repr(np.random.get_state()), rl.get_rng_state().tolist())


def test_every_sample_draws_something_else():
    batch = next(iter(load(Drawn(200), 0, batch_size=200)))
    for column in batch[1:]:
        assert len(set(column.tolist())) == 200


def test_seeds_are_those_of_pytorch():
    from torch.utils.data._utils.worker import _generate_state

    from rushlight.utils.data.worker import seed

    for base, worker in [(0, 0), (12345678901234567, 3), (2**63 - 1, 1)]:
        seed(base, worker)
        ours = random.random(), np.random.rand(), rl.initial_seed()
        random.seed(base + worker)
        np.random.seed(_generate_state(base, worker))
        assert ours == (random.random(), np.random.rand(), base + worker)
