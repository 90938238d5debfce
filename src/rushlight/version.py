"""The version, and those of libraries that PyTorch would be built with."""

from __future__ import annotations

import rushlight

__version__ = rushlight.__version__
debug = False
cuda: str | None = None
cudnn: str | None = None
hip: str | None = None
xpu: str | None = None
git_version = "Unknown"
