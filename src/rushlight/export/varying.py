"""Varying: a whole number that depends on the sizes of dynamic dimensions."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import prod

from rushlight.base.errors import ShapeError

Sizes = Mapping[str, int]
Monomial = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Varying:
    """A sum of products of sizes, such as ``6*batch + 1`` or ``batch*time``.

    Attributes:
        terms: names of the sizes that are multiplied, and by which factor; no names for a constant.
    """

    terms: tuple[tuple[Monomial, Fraction], ...]

    def at(self, sizes: Sizes) -> int:
        """The number for some sizes.

        Raises:
            ShapeError: it is no whole number for these.
        """
        number = sum(
            (factor * prod(sizes[name] for name in names) for names, factor in self.terms),
            Fraction(0),
        )
        if number.denominator != 1:
            raise ShapeError("export", f"{self} is no whole number for {dict(sizes)}")
        return int(number)

    @property
    def symbol(self) -> str | None:
        """The name of the one size that this is, or None."""
        if len(self.terms) == 1 and len(self.terms[0][0]) == 1 and self.terms[0][1] == 1:
            return self.terms[0][0][0]
        return None

    def __str__(self) -> str:
        return " + ".join(_term(*term) for term in self.terms)


def _term(names: Monomial, factor: Fraction) -> str:
    if not names:
        return str(factor)
    return "*".join(names if factor == 1 else (str(factor), *names))


class Fit:
    """Finds how a number depends on sizes from its values at some of them.

    Args:
        names: of the sizes.
        points: sizes at which the number is known: first the corners, one for each subset of the
            names, then others, at which what was found is checked.
    """

    def __init__(self, names: Sequence[str], points: Sequence[Sizes]) -> None:
        self.names = tuple(names)
        self.points = list(points)
        self._monomials: list[Monomial] = [
            chosen
            for count in range(len(self.names) + 1)
            for chosen in itertools.combinations(self.names, count)
        ]
        corners = self.points[: len(self._monomials)]
        self._inverse = _inverted(
            [
                [Fraction(prod(sizes[name] for name in chosen)) for chosen in self._monomials]
                for sizes in corners
            ]
        )

    def __call__(self, values: Sequence[int]) -> int | Varying | None:
        """The number as a constant or as a formula; None if no such formula gives all values."""
        if len(set(values)) == 1:
            return values[0]
        count = len(self._monomials)
        terms = []
        for names, row in zip(self._monomials, self._inverse, strict=True):
            factor = sum((a * b for a, b in zip(row, values[:count], strict=True)), Fraction(0))
            if factor:
                terms.append((names, factor))
        terms.sort(key=lambda term: (-len(term[0]), term[0]))
        found = Varying(tuple(terms))
        try:
            right = all(found.at(p) == v for p, v in zip(self.points, values, strict=True))
        except ShapeError:
            return None
        return found if right else None


def _inverted(matrix: list[list[Fraction]]) -> list[list[Fraction]]:
    """The inverse of a square matrix, exactly (Gauss and Jordan)."""
    n = len(matrix)
    rows = [[*row, *(Fraction(int(i == j)) for j in range(n))] for i, row in enumerate(matrix)]
    for k in range(n):
        pivot = next(i for i in range(k, n) if rows[i][k])
        rows[k], rows[pivot] = rows[pivot], rows[k]
        rows[k] = [x / rows[k][k] for x in rows[k]]
        for i in range(n):
            if i != k and rows[i][k]:
                rows[i] = [x - rows[i][k] * y for x, y in zip(rows[i], rows[k], strict=True)]
    return [row[n:] for row in rows]
