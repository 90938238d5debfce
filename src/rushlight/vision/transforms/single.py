"""What the transforms of the first generation have in common."""

from __future__ import annotations

from enum import Enum
from typing import Any

from .v2.transform import Transform


class SingleImage(Transform):
    """A transform of one PIL image or tensor, which is not looked for in a sample. Abstract.

    It stands before the transform of samples among the bases.
    """

    # The arguments that ``repr`` shows.
    _shown: tuple[str, ...] = ()

    def forward(self, img: Any) -> Any:
        """The image, transformed."""
        result = self.transform(img, self.make_params([img])) if self._happens() else img
        self._settle([result])
        return result

    def _call_kernel(self, functional: Any, inpt: Any, *args: Any, **kwargs: Any) -> Any:
        return functional(inpt, *args, **kwargs)  # which refuses what it does not know

    def __repr__(self) -> str:
        return described(self, **{name: getattr(self, name) for name in self._shown})


def described(owner: Any, **arguments: Any) -> str:
    """A transform with its arguments; interpolation modes by name."""
    pairs = [f"{n}={v.value if isinstance(v, Enum) else v}" for n, v in arguments.items()]
    return f"{type(owner).__name__}({', '.join(pairs)})"
