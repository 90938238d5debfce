"""Composes the configuration of every run that a command line asks for, and checks it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Generic, TypeVar

import yaml
from hydra import compose, initialize_config_dir, initialize_config_module
from hydra.core.config_loader import ConfigLoader
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from rushlight.train.faults import RunFault

from .flags import Flags
from .overrides import Word, check_groups, check_keys, combinations, read_words
from .places import FILES, Places

T = TypeVar("T")
Reader = Callable[[DictConfig, Places], T]


@dataclass(frozen=True)
class Job(Generic[T]):
    """One run that was asked for: its words, its settings, and where Hydra would put it."""

    words: list[str]
    settings: T
    run_folder: Path
    sweep_folder: Path


class Composer(Generic[T]):
    """Hydra's files, open for one command line.

    Args:
        read: makes checked settings of a composed configuration; it is told which place gave a key
            its value.
    """

    def __init__(self, flags: Flags, loader: ConfigLoader, read: Reader[T]) -> None:
        self.flags = flags
        self.loader = loader
        self.read = read
        self.groups = _groups(flags.folder)
        self._bases: dict[tuple[str, ...], DictConfig] = {}

    def jobs(self) -> list[Job[T]]:
        """The runs, each with checked settings.

        Raises:
            RunFault: a word, a file or a value is wrong; the sentence tells which.
        """
        words = read_words(self.flags.words, self.loader)
        check_groups(words, self.groups)
        if not self.flags.multirun:
            for word in words:
                if word.swept:
                    raise RunFault(
                        f"{word.text} lists several values: --multirun trains one after the other"
                    )
        made = [self._job(texts) for texts in combinations(words)]
        # One sweep has one folder, also when the clock moves on while it is composed.
        return [replace(job, sweep_folder=made[0].sweep_folder) for job in made]

    def _job(self, texts: list[str]) -> Job[T]:
        words = read_words(texts, self.loader)
        config = self._base([word.text for word in words if self._chooses(word)])
        check_keys([w for w in words if not w.added], self.groups, _dotted(config))
        values = [word for word in words if not self._chooses(word)]
        _set(config, values)
        HydraConfig.instance().set_config(config)  # for ${hydra:...} in the folders' names
        try:
            folders = Path(config.hydra.run.dir), Path(config.hydra.sweep.dir)
        except OmegaConfBaseException as error:
            raise RunFault(f"hydra.run.dir: {str(error).splitlines()[0]}") from error
        places = Places(config.hydra, {word.key for word in words})
        with open_dict(config):
            del config["hydra"]
        return Job(texts, self.read(config, places), *folders)

    def _chooses(self, word: Word) -> bool:
        """Whether a word chooses a file, so that Hydra must compose anew."""
        return word.key in self.groups or "/" in word.key

    def _base(self, choices: list[str]) -> DictConfig:
        """The composed files, before any single value is set."""
        key = tuple(choices)
        if key not in self._bases:
            self._bases[key] = _composed(self.flags, choices)
        return deepcopy(self._bases[key])


@contextmanager
def opened(flags: Flags, read: Reader[T]) -> Iterator[Composer[T]]:
    """Opens the package's files, and the user's own folder of them where one is named."""
    # Hydra looks for the first file in one place only, and for all others in all of them.
    if _starts_outside(flags):
        start = initialize_config_dir(str(flags.folder.absolute()), version_base="1.3")
    else:
        start = initialize_config_module(FILES, version_base="1.3")
    with start:
        yield Composer(flags, GlobalHydra.instance().config_loader(), read)


def _starts_outside(flags: Flags) -> bool:
    return flags.folder is not None and (flags.folder / f"{flags.name}.yaml").is_file()


def _groups(folder: Path | None) -> dict[str, list[str]]:
    """Every group and its options, those of the user's folder included."""
    groups: dict[str, list[str]] = {}
    for place in (files(FILES), folder):
        for group in place.iterdir() if place else ():
            for file in group.iterdir() if group.is_dir() else ():
                name, _, kind = file.name.rpartition(".")
                if kind == "yaml":
                    groups.setdefault(group.name, []).append(name)
    return {group: sorted(set(names)) for group, names in groups.items()}


def _composed(flags: Flags, choices: list[str]) -> DictConfig:
    if flags.folder is not None:
        other = f"pkg://{FILES}" if _starts_outside(flags) else f"file://{flags.folder.absolute()}"
        choices = [*choices, f"hydra.searchpath=[{quoted(other)}]"]
    try:
        return compose(flags.name, choices, return_hydra_config=True)
    except (HydraException, OmegaConfBaseException, yaml.YAMLError, ValueError) as error:
        raise RunFault(f"the configuration cannot be composed: {_one_line(error)}") from error


def _set(config: DictConfig, words: list[Word]) -> None:
    for word in words:
        if word.override.is_delete():
            _remove(config, word.key)
            continue
        try:
            with open_dict(config):
                OmegaConf.update(config, word.key, word.override.value(), merge=False)
        except OmegaConfBaseException as error:
            raise RunFault(f"{word.text}: {_one_line(error)}") from error


def _remove(config: DictConfig, key: str) -> None:
    above, _, name = key.rpartition(".")
    with open_dict(config):
        OmegaConf.select(config, above).pop(name, None)


def _dotted(config: DictConfig, prefix: str = "") -> list[str]:
    """Every key, groups and values alike, without looking at what values refer to."""
    keys = []
    for key in config:
        keys.append(f"{prefix}{key}")
        node = config._get_node(key)  # as it is written, without following what it refers to
        if isinstance(node, DictConfig) and not (node._is_none() or node._is_missing()):
            keys += _dotted(node, f"{prefix}{key}.")
    return keys


def quoted(text: str) -> str:
    """``text`` as a word's value, whatever signs are in it."""
    escaped = text.replace("'", "\\'")
    return f"'{escaped}'"


def _one_line(error: Exception) -> str:
    # Hydra ends with the places where it looked, which says less than the sentence before.
    return " ".join(str(error).partition("Config search path")[0].split())
