"""A tree of plain values and tensors as one safetensors file: tensors in its body, the rest as
JSON in its header. Reading it runs nothing."""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import rushlight as rl

from .durable import write_durably
from .faults import RunFault, disk_sentence

KEY = "rushlight"

# Types that NumPy does not have, as ones of the same size that it has.
STORED_AS = {rl.bfloat16: rl.int16}


def write_tree(path: Path, tree: dict[str, Any]) -> None:
    """Writes ``tree`` to ``path`` in one step (see :func:`write_durably`).

    The tree may hold dicts with string or integer keys, lists, tuples, counters, strings, numbers,
    booleans, None and tensors, nested as one likes. Floats keep every bit.

    Raises:
        OSError: the file could not be written; what was at ``path`` is still there.
        TypeError: the tree holds something else.
    """
    from safetensors.numpy import save

    tensors: dict[str, np.ndarray] = {}
    rest = {key: _split(value, key, tensors) for key, value in tree.items()}
    header = json.dumps({"tree": rest, "crc32": _checksum(rest, tensors)})
    write_durably(path, save(tensors, metadata={KEY: header}))


def read_tree(path: Path) -> dict[str, Any]:
    """Reads what :func:`write_tree` wrote.

    Raises:
        RunFault: the file is missing, cut short, damaged, or another program's.
    """
    header, tensors = _read(
        path,
        lambda file: {name: file.get_tensor(name) for name in file.keys()},  # noqa: SIM118
    )
    try:
        stored = json.loads(header)
        whole = stored["crc32"] == _checksum(stored["tree"], tensors)
        tree = _join(stored["tree"], tensors)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise RunFault(f"{path} is damaged: its header cannot be read") from error
    if not whole or not isinstance(tree, dict):
        raise RunFault(f"{path} is damaged: it does not have the checksum in its header")
    return tree


def read_rest(path: Path) -> dict[str, Any]:
    """What :func:`write_tree` wrote except for tensors, which are None; unchecked, but quick.

    Raises:
        RunFault: as :func:`read_tree`.
    """
    header, tensors = _read(path, lambda file: dict.fromkeys(file.keys()))
    try:
        return _join(json.loads(header)["tree"], tensors)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise RunFault(f"{path} is damaged: its header cannot be read") from error


def _read(path: Path, take: Callable[[Any], dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    """The header of a file of ours, and what ``take`` takes of the rest."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            header = (file.metadata() or {}).get(KEY)
            tensors = take(file)
    except FileNotFoundError as error:
        raise RunFault(f"{path} does not exist") from error
    except OSError as error:
        raise RunFault(disk_sentence(error, f"read {path}")) from error
    except (SafetensorError, KeyError, TypeError) as error:
        raise RunFault(f"{path} is cut short or is not a safetensors file ({error})") from error
    if header is None:
        raise RunFault(f"{path} is a safetensors file that rushlight train did not write")
    return header, tensors


def _split(value: Any, path: str, tensors: dict[str, np.ndarray]) -> Any:
    """``value`` as JSON can hold it, its tensors moved into ``tensors`` under their path."""
    if isinstance(value, rl.Tensor):
        # A copy of its own, in order: safetensors writes the bytes as they lie, and a tensor whose
        # memory NumPy holds can no longer be updated in place.
        held, view = value.detach().clone(), STORED_AS.get(value.dtype)
        if view is not None:
            held = held.view(view)
        elif value.is_complex():
            held = rl.view_as_real(held)
        tensors[path] = np.array(held.numpy(), order="C")
        plain = view is None and not value.is_complex()
        return {"@tensor": path} if plain else {"@tensor": path, "as": str(value.dtype)}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, dict):
        items = [(key, _split(one, f"{path}.{key}", tensors)) for key, one in value.items()]
        if isinstance(value, Counter):
            return {"@counter": items}
        plain = all(isinstance(key, str) and key[:1] != "@" for key in value)
        return dict(items) if plain else {"@dict": items}
    if isinstance(value, list | tuple):
        items = [_split(one, f"{path}.{i}", tensors) for i, one in enumerate(value)]
        return {"@tuple": items} if isinstance(value, tuple) else items
    raise TypeError(f"{path} is a {type(value).__name__}, which a checkpoint cannot hold")


def _join(value: Any, tensors: dict[str, np.ndarray]) -> Any:
    if isinstance(value, list):
        return [_join(one, tensors) for one in value]
    if not isinstance(value, dict):
        return value
    if "@tensor" in value:
        array = tensors[value["@tensor"]]
        return None if array is None else _typed(rl.from_numpy(array), value.get("as"))
    if "@tuple" in value:
        return tuple(_join(one, tensors) for one in value["@tuple"])
    if "@dict" in value:
        return {key: _join(one, tensors) for key, one in value["@dict"]}
    if "@counter" in value:
        return Counter(dict(value["@counter"]))
    return {key: _join(one, tensors) for key, one in value.items()}


def _typed(held: rl.Tensor, dtype: str | None) -> rl.Tensor:
    """A tensor as it was, of what NumPy or safetensors could hold of it."""
    if dtype is None:
        return held
    if "complex" in dtype:
        return rl.view_as_complex(held)
    return held.view(getattr(rl, dtype.removeprefix("torch.")))


def _checksum(rest: Any, tensors: dict[str, np.ndarray]) -> int:
    total = zlib.crc32(json.dumps(rest).encode())
    for name in sorted(tensors):
        array = tensors[name]
        total = zlib.crc32(f"{name} {array.dtype} {array.shape}".encode(), total)
        total = zlib.crc32(array.tobytes(), total)
    return total
