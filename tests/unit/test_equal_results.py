"""Comparing two computations for equality."""

import rushlight as rl
from rushlight.execute import tier


def test_equal_looks_at_both_sides_in_one_tier():
    """The same graph twice: the first time by references, then compiled, it would differ."""
    rl.manual_seed(0)
    a, b = rl.randn(40, 700), rl.randn(700, 30)
    rl.realize(a, b)

    def compute():
        return rl.softmax((a @ b).tanh(), dim=-1).sum(0)

    with tier.only("auto"):
        assert rl.equal(compute(), compute())
