"""What distributions share that are told by a probability or its log-odds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rushlight.tensor.tensor import Tensor

from .distribution import (
    broadcast_all,
    lazy_property,
    logits_to_probs,
    probs_to_logits,
)

Shape = Sequence[int]


class Odds:
    """``probs`` or ``logits`` of a choice between two, one worked out from the other. Abstract."""

    _param: Tensor

    def _take(self, probs: Any, logits: Any) -> None:
        if (probs is None) == (logits is None):
            raise ValueError("Either `probs` or `logits` must be specified, but not both.")
        if probs is not None:
            (self.probs,) = broadcast_all(probs)
        else:
            (self.logits,) = broadcast_all(logits)
        self._param = self.probs if probs is not None else self.logits

    @lazy_property
    def logits(self) -> Tensor:
        """Log-odds."""
        return probs_to_logits(self.probs, is_binary=True)

    @lazy_property
    def probs(self) -> Tensor:
        """Probabilities."""
        return logits_to_probs(self.logits, is_binary=True)

    @property
    def param_shape(self) -> Any:
        """Shape of the parameter that was given."""
        return self._param.size()

    def _expanded_odds(self, batch_shape: Shape, instance: Any, names: Shape | Any = ()) -> Any:
        new = self._expanded(batch_shape, instance, ("probs", "logits", *names))  # type: ignore[attr-defined]
        new._param = new.__dict__.get("probs", new.__dict__.get("logits"))
        return new


def listed(values: Tensor, batch_shape: Any, expand: bool) -> Tensor:
    values = values.view((-1, *(1,) * len(batch_shape)))
    return values.expand((-1, *batch_shape)) if expand else values
