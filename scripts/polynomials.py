"""Fits the polynomials of ``rushlight.compiler.llvm.maths`` and writes its ``polynomials.py``.

    python scripts/polynomials.py [NAME ...]       # all, or the named ones only

Every polynomial is the minimax approximation of a function under a weight, found with Remez's
exchange algorithm (Remez 1934) at 60 digits. Its coefficients are then rounded to the format in
which they are used, one after the other from the highest degree, and the rest is fitted again each
time, so that the later ones make up for what rounding the earlier ones lost.

It needs mpmath, which nothing else does.
"""

from __future__ import annotations

import functools
import struct
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mpmath as mp

mp.mp.dps = 60
Real = Any
TARGET = Path(__file__).parents[1] / "src/rushlight/compiler/llvm/maths/polynomials.py"


@dataclass(frozen=True)
class Fit:
    """What to approximate.

    Attributes:
        name: of the constant that is written.
        meaning: what the polynomial stands for, as the comment above it says.
        function: of the variable, at full precision.
        weight: what an error there counts; a relative error of the result, mostly.
        low, high: the interval.
        float, double: the degree in each format; None where there is no such polynomial.
    """

    name: str
    meaning: str
    function: Callable[[Real], Real]
    weight: Callable[[Real], Real]
    low: Real
    high: Real
    float: int | None
    double: int | None


def rounded(x: Real, element: str) -> Real:
    """The nearest number of a format."""
    if element == "double":
        return mp.mpf(float(x))
    # Rounding twice, by way of double, may be off by a little more than half an ULP: no harm here.
    return mp.mpf(struct.unpack("<f", struct.pack("<f", float(x)))[0])


class Grid:
    """A function on the points among which the exchange searches."""

    def __init__(self, fit: Fit, degree: int) -> None:
        points = 24 * (degree + 2)
        middle, half = (fit.high + fit.low) / mp.mpf(2), (fit.high - fit.low) / mp.mpf(2)
        # Denser at the ends, where extrema crowd; never at an end, where a quotient may be 0 / 0.
        self.x = [
            middle - half * mp.cos(mp.pi * (k + mp.mpf(1) / 2) / points) for k in range(points)
        ]
        weight = [abs(fit.weight(x)) for x in self.x]
        # Where nothing counts there would be nothing to level.
        self.weight = [max(w, max(weight) / 16) for w in weight]
        self.goal = [fit.function(x) for x in self.x]

    def errors(self, coefficients: Sequence[Real]) -> list[Real]:
        """The weighted error of a polynomial at every point."""
        return [
            w * (mp.polyval(coefficients[::-1], x) - y)
            for x, y, w in zip(self.x, self.goal, self.weight)
        ]


def extrema(errors: Sequence[Real], wanted: int) -> list[int]:
    """The places of ``wanted`` extrema of alternating sign, the greatest there are."""
    found: list[int] = []
    for k, error in enumerate(errors):
        if found and (error > 0) == (errors[found[-1]] > 0):
            if abs(error) > abs(errors[found[-1]]):
                found[-1] = k
        else:
            found.append(k)
    while len(found) > wanted:
        found.pop(0 if abs(errors[found[0]]) < abs(errors[found[-1]]) else -1)
    return found


def remez(grid: Grid, known: Sequence[Real], free: int) -> list[Real]:
    """The lowest ``free`` minimax coefficients, when those above them are ``known``."""
    above = [*reversed(known), *[0] * free]
    goal = [y - mp.polyval(above, x) for x, y in zip(grid.x, grid.goal)]
    points = len(grid.x)
    chosen = [round((points - 1) * (1 - mp.cos(mp.pi * k / free)) / 2) for k in range(free + 1)]
    for _ in range(40):
        rows, right = mp.matrix(free + 1, free + 1), mp.matrix(free + 1, 1)
        for i, k in enumerate(chosen):
            x, w = grid.x[k], grid.weight[k]
            for j in range(free):
                rows[i, j] = w * x**j
            rows[i, free] = (-1) ** i
            right[i] = w * goal[k]
        *found, level = mp.lu_solve(rows, right)
        errors = grid.errors([*found, *known])
        if max(map(abs, errors)) <= abs(level) * mp.mpf("1.001"):
            break
        chosen = extrema(errors, free + 1)
    return found


def fitted(fit: Fit, element: str) -> tuple[list[Real], Real]:
    """The rounded coefficients, lowest first, and the greatest weighted error."""
    degree = getattr(fit, element)
    grid = Grid(fit, degree)
    known: list[Real] = []
    for free in range(degree + 1, 0, -1):
        known.insert(0, rounded(remez(grid, known, free)[-1], element))
    return known, max(map(abs, grid.errors(known)))


def tail(function: Callable[[Real], Real], *series: Real, power: int) -> Callable[[Real], Real]:
    """What follows the first terms of a power series: ``(f(x) - c0 - c1 x - ...) / x**power``.

    By Taylor's formula where the difference would cancel.
    """

    def value(x: Real) -> Real:
        if abs(x) > mp.mpf("1e-6"):
            return (function(x) - mp.polyval(series[::-1], x)) / x**power
        terms = mp.taylor(function, 0, power + 8)[power:]
        return mp.polyval(terms[::-1], x)

    return value


def erfc_bent(t: Real) -> Real:
    """``exp(x**2) erfc(x) (x + 3)`` at the x for which ``t = (x - 3) / (x + 3)``."""
    x = 3 * (1 + t) / (1 - t)
    return mp.exp(x**2) * mp.erfc(x) * (x + 3)


def atanh_rest(s: Real) -> Real:
    """``(2 atanh(s) - 2 s - 2 s**3 / 3) / s**5``."""
    return (2 * mp.atanh(s) - 2 * s - 2 * s**3 / 3) / s**5


def erfinv_ratio(w: Real) -> Real:
    """``erfinv(x) / x`` at the x for which ``w = -log(1 - x**2)``, by Halley's method."""
    x = mp.sqrt(-mp.expm1(-w))
    left = mp.exp(-w) / (1 + x)  # 1 - x
    y = x if left > mp.mpf(1) / 2 else mp.sqrt(-mp.log(left * mp.sqrt(mp.pi)))
    for _ in range(20):
        step = (left - mp.erfc(y)) / (2 / mp.sqrt(mp.pi) * mp.exp(-y * y))
        y -= step / (1 + y * step)
    return y / x


def of_square(function: Callable[[Real], Real]) -> Callable[[Real], Real]:
    """An even function as one of the square of its variable."""
    return lambda t: function(mp.sqrt(t))


HALF_LN2 = mp.log(2) / 2 * mp.mpf("1.0001")
S = mp.mpf("0.2")  # greatest |f / (2 + f)| for 1 + f between 3/4 and 3/2
QUARTER = mp.pi / 4 * mp.mpf("1.007")

FITS = [
    Fit("EXPM1", "(exp(r) - 1 - r) / r**2; the error is relative to exp(r) - 1",
        tail(mp.exp, 1, 1, power=2), lambda r: r**2 / mp.expm1(r), -HALF_LN2, HALF_LN2, 4, 9),
    Fit("LOG", "(log(1 + f) - f) / f**2; the error is relative to log(1 + f)",
        tail(mp.log1p, 0, 1, power=2), lambda f: f**2 / mp.log1p(f), -mp.mpf("0.25"), mp.mpf("0.5"),
        8, None),
    Fit("ATANH", "(2 atanh(s) - 2 s) / s**3 of s**2; the error is relative to 2 atanh(s)",
        of_square(lambda s: (2 * mp.atanh(s) - 2 * s) / s**3),
        of_square(lambda s: s**3 / (2 * mp.atanh(s))), mp.mpf(0), S**2, None, 6),
    Fit("SIN", "(sin(r) - r) / r**3 of r**2; the error is relative to sin(r)",
        of_square(lambda r: (mp.sin(r) - r) / r**3), of_square(lambda r: r**3 / mp.sin(r)),
        mp.mpf(0), QUARTER**2, 2, 5),
    Fit("COS", "(cos(r) - 1 + r**2 / 2) / r**4 of r**2; the error is relative to cos(r)",
        of_square(lambda r: (mp.cos(r) - 1 + r**2 / 2) / r**4),
        of_square(lambda r: r**4 / mp.cos(r)), mp.mpf(0), QUARTER**2, 2, 5),
    Fit("TANH", "(tanh(x) - x) / x**3 of x**2; the error is relative to tanh(x)",
        of_square(lambda x: (mp.tanh(x) - x) / x**3), of_square(lambda x: x**3 / mp.tanh(x)),
        mp.mpf(0), mp.mpf("0.3025"), 4, 10),
    Fit("ERF", "(log(erfc(x)) / x + 2 / sqrt(pi)) / x; the error is relative to erf(x)",
        tail(lambda x: mp.log(mp.erfc(x)), 0, -2 / mp.sqrt(mp.pi), power=2),
        lambda x: mp.erfc(x) * x**2 / mp.erf(x), mp.mpf(0), mp.mpf("3.95"), 8, None),
    Fit("ERF_SMALL", "erf(x) / x - 1 of x**2; the error is relative to erf(x)",
        of_square(lambda x: mp.erf(x) / x - 1), of_square(lambda x: x / mp.erf(x)),
        mp.mpf(0), mp.mpf(1), 6, 14),
    Fit("ERFC", "exp(x**2) erfc(x) (x + 3) of (x - 3) / (x + 3); the error is relative",
        erfc_bent, lambda t: 1 / erfc_bent(t), -mp.mpf("0.5"),
        mp.mpf("24.4") / mp.mpf("30.4"), 9, 21),
    Fit("ERFINV", "erfinv(x) / x of w - 5 / 2 with w = -log(1 - x**2); the error is relative",
        lambda u: erfinv_ratio(u + mp.mpf("2.5")), lambda u: 1 / erfinv_ratio(u + mp.mpf("2.5")),
        -mp.mpf("2.5"), mp.mpf("2.5"), 9, 9),
    Fit("ERFINV_TAIL", "erfinv(x) / x of sqrt(w) - 3; the error is relative",
        lambda u: erfinv_ratio((u + 3) ** 2), lambda u: 1 / erfinv_ratio((u + 3) ** 2),
        -mp.mpf("0.77"), mp.mpf("1.03"), 9, None),
    Fit("ERFINV_TAIL", "erfinv(x) / x of sqrt(w) - 3; the error is relative",
        lambda u: erfinv_ratio((u + 3) ** 2), lambda u: 1 / erfinv_ratio((u + 3) ** 2),
        -mp.mpf("0.77"), mp.mpf("3.1"), None, 10),
    Fit("ASIN", "(asin(x) - x) / x**3 of x**2; the error is relative to asin(x)",
        of_square(lambda x: (mp.asin(x) - x) / x**3), of_square(lambda x: x**3 / mp.asin(x)),
        mp.mpf(0), mp.mpf("0.25"), 4, 11),
    Fit("ATAN", "(atan(x) - x) / x**3 of x**2; the error is relative to atan(x)",
        of_square(lambda x: (mp.atan(x) - x) / x**3), of_square(lambda x: x**3 / mp.atan(x)),
        mp.mpf(0), mp.mpf("0.1716"), 4, 10),
    Fit("ATANH_REST", "(2 atanh(s) - 2 s - 2 s**3 / 3) / s**5 of s**2; the error is relative to "
        "2 atanh(s), times 2**10",
        of_square(atanh_rest), of_square(lambda s: s**5 / (2 * mp.atanh(s)) * 1024),
        mp.mpf(0), S**2, 3, 8),
]  # fmt: skip


@dataclass(frozen=True)
class Table:
    """A function by pieces: between 0 and 1/8, and on each quarter of every octave above.

    Attributes:
        name: of the constant that is written.
        whole: an odd function whose slope at 0 is not 0.
        high: where the last piece ends.
    """

    name: str
    whole: Callable[[Real], Real]
    high: str

    @property
    def rest(self) -> Real:
        """What the nearest float leaves of the slope at 0; it is added apart."""
        slope = mp.diff(self.whole, 0)
        return rounded(slope - rounded(slope, "float"), "float")

    @functools.cached_property
    def function(self) -> Callable[[Real], Real]:
        """What the polynomials stand for."""
        rest = self.rest
        return lambda x: self.whole(x) - rest * x


TABLES = [Table("TANH", mp.tanh, "9.1"), Table("ERF", mp.erf, "3.95")]
FIRST = 495  # the highest bits, down to the second of the fraction, of floats just below 1/8
DEGREE = 5


def pieces(table: Table) -> list[tuple[Real, ...]]:
    """For each piece its centre and the coefficients around it."""
    rows = []
    high = mp.mpf(table.high)
    for octave in range(-4, 4):
        for quarter in range(4):
            low = mp.mpf(2) ** octave * (1 + mp.mpf(quarter) / 4)
            top = min(low + mp.mpf(2) ** octave / 4, high)
            if octave == -4 and quarter == 3:
                rows.append(near_zero(table))
            elif octave > -4 and low < top:
                rows.append(around(table, low, top))
    return rows


def near_zero(table: Table) -> tuple[Real, ...]:
    """The piece that begins at 0, where the error is relative to a result of nearly 0."""
    ratio = lambda t: table.function(t) / t
    fit = Fit("", "", ratio, lambda t: 1 / ratio(t), mp.mpf(0), mp.mpf("0.125"), DEGREE - 1, None)
    return mp.mpf(0), mp.mpf(0), *fitted(fit, "float")[0]


def around(table: Table, low: Real, high: Real) -> tuple[Real, ...]:
    """A piece around a centre at which the function is very nearly a float (Gal 1986)."""
    middle, step = (low + high) / 2, (high - low) / 4096
    centres = [rounded(middle + k * step, "float") for k in range(-64, 65)]

    def miss(x: Real) -> Real:
        value = table.function(x)
        return abs(value - rounded(value, "float"))

    centre = min(centres, key=miss)
    function = lambda t: table.function(centre + t)
    weight = lambda t: 1 / function(t)
    fit = Fit("", "", function, weight, low - centre, high - centre, DEGREE, None)
    return centre, *fitted(fit, "float")[0]


def written(table: Table) -> str:
    """A table as source text: a tuple of 32 for the centres, and for each coefficient."""
    rows = pieces(table)
    print(table.name, len(rows), "pieces", flush=True)
    lines = [f"# {table.name.lower()} up to {table.high}.", f"{table.name} = ("]
    for column in zip(*rows):
        numbers = [0.0] * 32
        for k, number in enumerate(column):
            numbers[(FIRST + k) % 32] = float(f"{float(number):.9g}")  # enough for a float
        lines.append("    (")
        for start in range(0, 32, 4):
            lines.append("        " + ", ".join(map(repr, numbers[start : start + 4])) + ",")
        lines.append("    ),")
    lines += [")  # fmt: skip", f"{table.name}_REST = {float(table.rest)!r}"]
    return "\n".join(lines) + "\n"


TABLES_HEAD = '''\
"""Tables of polynomials, as ``scripts/polynomials.py`` writes them.

The first row holds centres, the others coefficients, lowest degree first. The piece of a number is
found by its highest bits, down to the second of the fraction: the last five of them are the column.
The slope at 0 that a float cannot hold is taken from all pieces and stands apart.
"""

'''


HEAD = '''\
"""Coefficients of polynomials, lowest degree first; ``scripts/polynomials.py`` writes them.

Each is the minimax approximation of what its comment says on the interval named there, with
coefficients rounded to the format it is used in. The error is what the polynomial alone adds to a
result, in units of half its last place.
"""

'''


def section(fit: Fit, element: str) -> str:
    """A polynomial as source text."""
    coefficients, error = fitted(fit, element)
    unit = mp.mpf(2) ** (-24 if element == "float" else -53)
    low, high = (mp.nstr(end, 6) for end in (fit.low, fit.high))
    print(fit.name, element, "error", mp.nstr(error / unit, 3), "half ulp", flush=True)
    lines = [
        f"# {fit.meaning}.",
        f"# {element}, {low} to {high}, degree {len(coefficients) - 1}, "
        f"error {mp.nstr(error / unit, 2)}.",
        f"{fit.name}_{element.upper()} = (",
        *(f"    {float(c)!r}," for c in coefficients),
        ")",
    ]
    return "\n".join(lines) + "\n"


def main(names: Sequence[str]) -> None:
    """Writes the file, or prints the named polynomials."""
    sections = [
        section(fit, element)
        for fit in FITS
        if not names or fit.name in names
        for element in ("float", "double")
        if getattr(fit, element) is not None
    ]
    if names:
        print("\n".join(sections))
    else:
        TARGET.write_text(HEAD + "\n".join(sections))
        TARGET.with_name("tables.py").write_text(TABLES_HEAD + "\n".join(map(written, TABLES)))


if __name__ == "__main__":
    main(sys.argv[1:])
