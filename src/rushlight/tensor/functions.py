"""The public functions and methods, found in the operations' signatures.

For each signature of each operation there is a function with exactly PyTorch's parameters, a
method when the first is ``self``, and an in-place method where the operation has one. There are
hundreds and a program uses a few dozen, so each is made when it is first asked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from rushlight.graph.op import Op, table

from .tensor import Tensor

Function = Callable[..., Any]


class Functions(Mapping[str, Function]):
    """The functions of one module by name."""

    def __init__(self) -> None:
        self._sources: dict[str, tuple[Op, str]] = {}
        self._made: dict[str, Function] = {}

    def add(self, name: str, op: Op, text: str) -> None:
        """Notes the signature that a name stands for."""
        self._sources[name] = op, text

    def __getitem__(self, name: str) -> Function:
        if name not in self._made:
            op, text = self._sources[name]
            from .generate import function

            self._made[name] = function(op, text)
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._sources)

    def __len__(self) -> int:
        return len(self._sources)

    def __contains__(self, name: object) -> bool:
        return name in self._sources


public: dict[str, Functions] = {}
"""Functions by module (``""`` for ``rushlight`` itself) and name."""


class _Unmade:
    """A method of Tensor that nobody has used yet: the first look at it puts it in its place."""

    __slots__ = ("name", "op", "text")

    def __init__(self, name: str, op: Op, text: str) -> None:
        self.name = name
        self.op = op
        self.text = text

    def __get__(self, instance: Tensor | None, owner: type[Tensor]) -> Any:
        from .generate import in_place, method

        made = (in_place if self.name.endswith("_") else method)(self.op, self.text)
        setattr(Tensor, self.name, made)
        return getattr(owner if instance is None else instance, self.name)


_SIGNATURE = re.compile(r"([\w]+)(?:\.\w+)?\((?:.*?(Tensor(?:\(a!?\))? self\b))?")


def install() -> None:
    """Fills :data:`public` and gives Tensor its methods."""
    for op in table.values():
        for text in (op.torch,) if isinstance(op.torch, str) else op.torch:
            match = _SIGNATURE.match(text)
            assert match is not None, text
            name = match[1]
            public.setdefault(op.module, Functions()).add(name, op, text)
            if not match[2]:
                continue
            if not op.module and name not in Tensor.__dict__:
                setattr(Tensor, name, _Unmade(name, op, text))
            if getattr(op, "inplace", False):
                setattr(Tensor, f"{name}_", _Unmade(f"{name}_", op, text))


install()
