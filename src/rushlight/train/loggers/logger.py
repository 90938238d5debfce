"""What a logger does."""

from __future__ import annotations

import contextlib
import importlib.util
import os
from argparse import Namespace
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

import rushlight as rl


class Logger:
    """The base of loggers; a Trainer hands all its metrics to :meth:`log_metrics`."""

    @property
    def name(self) -> str | None:
        """The experiment's name."""
        raise NotImplementedError

    @property
    def version(self) -> int | str | None:
        """The run's number or name."""
        raise NotImplementedError

    @property
    def root_dir(self) -> str | None:
        return None

    @property
    def log_dir(self) -> str | None:
        return None

    @property
    def save_dir(self) -> str | None:
        return None

    @property
    def group_separator(self) -> str:
        return "/"

    @property
    def experiment(self) -> Any:
        """The object that writes; it is made when it is first asked for."""
        return None

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        """Writes metrics of a step."""
        raise NotImplementedError

    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """Writes what a run was made with."""
        raise NotImplementedError

    def log_graph(self, model: Any, input_array: Any = None) -> None:
        """Writes the model's structure, if the logger can."""

    def save(self) -> None:
        """Puts on the disk what is only in memory."""

    def finalize(self, status: str) -> None:
        """Called at the end, with ``"success"`` or ``"failed"``."""
        self.save()

    def after_save_checkpoint(self, checkpoint_callback: Any) -> None:
        """Called after a ModelCheckpoint has written."""


class DummyLogger(Logger):
    """Writes nothing; any call on its experiment is taken and forgotten."""

    name, version = "", ""

    @property
    def experiment(self) -> Any:
        return _Nothing()

    def log_metrics(self, *args: Any, **kwargs: Any) -> None: ...
    def log_hyperparams(self, *args: Any, **kwargs: Any) -> None: ...


class _Nothing:
    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *args, **kwargs: None


class FolderLogger(Logger):
    """A logger that writes into ``save_dir/name/version_N``. Abstract.

    Args:
        save_dir: where all experiments are.
        name: the experiment; None or an empty name puts runs into ``save_dir`` itself.
        version: the run: a number, or a folder's name; by default the next number.
        prefix: put before all names of metrics.
    """

    JOIN = "-"
    HPARAMS = "hparams.yaml"

    def __init__(
        self,
        save_dir: str | Path,
        name: str | None = "lightning_logs",
        version: int | str | None = None,
        prefix: str = "",
    ) -> None:
        self._save_dir = os.fspath(save_dir)
        self._name = name or ""
        self._version = version
        self._prefix = prefix
        self.hparams: dict[str, Any] = {}

    @property
    def name(self) -> str:
        return self._name

    @property
    def version(self) -> int | str:
        if self._version is None:
            self._version = self._next_version()
        return self._version

    @property
    def save_dir(self) -> str:
        return self._save_dir

    @property
    def root_dir(self) -> str:
        return os.path.join(self.save_dir, self.name)

    @property
    def log_dir(self) -> str:
        version = self.version
        return os.path.join(
            self.root_dir, version if isinstance(version, str) else f"version_{version}"
        )

    def _next_version(self) -> int:
        root = Path(self.root_dir)
        names = [path.name for path in root.glob("version_*") if path.is_dir()]
        numbers = [int(name[8:]) for name in names if name[8:].isdigit()]
        return max(numbers, default=-1) + 1

    def _named(self, metrics: Mapping[str, Any]) -> dict[str, Any]:
        values = {name: _number(value) for name, value in metrics.items()}
        if not self._prefix:
            return values
        return {f"{self._prefix}{self.JOIN}{name}": value for name, value in values.items()}

    def write_hparams(self) -> None:
        """Writes ``hparams.yaml`` of what was given to :meth:`log_hyperparams`."""
        import yaml

        os.makedirs(self.log_dir, exist_ok=True)
        text = yaml.safe_dump(plain(self.hparams), sort_keys=False) if self.hparams else "{}\n"
        Path(self.log_dir, self.HPARAMS).write_text(text)


def _number(value: Any) -> Any:
    return value.item() if isinstance(value, rl.Tensor) else value


def as_dict(params: Any) -> dict[str, Any]:
    """Hyperparameters as a dict."""
    if params is None:
        return {}
    if isinstance(params, Namespace):
        return dict(vars(params))
    if is_dataclass(params) and not isinstance(params, type):
        return asdict(params)
    return dict(params)


def plain(value: Any) -> Any:
    """``value`` as YAML can hold it; other objects become their text."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, rl.Tensor):
        return value.tolist()
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set):
        return [plain(one) for one in value]
    if callable(getattr(value, "item", None)):
        with contextlib.suppress(TypeError, ValueError):
            return plain(value.item())
    return str(value)


def flat(params: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Nested dicts as one, with ``/`` in the names.

    Example:
        >>> flat({"a": {"b": 1}})
        {'a/b': 1}
    """
    found: dict[str, Any] = {}
    for name, value in params.items():
        if isinstance(value, Mapping):
            found.update(flat(value, f"{above}{name}/"))
        else:
            found[f"{above}{name}"] = value
    return found


def chosen_loggers(asked: Any, folder: str) -> list[Logger]:
    """The loggers that a Trainer's ``logger`` means."""
    if asked is True:
        from .csv_logs import CSVLogger
        from .tensorboard import TensorBoardLogger

        there = importlib.util.find_spec("tensorboard") is not None
        return [TensorBoardLogger(folder) if there else CSVLogger(folder)]
    if not asked:
        return []
    return list(asked) if isinstance(asked, Iterable) else [asked]
