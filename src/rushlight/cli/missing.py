"""Says in PyTorch's names what a script asked for and rushlight does not have yet."""

from __future__ import annotations

import difflib
import importlib
import re
import sys
from types import CodeType, ModuleType, TracebackType

from rushlight.base import site
from rushlight.cli import names


def explain(error: BaseException) -> bool:
    """Rewrites the message of an error about a missing name of ours; leaves every other alone.

    Returns whether it was one.
    """
    wanted = _wanted(error)
    if wanted is None or _from_within(error.__traceback__):
        return False
    owner, name, choices = wanted
    message = f"{owner}.{name} is not part of rushlight yet"
    if near := difflib.get_close_matches(name, choices, n=1, cutoff=0.75):
        message += f"; the nearest name is {owner}.{near[0]}"
    error.args = (message,)
    if isinstance(error, AttributeError):
        error.obj = None  # or Python would add a suggestion of its own
    elif isinstance(error, ImportError):
        error.msg = message
    return True


def _wanted(error: BaseException) -> tuple[str, str, list[str]] | None:
    """The owner and the name that was asked of it, with the names that it has."""
    if isinstance(error, AttributeError) and error.name:
        owner = _owner(error.obj)
        return owner and (owner, error.name, _public(error.obj))
    if isinstance(error, ModuleNotFoundError) and error.name:
        package, _, last = error.name.rpartition(".")
        owner = names.torch_name(package) if names.torch_name(error.name) else None
        return owner and (owner, last, [])
    if isinstance(error, ImportError) and error.name:
        asked = re.match(r"cannot import name '(\w+)' from", str(error))
        module = sys.modules.get(error.name)
        if asked and module and (owner := _owner(module)):
            return owner, asked[1], _public(module)
    return None


def _from_within(traceback: TracebackType | None) -> bool:
    """Whether code of ours wanted what was not found, which is then a mistake of ours."""
    asker: CodeType | None = None
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if not code.co_filename.startswith(("<frozen importlib.", importlib.__file__)):
            asker = code
        traceback = traceback.tb_next
    return asker is not None and site.is_ours(asker.co_filename) and asker.co_name != "__getattr__"


def _owner(thing: object) -> str | None:
    """What a script calls a module of ours, or the tensor class; None for everything else."""
    if isinstance(thing, ModuleType):
        return names.torch_name(thing.__name__)
    kind = thing if isinstance(thing, type) else type(thing)
    ours = kind.__name__ == "Tensor" and kind.__module__.partition(".")[0] == "rushlight"
    return "Tensor" if ours else None


def _public(thing: object) -> list[str]:
    return [name for name in dir(thing) if not name.startswith("_")]
