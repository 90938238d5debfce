"""Functions of vectors that take more than operations do: an output tensor, or a distance."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import rushlight as rl
from rushlight import Tensor
from rushlight.base.errors import ArgValueError, OperationError
from rushlight.tensor.arguments import into
from rushlight.tensor.functions import public

Distance = Callable[[Tensor, Tensor], Tensor]


def normalize(
    input: Tensor, p: float = 2.0, dim: int | Sequence[int] = 1, eps: float = 1e-12,
    out: Tensor | None = None,
) -> Tensor:  # fmt: skip
    r"""Vectors along ``dim`` over their length, :math:`x / \max(\lVert x \rVert_p, \epsilon)`.

    Args:
        p: which norm.
        dim: one dimension or several.
        eps: the least length that is divided by.
        out: a tensor to write the result into; there is no gradient then.
    Raises:
        IndexError: there is no such dimension.
        RuntimeError: the dtype is neither floating point nor complex.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.functional.normalize(rl.tensor([[3.0, 4.0]]))
        tensor([[0.6000, 0.8000]])
    """
    result: Tensor = public["nn.functional"]["normalize"](input, p, dim, eps)
    return result if out is None else into(out, result, "normalize")


def triplet_margin_with_distance_loss(
    anchor: Tensor, positive: Tensor, negative: Tensor, *,
    distance_function: Distance | None = None, margin: float = 1.0, swap: bool = False,
    reduction: str = "mean",
) -> Tensor:  # fmt: skip
    r"""Wants an anchor nearer to the positive than to the negative: :math:`\max(0, p - n + m)`.

    Args:
        distance_function: takes two tensors and returns their distances;
            :func:`pairwise_distance` when None.
        swap: whether the positive's distance to the negative counts where it is smaller.
    Raises:
        RuntimeError: the numbers of dimensions differ.
        ValueError: the margin is not positive, or there is no such ``reduction``.
    Example:
        >>> import rushlight as rl
        >>> a, p, n = rl.zeros(1, 2), rl.ones(1, 2), rl.tensor([[0.0, 1.0]])
        >>> rl.nn.functional.triplet_margin_with_distance_loss(a, p, n)
        tensor(1.4142)
    """
    name = "triplet_margin_with_distance_loss"
    if reduction not in ("none", "mean", "sum"):
        raise ArgValueError(name, f"{reduction} is not a valid value for reduction")
    if margin <= 0:
        raise ArgValueError(name, f"margin must be greater than 0, got {margin}")
    if not anchor.ndim == positive.ndim == negative.ndim:
        raise OperationError(
            name,
            "The anchor, positive, and negative tensors are expected to have the same number of"
            f" dimensions, but got: anchor {anchor.ndim}D, positive {positive.ndim}D, and negative"
            f" {negative.ndim}D inputs",
        )
    distance = distance_function or rl.pairwise_distance
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = rl.minimum(far, distance(positive, negative))
    losses = rl.clamp_min(margin + near - far, 0)
    return losses if reduction == "none" else getattr(losses, reduction)()
