"""What somebody probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def suggestion(wrong: str, right: Iterable[str]) -> str:
    """``"; did you mean ...?"`` with the nearest of ``right``, or what there is to choose from.

    A dotted key that lacks its group is near to the key that ends with it.

    >>> suggestion("optimiser.lr", ["optimizer.lr", "trainer.seed"])
    '; did you mean optimizer.lr?'
    >>> suggestion("lr", ["optimizer.lr", "trainer.seed"])
    '; did you mean optimizer.lr?'
    """
    names = list(right)
    group, _, tail = wrong.rpartition(".")
    beside = [name for name in names if group and name.rpartition(".")[0] == group]
    # Where the group is right, a key of another one is not meant.
    among = beside or names
    ends = {name.rpartition(".")[2]: name for name in reversed(among)}
    if not beside and (near := get_close_matches(wrong, among, n=1)):
        return f"; did you mean {near[0]}?"
    if near := get_close_matches(tail, ends, n=1):
        return f"; did you mean {ends[near[0]]}?"
    if 0 < len(among) <= 12:
        return f"; there {'is' if len(among) == 1 else 'are'} {', '.join(among)}"
    return "; rushlight train --help lists what there is"
