"""Collectives beside PyTorch's with gloo: which rank has what, in place, and what is refused."""

import json

import pytest
from ranks import run

PROGRAM = "program_collectives.py"


@pytest.fixture(scope="module", params=[2, pytest.param(3, marks=pytest.mark.slow)])
def both(request, tmp_path_factory):
    """What the ranks of PyTorch wrote, and what ours did."""
    found = []
    for framework, by in (("torch", "variables"), ("rushlight", "mpiexec")):
        folder = tmp_path_factory.mktemp(framework)
        ended = run(PROGRAM, framework, ranks=request.param, by=by, folder=folder)
        assert ended.status == 0, ended.output
        found.append([json.loads(text) for text in ended.told])
    return found


def test_every_rank_has_what_pytorchs_has(both):
    for rank, (theirs, ours) in enumerate(zip(*both, strict=True)):
        assert theirs.keys() == ours.keys()
        different = [name for name in theirs if theirs[name] != ours[name]]
        assert not different, (rank, {name: (theirs[name], ours[name]) for name in different})


@pytest.mark.slow
def test_ranks_meet_by_variables_as_they_do_by_mpiexec(both, tmp_path):
    ranks = len(both[1])
    ended = run(PROGRAM, "rushlight", ranks=ranks, by="variables", folder=tmp_path)
    assert ended.status == 0, ended.output
    assert [json.loads(text) for text in ended.told] == both[1]
