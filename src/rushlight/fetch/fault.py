"""What keeps a file from being there, told in one sentence."""

from __future__ import annotations

import errno


class FetchError(OSError, RuntimeError):
    """A file could not be downloaded, is not the right one, or could not be unpacked.

    It is an ``OSError``, as failures of ``torch.hub``, and a ``RuntimeError``, as those of
    torchvision's datasets.
    """


class Undelivered(FetchError):
    """No address delivered the file; ``reasons`` says what each of them did."""

    def __init__(self, sentence: str, reasons: str) -> None:
        super().__init__(sentence)
        self.reasons = reasons


class FormatError(ValueError):
    """A file is not what its name promises; the message tells how."""


def disk_sentence(error: OSError, doing: str) -> str:
    """One sentence for a file that could not be written or read."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk is full: could not {doing}"
    return f"could not {doing}: {error.strerror or error}"
