"""Transforms of transforms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import rushlight as rl
from rushlight import nn
from rushlight.vision.transforms import draws

from .checks import check_probability
from .queries import leaves
from .transform import Transform, settled

Transforms = Sequence[Callable[..., Any]]


class _Several(Transform):
    """What holds a sequence of transforms. Abstract."""

    def __init__(self, transforms: Transforms) -> None:
        super().__init__()
        if not isinstance(transforms, Sequence | nn.ModuleList):
            raise TypeError("Argument transforms should be a sequence of callables")
        if not transforms:
            raise ValueError("Pass at least one transform")
        self.transforms = transforms

    def _in_order(self, transforms: Any, inputs: tuple[Any, ...]) -> Any:
        """What comes out after one transform after the other."""
        several = len(inputs) > 1
        for transform in transforms:
            outputs = transform(*inputs)
            inputs = outputs if several else (outputs,)
        return inputs if several else inputs[0]

    def extra_repr(self) -> str:
        return "\n".join(f"    {transform}" for transform in self.transforms)


class Compose(_Several):
    """One transform after the other.

    Raises:
        TypeError: no sequence.
        ValueError: an empty one.
    Example:
        >>> from rushlight.vision.transforms import v2
        >>> v2.Compose([v2.CenterCrop(10), v2.RGB()])
        Compose(
              CenterCrop(size=(10, 10))
              RGB()
        )
    """

    def forward(self, *inputs: Any) -> Any:
        return self._in_order(self.transforms, inputs)


class RandomApply(_Several):
    """All of the transforms, with probability ``p``; else none.

    Raises:
        TypeError, ValueError: no sequence, an empty one, or no probability.
    """

    def __init__(self, transforms: Any, p: float = 0.5) -> None:
        super().__init__(transforms)
        check_probability(p)
        self.p = p

    def _happens(self) -> bool:
        return draws.chance(self.p)

    def forward(self, *inputs: Any) -> Any:
        if self._happens():
            result = self._in_order(self.transforms, inputs)
        else:
            result = inputs if len(inputs) > 1 else inputs[0]
        settled(*leaves(result))
        return result


class RandomChoice(_Several):
    """One of the transforms.

    Args:
        p: their weights; equal ones when None.
    Raises:
        TypeError, ValueError: no sequence, an empty one, or another number of weights.
    """

    def __init__(self, transforms: Transforms, p: list[float] | None = None) -> None:
        super().__init__(transforms)
        weights = [1.0] * len(transforms) if p is None else p
        if len(weights) != len(transforms):
            raise ValueError(
                "Length of p doesn't match the number of transforms:"
                f" {len(weights)} != {len(transforms)}"
            )
        self.p = [weight / sum(weights) for weight in weights]

    def forward(self, *inputs: Any) -> Any:
        chosen = int(rl.multinomial(rl.tensor(self.p), 1).item())
        result = self.transforms[chosen](*inputs)
        settled(*leaves(result))
        return result

    def extra_repr(self) -> str:
        return Transform.extra_repr(self)


class RandomOrder(_Several):
    """All of the transforms in an order that is drawn each time.

    Raises:
        TypeError, ValueError: no sequence, or an empty one.
    """

    def forward(self, *inputs: Any) -> Any:
        for number in rl.randperm(len(self.transforms)).tolist():
            result = self._in_order([self.transforms[number]], inputs)
            settled(*leaves(result))
            inputs = result if len(inputs) > 1 else (result,)
        return result

    def extra_repr(self) -> str:
        return Transform.extra_repr(self)
