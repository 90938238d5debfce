"""Arguments and results as flat lists of tensors and a form that puts them together again.

A form is plain data (it is written to files): ``["tensor", k]``, ``["constant", value]``,
``["tuple", forms]``, ``["list", forms]``, ``["dict", [[key, form], ...]]``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rushlight.base.errors import ArgTypeError
from rushlight.tensor.tensor import Tensor

Form = list[Any]
_CONSTANTS = (type(None), bool, int, float, str)


class Flat:
    """A tree taken apart.

    Args:
        tree: tensors and constants in tuples, lists and dictionaries.
        name: of the whole, from which its tensors are named: ``x``, ``x_0``, ``x_mask``.
        what: what it is in messages: an argument or a result.
    Attributes:
        tensors: from left to right; one that is there twice is listed twice.
        names: of them.
        form: how they are put together.
    """

    def __init__(self, tree: Any, name: str, what: str, first: int = 0) -> None:
        self.tensors: list[Tensor] = []
        self.names: list[str] = []
        self._first, self._what = first, what
        self.form = self._taken(tree, name)

    def _taken(self, tree: Any, name: str) -> Form:
        if isinstance(tree, Tensor):
            self.tensors.append(tree)
            self.names.append(name)
            return ["tensor", self._first + len(self.tensors) - 1]
        if isinstance(tree, tuple | list):
            kind = "list" if isinstance(tree, list) else "tuple"
            return [kind, [self._taken(each, f"{name}_{k}") for k, each in enumerate(tree)]]
        if isinstance(tree, Mapping) and all(isinstance(key, str | int) for key in tree):
            return [
                "dict", [[key, self._taken(each, f"{name}_{key}")] for key, each in tree.items()]
            ]  # fmt: skip
        if type(tree) in _CONSTANTS:
            return ["constant", tree]
        hint = "Return a tuple or a dictionary of tensors."
        if dataclasses.is_dataclass(tree):
            hint = "Return dataclasses.asdict(...) of it, or a tuple."
        raise ArgTypeError(
            "export",
            f"{self._what} {name} is a {type(tree).__qualname__}, whose class would not be there"
            " where the program is loaded",
            rule="Programs take and give tensors, numbers, strings and None in tuples, lists and"
            " dictionaries.",
            hint=hint,
        )


def put_together(form: Form, tensors: Sequence[Any]) -> Any:
    """The tree of a form."""
    kind, content = form
    if kind == "tensor":
        return tensors[content]
    if kind == "constant":
        return content
    if kind == "dict":
        return {key: put_together(each, tensors) for key, each in content}
    made = [put_together(each, tensors) for each in content]
    return tuple(made) if kind == "tuple" else made


def matched(form: Form, tree: Any, wrong: Callable[[str], Exception], where: str = "") -> list[Any]:
    """The tensors of a tree of the same form as one that was recorded.

    Raises:
        Exception: what ``wrong`` makes of a sentence, where the tree has another form.
    """
    kind, content = form
    if kind == "tensor":
        if not isinstance(tree, Tensor):
            raise wrong(f"{where} must be a Tensor, not {type(tree).__name__}")
        return [tree]
    if kind == "constant":
        if type(tree) is not type(content) or tree != content:
            raise wrong(f"{where} was recorded as {content!r} and cannot become {tree!r}")
        return []
    if kind == "dict":
        keys = [key for key, _ in content]
        if not isinstance(tree, Mapping) or set(tree) != set(keys):
            raise wrong(f"{where} must be a dictionary with the keys {keys}")
        pairs = [(each, tree[key], f"{where}[{key!r}]") for key, each in content]
    else:
        if not isinstance(tree, tuple | list) or len(tree) != len(content):
            raise wrong(f"{where} must be a {kind} of {len(content)}")
        pairs = [
            (each, given, f"{where}[{k}]")
            for k, (each, given) in enumerate(zip(content, tree, strict=True))
        ]
    return [x for each, given, place in pairs for x in matched(each, given, wrong, place)]
