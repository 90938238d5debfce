"""Optional libraries: imported where they are used, and asked for in one sentence when missing."""

from __future__ import annotations

import importlib
import random
from types import ModuleType
from typing import Any

# A library's name for installing where it is not its name for importing.
INSTALLED_AS = {"PIL": "Pillow"}


def load(module: str, extra: str, purpose: str) -> Any:
    """Imports an optional library.

    Args:
        module: such as ``"PIL.Image"``.
        extra: the extra of rushlight that brings the library, such as ``"vision"``.
        purpose: what needs it, as the beginning of a sentence: ``"reading an image"``.

    Raises:
        ModuleNotFoundError: it is not installed; the sentence names library and extra.

    Example:
        >>> load("json", "vision", "reading an image").loads("[1]")
        [1]
    """
    numbers = random.getstate()  # rich draws some when it is imported; a run's are its own
    try:
        found: ModuleType = importlib.import_module(module)
    except ModuleNotFoundError as error:
        top = module.partition(".")[0]
        if error.name is None or error.name.partition(".")[0] != top:
            raise  # it is there, and something that it needs is not
        raise ModuleNotFoundError(
            f"{purpose} needs {INSTALLED_AS.get(top, top)}, which is not installed: "
            f'pip install "rushlight[{extra}]"',
            name=error.name,
        ) from error
    finally:
        random.setstate(numbers)
    return found
