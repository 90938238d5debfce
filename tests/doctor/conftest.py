"""What the doctor's tests share: both tiers, and a doctor that has told nothing yet."""

from __future__ import annotations

import pytest

import rushlight as rl
from rushlight.execute import tier
from rushlight.execute.realize import programs

pytest.register_assert_rewrite("said")


@pytest.fixture(autouse=True, params=["reference", "compiled"])
def in_tier(request):
    programs._kept.clear()  # some mistakes are looked for where a graph is new
    with tier.only(request.param), rl.doctor("warn"):
        yield request.param
