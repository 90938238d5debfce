"""A table of what the kernels of a program did, a row each."""

from __future__ import annotations

from collections.abc import Sequence

from rushlight.base.amounts import lasting, sized

from .account import Account

HEAD = ("kernel", "ops", "loops", "reads", "writes")
TIMED = ("time", "GB/s", "GFLOP/s")


def table(accounts: Sequence[Account], seconds: Sequence[float] | None = None) -> str:
    """The rows under their heads.

    Args:
        seconds: that each call took; None leaves the columns out that need them.
    """
    head = [*HEAD, *(TIMED if seconds is not None else ()), "from"]
    rows = [head]
    for k, each in enumerate(accounts):
        name = each.name if not each.why else f"{each.name} (reference)"
        row = [name, str(len(each.ops)), each.loops, sized(each.reads), sized(each.writes)]
        if seconds is not None:
            taken = max(seconds[k], 1e-9)
            moved = (each.reads + each.writes) / taken / 1e9
            row += [lasting(taken), f"{moved:.1f}", f"{each.flops / taken / 1e9:.1f}"]
        rows.append([*row, each.lines])
    widths = [max(len(row[k]) for row in rows) for k in range(len(head))]
    left = {0, 2, len(head) - 1}
    return "\n".join(
        "  ".join(
            cell.ljust(width) if k in left else cell.rjust(width)
            for k, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
