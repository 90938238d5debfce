"""What stops a run, told in one sentence and with an exit status of its own."""

from __future__ import annotations

from importlib.util import find_spec

from rushlight.fetch.fault import disk_sentence as disk_sentence

EXIT_SETTING = 2
EXIT_STOPPED = 1


class RunFault(Exception):
    """A run that cannot start: a setting, a file or a download is wrong. No work was done."""

    code = EXIT_SETTING


class RunStopped(RunFault):
    """A run that could not go on: what it had reached is in its last checkpoint."""

    code = EXIT_STOPPED


class RunInterrupted(RunFault):
    """A run that Ctrl-C or SIGTERM stopped; its last checkpoint is up to the step."""

    def __init__(self, sentence: str, signum: int) -> None:
        super().__init__(sentence)
        self.code = 128 + signum  # as shells count


def require(*modules: str) -> None:
    """Checks that optional libraries are installed.

    Raises:
        RunFault: one is not; the sentence names it and the extra that brings it.
    """
    missing = [module for module in modules if find_spec(module) is None]
    if missing:
        *first, last = missing
        named = f"{', '.join(first)} and {last} are" if first else f"{last} is"
        raise RunFault(
            f'{named} not installed: pip install "rushlight[train]" brings what training and'
            " reports need"
        )
