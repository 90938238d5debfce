"""A release number that compares as numbers do."""

from __future__ import annotations

import re


class Release(str):
    """A string such as ``"2.13.0+rushlight"``, newer than ``"2.2"`` as ``torch.__version__`` is.

    Compares in order with strings and with tuples of numbers; only the release's numbers count.

    >>> Release("2.13.0") > "2.2", Release("2.13.0") >= (2, 13), Release("2.13.0") < "2.13.1"
    (True, True, True)
    """

    __slots__ = ()

    def __lt__(self, other: str | tuple[int, ...]) -> bool:
        return _numbers(self) < _numbers(other)

    def __le__(self, other: str | tuple[int, ...]) -> bool:
        return _numbers(self) <= _numbers(other)

    def __gt__(self, other: str | tuple[int, ...]) -> bool:
        return _numbers(self) > _numbers(other)

    def __ge__(self, other: str | tuple[int, ...]) -> bool:
        return _numbers(self) >= _numbers(other)


def _numbers(release: str | tuple[int, ...]) -> list[int]:
    """The release's numbers without trailing zeros: ``[2, 13]`` for ``"2.13.0+cpu"``."""
    if isinstance(release, str):
        numbers = [int(number) for number in re.match(r"[\d.]*", release)[0].split(".") if number]
    else:
        numbers = [int(number) for number in release]
    while numbers and not numbers[-1]:
        numbers.pop()
    return numbers
