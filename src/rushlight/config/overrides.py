"""The words of the command line: what each of them sets, and the runs that they ask for."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, QuotedString
from hydra.errors import HydraException

from rushlight.train.faults import RunFault

from .nearest import suggestion


@dataclass(frozen=True)
class Word:
    """One word ``key=value`` as Hydra reads it."""

    text: str
    override: Override

    @property
    def key(self) -> str:
        return str(self.override.key_or_group)

    @property
    def of_hydra(self) -> bool:
        """Whether it is about Hydra itself, such as ``hydra.run.dir=...``."""
        return self.key == "hydra" or self.key.startswith(("hydra.", "hydra/"))

    @property
    def added(self) -> bool:
        """Whether it begins with ``+``: it sets what no file has."""
        return bool(self.override.is_add())

    @property
    def swept(self) -> bool:
        return bool(self.override.is_sweep_override())


def read_words(texts: list[str], loader: ConfigLoader | None = None) -> list[Word]:
    """Parses the words.

    Raises:
        RunFault: a word is not of the form ``key=value``, or takes a setting away.
    """
    parser = OverridesParser.create(config_loader=loader)
    words = []
    for text in texts:
        try:
            word = Word(text, parser.parse_override(text))
        except HydraException as error:
            raise RunFault(f"{text} is not of the form key=value") from error
        if not word.key:
            raise RunFault(f"{text} is not of the form key=value")
        if word.override.is_delete() and not word.key.startswith("callbacks."):
            raise RunFault(f"{text} takes away a setting that a run needs")
        words.append(word)
    return words


def combinations(words: list[Word]) -> list[list[str]]:
    """The words of each run that a sweep asks for, the last swept word changing fastest.

    A sweep that has no list of values, such as ``interval(0, 1)``, is for a sweeper plugin to
    draw from; it is left out here.
    """
    options = []
    for word in words:
        if not word.swept:
            options.append([word.text])
        elif word.override.is_discrete_sweep():
            start = word.text.partition("=")[0]
            options.append([f"{start}={v}" for v in word.override.sweep_string_iterator()])
    return [list(run) for run in itertools.product(*options)]


def check_groups(words: list[Word], groups: Mapping[str, list[str]]) -> None:
    """Checks every word that chooses a file, ``group=option``. ``groups`` lists the options.

    Raises:
        RunFault: the group has no such option; the nearest one is named.
    """
    for word in words:
        if word.key not in groups:
            continue
        if not word.swept:
            values = [word.override.value()]
        elif word.override.is_discrete_sweep():
            values = list(word.override.sweep_iterator())
        else:
            values = []
        for value in values:
            if not isinstance(value, str | QuotedString | list):
                raise RunFault(f"{word.text}: {word.key} is chosen by a name")
            if isinstance(value, str) and value not in groups[word.key]:
                raise RunFault(
                    f"{word.key} has no option {value}{suggestion(value, groups[word.key])}"
                )


def check_keys(words: list[Word], groups: Iterable[str], keys: Iterable[str]) -> None:
    """Checks every word that sets a value, ``group.key=value``.

    Raises:
        RunFault: there is no such key; the nearest one is named.
    """
    groups, keys = set(groups), list(keys)
    for word in words:
        if word.key in groups or "/" in word.key:
            continue
        if word.key not in keys:
            known = [key for key in keys if key.startswith("hydra") == word.of_hydra]
            raise RunFault(f"{word.key} is not a setting{suggestion(word.key, known)}")
        group, _, rest = word.key.partition(".")
        if rest == "name" and group in groups:
            raise RunFault(f"{word.key} follows from the group: choose with {group}=...")
