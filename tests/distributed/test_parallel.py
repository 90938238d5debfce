"""What several ranks train is what one process trains with all their data."""

import json

import pytest
from ranks import run

import rushlight as rl
from rushlight import nn

PROGRAM = "program_parallel.py"


@pytest.fixture(scope="module", params=[2, pytest.param(3, marks=pytest.mark.slow)])
def told(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("parallel")
    ended = run(PROGRAM, ranks=request.param, folder=folder)
    assert ended.status == 0, ended.output
    return [json.loads(text) for text in ended.told]


def test_gradients_are_those_of_one_process(told):
    assert all(one["buckets"] == 6 for one in told)
    assert all(one["gradients"] < 1e-6 for one in told)
    assert all(one["bits"] == told[0]["bits"] for one in told)


@pytest.mark.parametrize("name", ["plain", "norm"])
def test_steps_are_those_of_one_process(told, name):
    assert all(one[f"{name} weights"] < 2e-6 for one in told)
    assert all(one[f"{name} bits"] == told[0][f"{name} bits"] for one in told)


def test_gradients_wait_within_no_sync(told):
    assert all(one["no_sync keeps"] == 0 for one in told)
    assert all(one["no_sync then averages"] < 1e-6 for one in told)


def test_parameters_that_are_not_used(told):
    world = len(told)
    for one in told:
        assert one["a"] == [pytest.approx([1 / world] * 2)]
        assert one["b"] == [pytest.approx([(world - 1) / world] * 2)]
        assert one["c"] is True
        assert "Expected to have finished reduction in the prior iteration" in one["unused"]
        assert "b.weight, b.bias, c.weight, c.bias" in one["unused"]


def test_buffers_are_the_first_ranks_and_hooks_see_the_own_gradient(told):
    world = len(told)
    for rank, one in enumerate(told):
        assert one["buffer"] == [0.0] * 3
        assert one["hook"] == [[[rank + 1.0] * 2]]
        assert one["average"] == [pytest.approx([(world + 1) / 2] * 2)]


def test_optimizer_state_is_divided(told):
    assert all(one["zero weights"] < 2e-6 for one in told)
    assert all(one["zero bits"] == told[0]["zero bits"] for one in told)
    assert sum(one["zero share"] for one in told) == 6
    assert told[0]["zero state"] < 1e-7


def test_ranks_divide_the_processors(told):
    assert all(one["threads"] == 1 for one in told)


@pytest.mark.slow
def test_two_runs_have_the_same_bits(told, tmp_path):
    again = run(PROGRAM, ranks=len(told), folder=tmp_path, by="variables")
    assert again.status == 0, again.output
    assert [json.loads(text) for text in again.told] == told


def test_layers_alone():
    """Without a process group a synchronized norm is the plain one, and DDP says what it lacks."""
    x = rl.randn(4, 3, 5)
    plain, sync = nn.BatchNorm1d(3), nn.SyncBatchNorm(3)
    assert rl.equal(plain(x), sync(x)) and rl.equal(plain.running_var, sync.running_var)
    with pytest.raises(ValueError, match="init_process_group"):
        nn.parallel.DistributedDataParallel(nn.Linear(2, 2))
