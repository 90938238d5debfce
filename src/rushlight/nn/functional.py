"""The functions that layers are made of, under the names of ``torch.nn.functional``.

Most come from the operations' own signatures. What needs more than one operation is written by
hand, in a file per family, and listed here.
"""

# ruff: noqa: F401, I001 - this file is a list of names

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rushlight import ops
from rushlight.tensor.functions import compiled, public
from rushlight.tensor.schema import parse

from .noise import (
    alpha_dropout, dropout, dropout1d, dropout2d, dropout3d, feature_alpha_dropout, gumbel_softmax,
    rrelu,
)  # fmt: skip

if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...


globals().update(public["nn.functional"])


def _own(signature: str) -> Any:
    """A function of an operation whose parameters here differ from those in ``rushlight``."""
    schema = parse(signature)
    return compiled(getattr(ops, schema.name), schema, as_method=False, with_out=False)


relu = _own("relu(Tensor self, bool inplace=False) -> Tensor")
sigmoid = _own("sigmoid(Tensor self) -> Tensor")
tanh = _own("tanh(Tensor self) -> Tensor")
