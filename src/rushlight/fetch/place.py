"""Where downloaded files are kept."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """The folder for everything that is downloaded; it need not exist yet.

    ``RUSHLIGHT_HOME`` names it; without, it is ``rushlight`` in the user's cache
    (``XDG_CACHE_HOME``, by default ``~/.cache``).
    """
    home = os.environ.get("RUSHLIGHT_HOME")
    if home:
        return Path(home).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "rushlight"
