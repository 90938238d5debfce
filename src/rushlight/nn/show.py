"""Modules as text: their printed form, and the layer that a fault names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rushlight.base.errors import Fault
from rushlight.tensor.tensor import Tensor


def indent(text: str) -> str:
    """``text`` with all lines but the first two columns to the right."""
    first, *rest = text.split("\n")
    return "\n".join([first, *("  " + line if line.strip() else "" for line in rest)])


def show_module(name: str, extra: str, children: Mapping[str, str]) -> str:
    """A module's text, from its own line and the texts of its children."""
    lines = extra.split("\n") if extra else []
    if len(lines) == 1 and not children:
        return f"{name}({extra})"
    lines += [f"({key}): {indent(child)}" for key, child in children.items()]
    return f"{name}(\n  " + "\n  ".join(lines) + "\n)" if lines else f"{name}()"


def show_list(name: str, children: list[str]) -> str:
    """A list's text, with neighbours that look the same in one line: ``(0-2): 3 x ReLU()``."""
    lines = []
    start = 0
    for end, child in enumerate(children):
        if end + 1 < len(children) and children[end + 1] == child:
            continue
        count = end + 1 - start
        lines.append(f"({start}): {child}" if count == 1 else f"({start}-{end}): {count} x {child}")
        start = end + 1
    return f"{name}(\n  " + "\n  ".join(map(indent, lines)) + "\n)" if lines else f"{name}()"


def typename(value: Any) -> str:
    """The type's name in messages: ``torch.FloatTensor``, ``int``, ``models.Net``."""
    if isinstance(value, Tensor):
        return str(value.type())
    named = value if hasattr(value, "__qualname__") else type(value)
    module = named.__module__
    return named.__qualname__ if module == "builtins" else f"{module}.{named.__qualname__}"


def name_layer(module: Any, fault: Fault) -> None:
    """Notes in a fault that it passes through ``module``, on its way from a layer inside it."""
    layer = fault.module
    if layer is None:
        fault.add_layer("", module._get_name())
    elif layer is not module:
        names = (name for name, inside in module.named_modules() if inside is layer)
        fault.add_layer(next(names, ""))
    fault.module = module
