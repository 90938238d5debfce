"""Models in Hugging Face's folders: ``config.json`` and the weights beside it."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import Any, TypeVar

import rushlight as rl
from rushlight import Tensor

Config = TypeVar("Config")
PathLike = str | os.PathLike[str]
WEIGHTS, INDEX, PICKLED = "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin"


def read_config(folder: PathLike, kind: type[Config]) -> Config:
    """A configuration (a dataclass) from ``config.json``; what it has no field for is left out.

    Raises:
        FileNotFoundError: the folder has no ``config.json``.
    """
    path = Path(folder) / "config.json"
    if not path.exists():
        raise FileNotFoundError(f"{folder} is no folder of a model: it has no config.json")
    given = json.loads(path.read_text("utf-8"))
    known = {field.name for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: value for name, value in given.items() if name in known})


def read_weights(folder: PathLike) -> dict[str, Tensor]:
    """All weights of a folder: ``model.safetensors``, its parts by an index, or a pickled file.

    Raises:
        FileNotFoundError: there are none, or a part is missing.
    """
    folder = Path(folder)
    if (folder / WEIGHTS).exists():
        return rl.load_safetensors(folder / WEIGHTS)
    if (folder / INDEX).exists():
        files = json.loads((folder / INDEX).read_text("utf-8"))["weight_map"]
        missing = [name for name in sorted(set(files.values())) if not (folder / name).exists()]
        if missing:
            raise FileNotFoundError(f"{folder} lacks {', '.join(missing)}, which {INDEX} names")
        parts = {name: rl.load_safetensors(folder / name) for name in set(files.values())}
        return {name: parts[file][name] for name, file in files.items()}
    if (folder / PICKLED).exists():
        return rl.load(folder / PICKLED, weights_only=True)
    raise FileNotFoundError(f"{folder} has no weights: neither {WEIGHTS} nor {INDEX}")


def without_prefix(weights: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Names without the name of the model inside of another, such as ``transformer.``"""
    return {name.removeprefix(prefix): value for name, value in weights.items()}


def fill(model: rl.nn.Module, weights: dict[str, Tensor], optional: tuple[str, ...] = ()) -> None:
    """Copies weights into a model by name; those that it has no place for are left out.

    Args:
        optional: beginnings of names that may be missing.
    Raises:
        RuntimeError: a weight of the model is missing or has another shape.
    """
    wanted = model.state_dict()
    missing = [name for name in wanted
               if name not in weights and not name.startswith(optional)]  # fmt: skip
    if missing:
        raise RuntimeError(f"the checkpoint lacks {len(missing)} weights: {', '.join(missing[:5])}")
    model.load_state_dict({name: weights[name] for name in wanted if name in weights}, strict=False)


def write(folder: PathLike, config: Any, weights: dict[str, Tensor], **more: Any) -> None:
    """Writes ``config.json`` and ``model.safetensors``."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({**more, **dataclasses.asdict(config)}, indent=2)
    (folder / "config.json").write_text(text + "\n", "utf-8")
    tensors = {name: value.detach().contiguous() for name, value in weights.items()}
    rl.save_safetensors(tensors, folder / WEIGHTS, metadata={"format": "pt"})
