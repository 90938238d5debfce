"""PyTorch's function signatures, read from the text that each operation carries."""

from __future__ import annotations

import re
from dataclasses import dataclass

_RESULT = re.compile(r"^(?P<name>[\w.]+)\((?P<arguments>.*)\)\s*->\s*(?P<result>.+)$", re.S)


@dataclass(frozen=True)
class Parameter:
    """One parameter.

    Attributes:
        type: PyTorch's type, such as ``"Tensor?"`` or ``"int[]"``.
        default: the default as Python source, or None when there is none.
        keyword_only: whether it stands behind the ``*``.
        spread: whether any number of arguments are given one by one, as ``*tensors``.
    """

    name: str
    type: str
    default: str | None
    keyword_only: bool
    spread: bool = False

    @property
    def is_tensor(self) -> bool:
        """Whether it takes one tensor."""
        return self.type.rstrip("?") in ("Tensor", "Tensor(a)", "Tensor(a!)")

    @property
    def is_tensor_list(self) -> bool:
        """Whether it takes a sequence of tensors."""
        return self.type.startswith("Tensor") and "[" in self.type

    @property
    def is_optional(self) -> bool:
        """Whether None is allowed."""
        return self.type.endswith("?")

    @property
    def takes_varargs(self) -> bool:
        """Whether a method may be given the ints one by one, as in ``x.view(2, 3)``."""
        return self.type == "int[]"


@dataclass(frozen=True)
class Schema:
    """One signature.

    Attributes:
        is_view: whether the result shares memory with the first parameter.
        fields: names of the results when there are several.
        result_is_list: whether the result is any number of tensors.
    """

    name: str
    parameters: tuple[Parameter, ...]
    is_view: bool
    fields: tuple[str, ...]
    result_is_list: bool

    @property
    def has_self(self) -> bool:
        """Whether there is a method form."""
        return bool(self.parameters) and self.parameters[0].name == "self"


_PYTHON = {"True": "True", "False": "False", "None": "None", "Mean": "'mean'"}


def parse(text: str) -> Schema:
    """Reads a signature such as ``sum(Tensor self, int[]? dim=None) -> Tensor``."""
    match = _RESULT.match(text)
    if match is None:
        raise ValueError(f"not a signature: {text}")
    parameters = []
    keyword_only = False
    for argument in _split(match["arguments"]):
        if argument == "*":
            keyword_only = True
            continue
        kind, _, rest = argument.rpartition(" ")
        name, _, default = rest.partition("=")
        spread, name = name.startswith("*"), name.lstrip("*")
        parameters.append(Parameter(name, kind, _default(default, kind), keyword_only, spread))
    result = match["result"].strip()
    fields: tuple[str, ...] = ()
    if result.startswith("(") and "," in result:
        fields = tuple(part.split()[-1] for part in _split(result[1:-1]))
    return Schema(
        match["name"].split(".")[0],
        tuple(parameters),
        "(a)" in result,
        fields,
        result.endswith("[]"),
    )


def _split(text: str) -> list[str]:
    """Splits at commas outside of brackets."""
    parts, depth, start = [], 0, 0
    for position, letter in enumerate(text):
        depth += (letter in "([") - (letter in ")]")
        if letter == "," and depth == 0:
            parts.append(text[start:position].strip())
            start = position + 1
    parts.append(text[start:].strip())
    return [part for part in parts if part]


def _default(text: str, kind: str) -> str | None:
    if not text:
        return None
    if kind.startswith(("int[", "float[")) and text.startswith("["):
        return f"({text[1:-1]},)" if text != "[]" else "()"
    return _PYTHON.get(text, text)
