"""Training as one command: the loop, its checkpoints, and the folder that a run writes.

``rushlight train`` is :func:`rushlight.config.main`, which reads settings and calls
:func:`prepare` and :func:`train` of :mod:`rushlight.train.run`. ``rushlight report`` is
:func:`report_main`. Nothing heavy is imported before they run.
"""

from __future__ import annotations


def report_main(argv: list[str]) -> int:
    """Runs ``rushlight report`` with the words after it, and returns the exit status.

    0 when the comparison was written; 2 when a folder holds no run or cannot be written.
    """
    from .compare import main

    return main(argv)
