"""The installed distribution that ``importlib.metadata`` finds under PyTorch's name."""

from __future__ import annotations

from importlib.metadata import Distribution
from os import PathLike
from pathlib import Path

import rushlight


class TorchDistribution(Distribution):
    """Says the same release as ``torch.__version__``."""

    def read_text(self, filename: str) -> str | None:
        if filename != "METADATA":
            return None
        return f"Metadata-Version: 2.1\nName: torch\nVersion: {rushlight.__version__}\n"

    def locate_file(self, path: str | PathLike[str]) -> Path:
        return Path(rushlight.__file__).parent / path
