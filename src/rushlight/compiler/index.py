"""Index arithmetic: integer expressions over loop axes, kept in a simple form.

An Index is a sum of multiples of atoms and a constant. An atom is a loop Axis, a quotient or
remainder that nothing simplifies, or an integer that is looked up in memory. Ranges are known, so
most quotients and remainders, which reshapes bring, disappear: ``(i * 4 + j) // 4`` is ``i`` when
``j`` runs from 0 to 3, and ``x // 4 * 4 + x % 4`` is ``x``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from math import gcd
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from .expr import Expr

_numbers = count()


class Axis:
    """A loop: an integer from 0 to ``extent - 1``. Two are equal only when identical."""

    __slots__ = ("extent", "name", "order")

    def __init__(self, extent: int, name: str = "i") -> None:
        self.extent = extent
        self.order = next(_numbers)
        self.name = f"{name}{self.order}"

    def __repr__(self) -> str:
        return self.name

    @property
    def limits(self) -> tuple[int, int]:
        """The least and the greatest value."""
        return 0, max(0, self.extent - 1)


@dataclass(frozen=True, slots=True)
class Quotient:
    """``whole // by``, rounded down."""

    whole: Index
    by: int

    @property
    def limits(self) -> tuple[int, int]:
        """The least and the greatest value."""
        low, high = self.whole.limits
        return low // self.by, high // self.by

    def __repr__(self) -> str:
        return f"({self.whole} // {self.by})"


@dataclass(frozen=True, slots=True)
class Remainder:
    """``whole % by``, never negative."""

    whole: Index
    by: int

    @property
    def limits(self) -> tuple[int, int]:
        """The least and the greatest value."""
        return 0, self.by - 1

    def __repr__(self) -> str:
        return f"({self.whole} % {self.by})"


@dataclass(frozen=True, slots=True)
class Looked:
    """An integer from memory, whose range is promised by whoever looks it up."""

    value: Expr
    size: int

    @property
    def limits(self) -> tuple[int, int]:
        """The least and the greatest value."""
        return 0, max(0, self.size - 1)

    def __repr__(self) -> str:
        return f"[{self.value}]"


Atom: TypeAlias = Axis | Quotient | Remainder | Looked
Like: TypeAlias = "Index | Axis | int"


@dataclass(frozen=True, slots=True)
class Index:
    """``sum(factor * atom) + constant``.

    Attributes:
        terms: atoms and their factors, none of which is 0, in a canonical order.
    """

    terms: tuple[tuple[Atom, int], ...] = ()
    constant: int = 0

    @staticmethod
    def of(x: Like) -> Index:
        """An axis or a number as an Index."""
        if isinstance(x, Index):
            return x
        return Index(((x, 1),)) if isinstance(x, Axis) else Index((), int(x))

    @property
    def limits(self) -> tuple[int, int]:
        """The least and the greatest value that it can have."""
        low = high = self.constant
        for atom, factor in self.terms:
            ends = [factor * end for end in atom.limits]
            low, high = low + min(ends), high + max(ends)
        return low, high

    @property
    def is_constant(self) -> bool:
        """Whether it is one number."""
        return not self.terms

    def factor(self, atom: Atom) -> int:
        """How often an atom is in the sum."""
        return next((factor for each, factor in self.terms if each == atom), 0)

    def axes(self) -> Iterator[Axis]:
        """The axes it depends on, those inside of quotients and lookups included."""
        for atom, _ in self.terms:
            yield from axes_of(atom)

    # Arithmetic ------------------------------------------------------------------------------

    def __add__(self, other: Like) -> Index:
        other = Index.of(other)
        if not other.terms:
            return Index(self.terms, self.constant + other.constant) if other.constant else self
        factors = dict(self.terms)
        for atom, factor in other.terms:
            factors[atom] = factors.get(atom, 0) + factor
        return _joined(factors, self.constant + other.constant)

    __radd__ = __add__

    def __neg__(self) -> Index:
        return self * -1

    def __sub__(self, other: Like) -> Index:
        return self + -Index.of(other)

    def __rsub__(self, other: Like) -> Index:
        return Index.of(other) + -self

    def __mul__(self, by: int) -> Index:
        if by == 0:
            return ZERO
        if by == 1:
            return self
        return Index(tuple((atom, factor * by) for atom, factor in self.terms), self.constant * by)

    __rmul__ = __mul__

    def __floordiv__(self, by: int) -> Index:
        return self._divided(by)[0]

    def __mod__(self, by: int) -> Index:
        return self._divided(by)[1]

    def _divided(self, by: int) -> tuple[Index, Index]:
        """Quotient and remainder."""
        if by == 1:
            return self, ZERO
        whole = Index(
            tuple((atom, f // by) for atom, f in self.terms if f % by == 0), self.constant // by
        )
        rest = Index(tuple((atom, f) for atom, f in self.terms if f % by), self.constant % by)
        low, high = rest.limits
        if low // by == high // by:
            return whole + low // by, rest - low // by * by
        if low < 0:  # machines divide numbers that are not negative faster
            whole, rest = whole + low // by, rest - low // by * by
        for common in rest._units(by):  # (8i + j) // 16 is i // 2 for any j below 8
            inner, small = rest._apart(common)
            if small.limits[0] >= 0 and small.limits[1] < common:
                quotient, remainder = inner._divided(by // common)
                return whole + quotient, remainder * common + small
        if len(rest.terms) == 1 and not rest.constant and rest.terms[0][1] == 1:
            atom = rest.terms[0][0]
            if isinstance(atom, Quotient):  # x // 3 // 4 is x // 12
                return whole + atom.whole // (atom.by * by), _index(Remainder(rest, by))
            if isinstance(atom, Remainder) and atom.by % by == 0:
                return whole + _index(Quotient(rest, by)), atom.whole % by
        return whole + _index(Quotient(rest, by)), _index(Remainder(rest, by))

    def _units(self, by: int) -> list[int]:
        """Numbers that divide ``by`` and some factors, the greatest first."""
        return sorted({g for _, f in self.terms if 1 < (g := gcd(by, f)) < by}, reverse=True)

    def _apart(self, unit: int) -> tuple[Index, Index]:
        """What ``unit`` goes into, divided by it, and the rest."""
        inner = tuple((atom, f // unit) for atom, f in self.terms if f % unit == 0)
        small = tuple((atom, f) for atom, f in self.terms if f % unit)
        return Index(inner, self.constant // unit), Index(small, self.constant % unit)

    def replaced(self, new: Mapping[Axis, Index]) -> Index:
        """The same with other things in place of some axes."""
        total = Index((), self.constant)
        for atom, factor in self.terms:
            total = total + _replaced(atom, new) * factor
        return total

    def __repr__(self) -> str:
        parts = [f"{factor}*{atom}" if factor != 1 else f"{atom}" for atom, factor in self.terms]
        if self.constant or not parts:
            parts.append(str(self.constant))
        return " + ".join(parts)


ZERO = Index()


def _index(atom: Atom) -> Index:
    return Index(((atom, 1),))


def axes_of(atom: Atom) -> Iterator[Axis]:
    """The axes that an atom depends on."""
    if isinstance(atom, Axis):
        yield atom
    elif isinstance(atom, Looked):
        yield from atom.value.axes
    else:
        yield from atom.whole.axes()


def _order(term: tuple[Atom, int]) -> tuple[int, str]:
    atom = term[0]
    return (0, f"{atom.order:012}") if isinstance(atom, Axis) else (1, repr(atom))


def _joined(factors: dict[Atom, int], constant: int) -> Index:
    """A sum, where a quotient and the remainder that belongs to it become what was divided."""
    for atom in [atom for atom in factors if isinstance(atom, Remainder)]:
        factor = factors.get(atom, 0)
        if not factor or not isinstance(atom, Remainder):
            continue
        quotient = atom.whole // atom.by * (factor * atom.by)
        if quotient.terms and all(factors.get(each, 0) == f for each, f in quotient.terms):
            rest = {a: f for a, f in factors.items() if f and a != atom}
            for each, _ in quotient.terms:
                del rest[each]
            # What was divided may bring atoms that are there already, so it is added anew.
            return _joined(rest, constant - quotient.constant) + atom.whole * factor
    terms = sorted(((atom, f) for atom, f in factors.items() if f), key=_order)
    return Index(tuple(terms), constant)


def _replaced(atom: Atom, new: Mapping[Axis, Index]) -> Index:
    if isinstance(atom, Axis):
        return new[atom] if atom in new else _index(atom)
    if isinstance(atom, Looked):
        return _index(Looked(atom.value.replaced(new), atom.size))
    whole = atom.whole.replaced(new)
    return whole // atom.by if isinstance(atom, Quotient) else whole % atom.by
