"""Views that are attributes: transposes, and the parts of complex numbers."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from rushlight import ops
from rushlight.base.errors import ShapeError

from .tensor import Tensor, method

_MATRICES = "matrices or batches of matrices"


def _swapped(name: str, x: Tensor) -> Tensor:
    """The last two dimensions swapped; a 0-d tensor as it is.

    Raises:
        ShapeError: there is only one.
    """
    if not x.ndim:
        return _of_no_dimensions(name, x)
    if x.ndim < 2:
        raise _refused(name, _MATRICES, x)
    return x.transpose(-2, -1)


def _of_no_dimensions(name: str, x: Tensor) -> Tensor:
    told = f"Tensor.{name} is" if name != "adjoint" else "adjoint() is"
    instead = "This function is the identity in these cases."
    if name in ("H", "mH", "adjoint"):
        instead = "Consider using x.conj()."
    warnings.warn(f"{told} deprecated on 0-D tensors. {instead}", UserWarning, stacklevel=4)
    return x


def _refused(name: str, ranks: str, x: Tensor) -> ShapeError:
    shown = "adjoint()" if name == "adjoint" else name
    return ShapeError(
        name, f"tensor.{shown} is only supported on {ranks}. Got {x.ndim}-D tensor.",
        hint="For batches of matrices, consider using tensor.mH" if x.ndim > 2 else "",
    )  # fmt: skip


def _reversed(x: Tensor) -> Tensor:
    if not x.ndim:
        return _of_no_dimensions("T", x)
    if x.ndim != 2:
        warnings.warn(
            "The use of `x.T` on tensors of dimension other than 2 to reverse their shape is"
            " deprecated and it will throw an error in a future release. Consider `x.mT` to"
            " transpose batches of matrices or `x.permute(*torch.arange(x.ndim - 1, -1, -1))` to"
            " reverse the dimensions of a tensor.",
            UserWarning,
            stacklevel=3,
        )
    return x.permute(tuple(range(x.ndim - 1, -1, -1)))


def _conjugate_transpose(x: Tensor) -> Tensor:
    if x.ndim not in (0, 2):
        raise _refused("H", "matrices (2-D tensors)", x)
    return _swapped("H", x).conj()


def _part(name: str) -> tuple[Callable[[Tensor], Tensor], Callable[[Tensor, Any], None]]:
    """Reading and writing a part of complex numbers."""

    def get(x: Tensor) -> Tensor:
        return x._alias(getattr(ops, name)(x.node))

    def put(x: Tensor, value: Any) -> None:
        get(x)[...] = value

    return get, put


_ATTRIBUTES: dict[str, tuple[Any, Any, str]] = {
    "T": (_reversed, None, "The dimensions in reverse order."),
    "mT": (lambda x: _swapped("mT", x), None, "The last two dimensions swapped."),
    "H": (_conjugate_transpose, None, "The conjugate transpose of a matrix."),
    "mH": (lambda x: _swapped("mH", x).conj(), None, "Conjugated, the last two swapped."),
    "real": (*_part("real"), "The real parts, in the same memory; itself when it is real."),
    "imag": (*_part("imag"), "The imaginary parts, in the same memory."),
}
for _name, (_get, _put, _doc) in _ATTRIBUTES.items():
    setattr(Tensor, _name, property(_get, _put, doc=_doc))


@method
def adjoint(self: Tensor) -> Tensor:
    """Conjugated, the last two dimensions swapped."""
    return _swapped("adjoint", self).conj()
