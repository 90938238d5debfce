"""The import hook: ``import torch`` gives rushlight.

`Finder` stands first in the import path and answers for PyTorch's names alone. It never lets one
through to the finders behind it, so a PyTorch that happens to be installed cannot leak in, neither
through the script nor through a library that the script imports.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterable
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING

from rushlight.cli import names

if TYPE_CHECKING:
    from importlib.metadata import Distribution, DistributionFinder

# Its sitecustomize.py carries the hook into the Python processes that a script starts.
STARTUP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "startup")


def answers_for(name: str) -> bool:
    """Whether a module's name is one of PyTorch's."""
    return name.partition(".")[0] in names.PLACES


class Finder:
    """Finds rushlight's modules under PyTorch's names; on ``sys.meta_path``."""

    def find_spec(
        self, name: str, path: object = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not answers_for(name):
            return None
        module = names.resolve(name)
        if module is None:
            raise ModuleNotFoundError(f"{name} is not part of rushlight yet", name=name)
        return ModuleSpec(name, Standing(module))

    def find_distributions(self, context: DistributionFinder.Context) -> Iterable[Distribution]:
        """What ``importlib.metadata.version("torch")`` asks, as many libraries do."""
        if context.name != "torch":
            return ()
        from rushlight.cli.distribution import TorchDistribution

        return (TorchDistribution(),)


class Standing:
    """The loader of a module that is there already and stands for another name as well."""

    def __init__(self, module: ModuleType) -> None:
        self.module = module
        self.spec = module.__spec__

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return self.module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self.spec  # the import system has just written the other name's over it
        adopt()


def adopt() -> None:
    """Gives PyTorch's names to all of rushlight that is loaded, and to the views on it.

    So ``torch.nn.modules.linear`` can be reached without an import of its own. Names that are taken
    stay: ``torch.autograd.gradcheck`` is a module to ``import`` and a function to everybody else.
    """
    for name in [name for name in sys.modules if name.partition(".")[0] == "rushlight"]:
        if (theirs := names.torch_name(name)) is not None:
            sys.modules.setdefault(theirs, sys.modules[name])
    for name in [name for name in names.VIEWS if name not in sys.modules]:
        package, _, last = name.rpartition(".")
        parent = sys.modules.get(package) or names.resolve(package)
        if parent is None:
            continue
        taken = _has(parent, last)  # asked first, since loading a module binds its name
        if (module := names.resolve(name)) is not None:
            sys.modules[name] = module
            if not taken:
                setattr(parent, last, module)


def _has(module: ModuleType, name: str) -> bool:
    try:
        return hasattr(module, name)
    except ImportError:
        return False  # a part that is loaded on demand and is not there


def install() -> Finder:
    """Puts the hook into this process and into the environment of those it will start.

    Raises:
        ImportError: something has imported PyTorch already, before any script.
    """
    if getattr(sys.modules.get("torch"), "__name__", "rushlight") != "rushlight":
        raise ImportError(
            "rushlight cannot stand for torch, which this Python imports as it starts"
        )
    finder = Finder()
    sys.meta_path.insert(0, finder)
    _announce_release()
    _answer_probes()
    inherited = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if STARTUP not in inherited:
        os.environ["PYTHONPATH"] = os.pathsep.join([STARTUP, *filter(None, inherited)])
    return finder


def _announce_release() -> None:
    """Makes ``torch.__version__`` PyTorch's: scripts and libraries compare it with releases."""
    import rushlight

    rushlight.__version__ = names.release(rushlight.__version__)


def _answer_probes() -> None:
    """Lets ``importlib.util.find_spec("torchvision")`` be None where an import would say why."""
    asked = importlib.util.find_spec

    def find_spec(name: str, package: str | None = None) -> ModuleSpec | None:
        try:
            return asked(name, package)
        except ModuleNotFoundError as error:
            if error.name == name and answers_for(name):
                return None
            raise

    importlib.util.find_spec = find_spec
