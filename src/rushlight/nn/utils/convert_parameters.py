"""Parameters as one vector, and back."""

from __future__ import annotations

from collections.abc import Iterable

from rushlight.base.errors import ArgTypeError
from rushlight.tensor.functions import public
from rushlight.tensor.tensor import Tensor

cat = public[""]["cat"]


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All elements of the parameters, one after the other.

    Gradients flow through it.

    Shape:
        Any shapes; output (total number of elements,).

    Example:
        >>> import rushlight as rl
        >>> rl.nn.utils.parameters_to_vector([rl.ones(2), rl.zeros(1, 2)])
        tensor([1., 1., 0., 0.])
    """
    return cat([parameter.reshape(-1) for parameter in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Makes slices of a vector the data of the parameters, in their order.

    The parameters then share the vector's memory, as in PyTorch. Elements that are left over are
    ignored.

    Raises:
        TypeError: ``vec`` is not a tensor.
        RuntimeError: the vector is too short.
    """
    if not isinstance(vec, Tensor):
        raise ArgTypeError(
            "vector_to_parameters", f"expected torch.Tensor, but got: {type(vec).__name__}"
        )
    start = 0
    for parameter in parameters:
        end = start + parameter.numel()
        parameter.data = vec[start:end].view_as(parameter).data
        start = end
