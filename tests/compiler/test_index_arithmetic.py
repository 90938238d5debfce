"""Index arithmetic against Python's integers."""

from __future__ import annotations

import random

import pytest

from rushlight.compiler.index import Axis, Index, Quotient


def value(index, at):
    """What an index is for values of its axes."""
    total = index.constant
    for atom, factor in index.terms:
        if isinstance(atom, Axis):
            total += at[atom] * factor
            continue
        assert atom.whole.limits[0] >= 0, f"{atom} divides what may be negative"
        whole = value(atom.whole, at)
        total += (whole // atom.by if isinstance(atom, Quotient) else whole % atom.by) * factor
    return total


def applied(choose, name, x, y):
    """One random operation on indices and on the numbers that they are."""
    (i, a), (j, b), n = x, y, choose.randint(1, 9)
    results = {
        "add": lambda: (i + j, a + b),
        "subtract": lambda: (i - j, a - b),
        "multiply": lambda: (i * (n - 5), a * (n - 5)),
        "divide": lambda: (i // n, a // n),
        "remainder": lambda: (i % n, a % n),
        "move": lambda: (i + n - 5, a + n - 5),
    }
    return results[name]()


@pytest.mark.parametrize("seed", range(20))
def test_arithmetic_and_limits(seed):
    choose = random.Random(seed)
    names = ("add", "subtract", "multiply", "divide", "remainder", "move")
    for _ in range(50):
        axes = [Axis(choose.randint(1, 7)) for _ in range(3)]
        at = {axis: choose.randrange(axis.extent) for axis in axes}
        known = [(Index.of(axis), at[axis]) for axis in axes]
        for _ in range(8):
            x, y = choose.choice(known), choose.choice(known)
            known.append(applied(choose, choose.choice(names), x, y))
        for index, number in known:
            low, high = index.limits
            assert value(index, at) == number
            assert low <= number <= high


def test_what_reshapes_bring_disappears():
    i, j = Axis(5), Axis(4)
    x = Index.of(i) * 4 + j
    assert x // 4 == Index.of(i) and x % 4 == Index.of(j)
    assert (x + 0) // 2 * 2 + x % 2 == x
    assert x // 3 * 3 + x % 3 == x
    assert (x // 3) // 4 == x // 12
    assert (Index.of(j) - 4) // 4 == Index((), -1)


def test_a_product_and_what_stays_below_its_factor():
    m, n = Axis(144), Axis(16)
    place = Index.of(m) * 16 + n
    assert place // 192 == Index.of(m) // 12
    assert place % 192 == Index.of(m) % 12 * 16 + n
    assert place // 192 * 192 + place // 16 % 12 * 16 + place % 16 == place
