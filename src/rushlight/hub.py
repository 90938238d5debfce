"""``rushlight.hub``: weights from an address, and models from a folder with a ``hubconf.py``.

Example:
    >>> import tempfile
    >>> from pathlib import Path
    >>> import rushlight as rl
    >>> folder = Path(tempfile.mkdtemp())
    >>> rl.save({"weight": rl.ones(2)}, folder / "a.pth")
    >>> url = (folder / "a.pth").as_uri()
    >>> rl.hub.load_state_dict_from_url(url, folder / "kept", progress=False)
    {'weight': tensor([1., 1.])}
"""

from __future__ import annotations

import builtins
import importlib.util
import os
import re
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from rushlight import fetch
from rushlight.serialize import load as _load_file
from rushlight.serialize.storage import MapLocation

__all__ = [
    "download_url_to_file", "get_dir", "help", "list", "load", "load_state_dict_from_url",
    "set_dir",
]  # fmt: skip

FilePath = str | os.PathLike[str]

_HASH = re.compile(r"-([a-f0-9]*)\.")  # resnet18-f37072fd.pth: the beginning of its SHA-256
_folder: str | None = None


def get_dir() -> str:
    """The folder for what is downloaded; weights are in ``checkpoints`` in it.

    ``set_dir`` names it; without, it is ``hub`` in ``TORCH_HOME``, where PyTorch would look, or
    in rushlight's own cache folder.
    """
    if _folder is not None:
        return _folder
    home = os.environ.get("TORCH_HOME")
    return os.path.join(os.path.expanduser(home) if home else fetch.cache_folder(), "hub")


def set_dir(d: FilePath) -> None:
    """Names the folder for what is downloaded."""
    global _folder
    _folder = os.path.expanduser(d)


def download_url_to_file(
    url: str, dst: FilePath, hash_prefix: str | None = None, progress: bool = True
) -> None:
    """Downloads ``url`` to the file ``dst``, in place of what is there.

    Args:
        hash_prefix: how the file's SHA-256 begins.

    Raises:
        RuntimeError: another file came, or none; ``dst`` is as it was. It is an ``OSError`` too.
    """
    path = Path(dst).expanduser()
    if not path.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {path.parent}")
    fetch.download(url, path.parent, path.name, sha256=hash_prefix, progress=progress, again=True)


def load_state_dict_from_url(
    url: str,
    model_dir: FilePath | None = None,
    map_location: MapLocation = None,
    progress: bool = True,
    check_hash: bool = False,
    file_name: str | None = None,
    weights_only: bool = True,
) -> dict[str, Any]:
    """Loads the checkpoint at ``url``, downloaded unless it is in ``model_dir``.

    Args:
        model_dir: by default ``checkpoints`` in :func:`get_dir`.
        map_location: as for :func:`rushlight.load`.
        check_hash: the name must be like ``name-0a1b2c3d.pth``, with the first digits of the
            file's SHA-256, which are checked each time.
        file_name: by default the last part of the address.
        weights_only: False believes the file, which can then run any code. PyTorch's default is
            False here; this one is True.

    Raises:
        RuntimeError: the file cannot be had; the sentence says what to put where.
        UnpicklingError: as :func:`rushlight.load`.
    """
    folder = Path(model_dir or os.path.join(get_dir(), "checkpoints")).expanduser()
    name = file_name or os.path.basename(urlsplit(url).path)
    found = _HASH.search(name) if check_hash else None
    path = fetch.download(url, folder, name, sha256=found and found.group(1), progress=progress)
    state: dict[str, Any] = _load_file(
        _checkpoint(path), map_location=map_location, weights_only=weights_only
    )
    return state


def _checkpoint(path: Path) -> Path:
    """``path``, or the checkpoint in it, which people once packed into a zip archive."""
    if not zipfile.is_zipfile(path):
        return path
    with zipfile.ZipFile(path) as file:
        members = file.infolist()
    if len(members) != 1 or members[0].is_dir():
        return path
    return fetch.extract(path) / members[0].filename


# Models from a folder.


def list(
    github: str,
    force_reload: bool = False,
    skip_validation: bool = False,
    trust_repo: bool | str | None = "check",
    verbose: bool = True,
    source: str = "github",
) -> builtins.list[str]:
    """The names of the models that the ``hubconf.py`` of a folder offers.

    Args:
        github: the folder, with ``source="local"``, which PyTorch's ``list`` does not have.

    Raises:
        RuntimeError: ``source`` is ``"github"``: clone the repository yourself.
    """
    with _hubconf(github, source) as module:
        return [name for name in dir(module) if name[0] != "_" and callable(getattr(module, name))]


def help(
    github: str,
    model: str,
    force_reload: bool = False,
    skip_validation: bool = False,
    trust_repo: bool | str | None = "check",
    source: str = "github",
) -> str | None:
    """The docstring of a model that the ``hubconf.py`` of a folder offers; see :func:`list`."""
    with _hubconf(github, source) as module:
        doc: str | None = _entry(module, model).__doc__
        return doc


def load(
    repo_or_dir: FilePath,
    model: str,
    *args: Any,
    source: str = "github",
    trust_repo: bool | str | None = "check",
    force_reload: bool = False,
    verbose: bool = True,
    skip_validation: bool = False,
    **kwargs: Any,
) -> Any:
    """Calls the function ``model`` of the ``hubconf.py`` in the folder ``repo_or_dir``.

    Args:
        source: ``"local"``. PyTorch's default, ``"github"``, runs code that it downloads; here
            a person clones the repository first.

    Raises:
        RuntimeError: ``source`` is ``"github"``; ``hubconf.py`` has no such function, or needs
            libraries that are not installed.
        ValueError: another source.
    """
    with _hubconf(repo_or_dir, source) as module:
        return _entry(module, model)(*args, **kwargs)


@contextmanager
def _hubconf(folder: FilePath, source: str) -> Iterator[ModuleType]:
    """The module of ``hubconf.py``, with its folder first in ``sys.path``."""
    if source.lower() not in ("github", "local"):
        raise ValueError(f'Unknown source: "{source}". Allowed values: "github" | "local".')
    if source.lower() == "github":
        raise RuntimeError(
            f"rushlight downloads no code: clone https://github.com/{os.fspath(folder)} and load "
            'it with source="local" and the folder\'s path'
        )
    place = os.path.expanduser(folder)
    path = os.path.join(place, "hubconf.py")
    if not os.path.isfile(path):
        raise FileNotFoundError(f"there is no {path}")
    sys.path.insert(0, place)
    try:
        spec = importlib.util.spec_from_file_location("hubconf", path)
        assert spec is not None and spec.loader is not None  # it is a file named .py
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module
    finally:
        sys.path.remove(place)


def _entry(module: ModuleType, model: str) -> Any:
    if not isinstance(model, str):
        raise ValueError("Invalid input: model should be a string of function name")
    wanted = getattr(module, "dependencies", ())
    missing = [name for name in wanted if importlib.util.find_spec(name) is None]
    if missing:
        raise RuntimeError(f"Missing dependencies: {', '.join(missing)}")
    found = getattr(module, model, None)
    if not callable(found):
        raise RuntimeError(f"Cannot find callable {model} in hubconf")
    return found
