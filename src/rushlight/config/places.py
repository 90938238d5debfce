"""Which line of which configuration file gave a key its value."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import yaml
from omegaconf import DictConfig

FILES = "rushlight.config.conf"


class Places:
    """The files that one configuration was composed of.

    Args:
        hydra: the ``hydra`` part of the composed configuration.
        given: the dotted keys that the command line set.
    """

    def __init__(self, hydra: DictConfig, given: set[str]) -> None:
        self.hydra = hydra
        self.given = given

    def __call__(self, key: str) -> str:
        """``", in FILE, line N"`` for a key that a file set; nothing for one typed by hand."""
        if key in self.given or key.partition(".")[0] in self.given:
            return ""
        group, _, rest = key.partition(".")
        choice = self.hydra.runtime.choices.get(group)
        asked = [(f"{self.hydra.job.config_name}.yaml", key)]
        if choice:
            asked.append((f"{group}/{choice}.yaml", rest))
        if experiment := self.hydra.runtime.choices.get("experiment"):
            asked.insert(0, (f"experiment/{experiment}.yaml", key))
        for name, inside in asked:
            for folder in self._folders():
                file = folder.joinpath(*name.split("/"))
                if file.is_file() and (line := _line_of(file, inside)):
                    return f", in {file}, line {line}"
        return ""

    def _folders(self) -> list[Path | Traversable]:
        """Where the files are looked for, the user's own folders first."""
        folders: list[Path | Traversable] = []
        for source in self.hydra.runtime.config_sources:
            if source.schema == "file":
                folders.insert(0, Path(source.path))
            elif source.path == FILES:
                folders.append(files(FILES))
        return folders


def _line_of(file: Path | Traversable, key: str) -> int:
    """The line, counted from 1, that sets a dotted key; 0 when the file does not."""
    node, line = yaml.compose(file.read_text(encoding="utf-8")), 0
    for part in key.split("."):
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        found = [(name, value) for name, value in pairs if name.value == part]
        if not found:
            return 0
        line, node = found[0][0].start_mark.line + 1, found[0][1]
    return line
