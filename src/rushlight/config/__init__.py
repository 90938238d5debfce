"""``rushlight train``: the command line and the configuration files of a training run.

:func:`main` is what the command calls. Nothing heavy is imported before it runs.
"""

from __future__ import annotations


def main(argv: list[str]) -> int:
    """Runs ``rushlight train`` with the words after it, and returns the exit status.

    0 is a finished run; 1 a run that had to stop; 2 a run that could not start (a wrong setting,
    file or download); 130 and 143 one that Ctrl-C or SIGTERM stopped, and that can be resumed.
    """
    from .command import main as command

    return command(argv)


def resume_main(argv: list[str]) -> int:
    """Runs ``rushlight resume FOLDER``, of either kind of run; returns the exit status.

    Words after the folder change what may change, such as ``trainer.max_epochs=20``.
    """
    from .command import resume

    return resume(argv)
