"""PyTorch's module names and what stands for each of them here.

A name resolves in one of two ways. ``torch.nn.functional`` has a module of the same path here and
*is* that module. ``torch.nn.modules.linear`` has none, because our files are cut differently, and
becomes a `View`: its names are looked up where we keep them.
"""

from __future__ import annotations

import importlib
import importlib.util
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from rushlight.cli.release import Release

# Every top-level package that `rushlight run` answers for, and where it is kept.
PLACES = {
    "torch": "rushlight",
    "torchvision": "rushlight.vision",
    "torchaudio": "rushlight.audio",
    "torchtext": "rushlight.text",
    "lightning": "rushlight.train.lightning",
    "lightning.pytorch": "rushlight.train.lightning",
    "pytorch_lightning": "rushlight.train.lightning",
    **{
        f"{package}.{part}": f"rushlight.train.{part}"
        for package in ("lightning.pytorch", "pytorch_lightning")
        for part in ("callbacks", "loggers", "profilers", "strategies", "tuner")
    },
}

# Our own parts. No module of PyTorch's has these paths, and binding one of them as an attribute of
# ``torch`` would hide the function of that name.
INTERNAL = {
    "base", "graph", "ops", "compile", "runtime", "execute", "tensor", "serialize",
    "train", "config", "cli", "serve",
    "doctor", "fetch", "vision", "audio", "text", "array_api", "ahead",
}  # fmt: skip

# Files of PyTorch's that scripts name, pickles hold and configurations target, by package, though
# the package holds all their public names. Those with a file of the same path here need no view.
ELSEWHERE = {
    "torch": "_tensor functional random storage",
    "torch.autograd": "anomaly_mode function grad_mode gradcheck variable",
    "torch.nn": "modules",
    "torch.nn.modules": (
        "activation adaptive batchnorm channelshuffle container conv distance dropout flatten fold"
        " instancenorm lazy linear loss module normalization padding pixelshuffle pooling rnn"
        " sparse transformer upsampling utils"
    ),
    "torch.nn.utils": "clip_grad convert_parameters",
    "torch.optim": (
        "adadelta adagrad adam adamax adamw asgd lbfgs nadam optimizer radam rmsprop rprop sgd"
        " sparse_adam"
    ),
    "torch.utils.data": "_utils dataloader dataset distributed sampler",
    "torch.utils.data._utils": "collate worker",
    "torchvision.ops": "ciou_loss diou_loss giou_loss",
}
VIEWS = [f"{package}.{name}" for package, names in ELSEWHERE.items() for name in names.split()]


class View(ModuleType):
    """A module of PyTorch's that has no file here: names are looked up in its homes, in order."""

    def __init__(self, name: str, homes: list[str]) -> None:
        super().__init__(name)
        self.__spec__ = ModuleSpec(name, None, is_package=True)
        self.__path__: list[str] = []  # a package, since more views may be inside
        self._homes = homes

    def __getattr__(self, name: str) -> Any:
        inside = f"{self.__name__}.{name}"
        if inside in VIEWS:  # before a file of ours that happens to have that name
            return importlib.import_module(inside)
        for home in self._homes:
            try:
                return getattr(importlib.import_module(home), name)
            except AttributeError:
                continue
        raise AttributeError(
            f"module {self.__name__!r} has no attribute {name!r}", name=name, obj=self
        )

    def __dir__(self) -> list[str]:
        return sorted({name for home in self._homes for name in dir(importlib.import_module(home))})


def release(ours: str) -> Release:
    """What a script is told it has: the release that our tests compare with, and our own."""
    return Release(f"2.13.0+rushlight.{ours}")


def resolve(name: str) -> ModuleType | None:
    """The module that stands for one of PyTorch's; None when rushlight has none yet."""
    here = place(name)
    if here is not None and exists(here):
        return importlib.import_module(here)
    homes = _homes(name)
    return View(name, homes) if homes else None


def place(name: str) -> str | None:
    """Where rushlight would keep a module of PyTorch's; None where it never would."""
    prefix = name
    while prefix not in PLACES:
        prefix = prefix.rpartition(".")[0]
    rest = name[len(prefix) + 1 :]
    if PLACES[prefix] == "rushlight" and rest.partition(".")[0] in INTERNAL:
        return None
    return PLACES[prefix] + (f".{rest}" if rest else "")


def exists(name: str) -> bool:
    """Whether there is such a module, found without running it (but for its parents)."""
    return spec_of(name) is not None


def spec_of(name: str) -> ModuleSpec | None:
    """A module's spec; None when there is no such module or no package that it could be in.

    Raises:
        ModuleNotFoundError: the package is there, and what it imports is not.
    """
    try:
        return importlib.util.find_spec(name)
    except ModuleNotFoundError as error:
        if not f"{name}.".startswith(f"{error.name}."):
            raise
        return None


def _homes(name: str) -> list[str]:
    """Where a view looks: our file of that name, if any, then the package that holds it all."""
    package = name
    while package in VIEWS:
        package = package.rpartition(".")[0]
    above = place(package)
    if package == name or above is None or not exists(above):
        return []
    beside = f"{above}.{name.rpartition('.')[2]}"
    return [beside, above] if exists(beside) else [above]


def torch_name(module: str) -> str | None:
    """PyTorch's name for one of our modules: ``torch.nn`` for ``rushlight.nn``.

    None for a module that a script never meets by name.
    """
    if module.partition(".")[0] in PLACES:
        return module
    for theirs, ours in PLACES.items():
        if ours != "rushlight" and f"{module}.".startswith(f"{ours}."):
            return theirs + module[len(ours) :]
    top, _, rest = module.partition(".")
    if top != "rushlight" or rest.partition(".")[0] in INTERNAL:
        return None
    return f"torch.{rest}" if rest else "torch"
