"""Where a pass over a DataLoader stands, so that a later process can go on with it.

The order of a pass is drawn again from the random states that it began with, and what was returned
already is left out. So nothing of the order has to be kept, whatever the sampler.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rushlight.tensor.generator import standard

if TYPE_CHECKING:
    from rushlight import Generator, Tensor
    from rushlight.utils.data.dataloader import DataLoader


@dataclass(frozen=True)
class Start:
    """The random states with which a pass begins.

    Attributes:
        own: of the loader's generator, if it was given one.
        default: of the default generator.
        python, numpy: of ``random`` and of NumPy's global generator, in which a sampler of the
            user's may draw; None where the sampler is known not to.
    """

    own: Tensor | None
    default: Tensor
    python: Any
    numpy: Any

    @classmethod
    def of(cls, loader: DataLoader[Any]) -> Start:
        """The states of this moment."""
        own = None if loader.generator is None else loader.generator.get_state()
        default = standard().get_state()
        if _is_known(loader._index_sampler):
            return cls(own, default, None, None)
        version, words, gauss = random.getstate()
        kind, keys, *rest = np.random.get_state()
        return cls(own, default, [version, list(words), gauss], [kind, keys.tolist(), *rest])

    def restore(self, generator: Generator | None) -> None:
        """Makes these the states of this moment, and of ``generator``, the loader's."""
        if generator is not None and self.own is not None:
            generator.set_state(self.own)
        standard().set_state(self.default)
        if self.python is not None:
            version, words, gauss = self.python
            random.setstate((version, tuple(words), gauss))
        if self.numpy is not None:
            kind, keys, *rest = self.numpy
            np.random.set_state((kind, np.array(keys, np.uint32), *rest))


def _is_known(sampler: Any) -> bool:
    """Whether a sampler, and what it batches, is one of this library's."""
    ours = type(sampler).__module__.startswith("rushlight.")
    return ours and _is_known(sampler.sampler) if hasattr(sampler, "sampler") else ours


@dataclass(frozen=True)
class Position:
    """A pass and how many of its batches have been returned."""

    start: Start
    returned: int
    stream: Any = None

    def state_dict(self) -> dict[str, Any]:
        """As numbers, lists, and one tensor."""
        state = {"returned": self.returned, **vars(self.start)}
        return state if self.stream is None else {**state, "stream": self.stream}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Position:
        """What :meth:`state_dict` was made of.

        Raises:
            KeyError: an entry is missing.
        """
        start = Start(state["own"], state["default"], state["python"], state["numpy"])
        return cls(start, int(state["returned"]), state.get("stream"))
