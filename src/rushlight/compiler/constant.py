"""A number that an operation's rule was written with, as an operation without inputs."""

from __future__ import annotations

from typing import Any

from rushlight.graph.op import Op


class Constant(Op):
    """The same number everywhere, part of the program's code."""

    name = "constant"
    attrs = ("number",)

    def ref(self, *, number: Any) -> Any:
        return number


CONSTANT = Constant()
