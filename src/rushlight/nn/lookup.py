"""Looking up rows by number, and numbers as rows."""

from __future__ import annotations

import rushlight as rl
from rushlight import Tensor, no_grad, ops
from rushlight.base.errors import OperationError
from rushlight.tensor.arguments import unwrapped


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """A 1 at the place that each number names, in a new last dimension.

    Args:
        num_classes: the size of the new dimension; -1 looks at the numbers for the largest.
    Shape:
        tensor (*) of int64; output (*, num_classes) of int64.
    Raises:
        RuntimeError: the dtype is another, or a number is not from 0 to ``num_classes`` - 1.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.functional.one_hot(rl.tensor([0, 2]))
        tensor([[1, 0, 0],
                [0, 0, 1]])
    """
    node = unwrapped(tensor, "one_hot", "tensor", 1)
    if num_classes == -1 and tensor.dtype is rl.int64 and tensor.numel():
        num_classes = max(int(tensor.max()) + 1, 0)
    return Tensor(ops.one_hot(node, num_classes))


def embedding(
    input: Tensor, weight: Tensor, padding_idx: int | None = None, max_norm: float | None = None,
    norm_type: float = 2.0, scale_grad_by_freq: bool = False, sparse: bool = False,
) -> Tensor:  # fmt: skip
    """The rows of ``weight`` that ``input`` names.

    Args:
        padding_idx: a row that gets no gradient.
        max_norm: rows that are looked up and longer than this are first made as short, in place.
        norm_type: which norm that is.
        scale_grad_by_freq: whether a row's gradient is divided by how often it was named.
        sparse: accepted as PyTorch does; the gradient is dense.
    Shape:
        input (*) of int32 or int64; weight (V, D); output (*, D).
    Raises:
        AssertionError: ``padding_idx`` is no row.
        IndexError: a number is not from 0 to V - 1.
        RuntimeError: the input is not of an integer type, or the weight is no matrix.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.functional.embedding(rl.tensor([1, 0]), rl.tensor([[1.0, 2.0], [3.0, 4.0]]))
        tensor([[3., 4.],
                [1., 2.]])
    """
    padding = _row("Padding_idx must be within num_embeddings", padding_idx, weight)
    if max_norm is not None:
        _shorten(weight, input, max_norm, norm_type)
    return rl.embedding(weight, input, padding, scale_grad_by_freq, sparse)


def _row(problem: str, place: int | None, weight: Tensor) -> int:
    """A row counted from the front; -1 stands for none."""
    if place is None:
        return -1
    rows = weight.shape[0]
    if not -rows <= place < rows:
        raise AssertionError(problem)
    return place % rows


def _shorten(weight: Tensor, input: Tensor, max_norm: float, norm_type: float) -> None:
    """Scales rows that ``input`` names down to ``max_norm``, in place and without a gradient."""
    with no_grad():
        places = input.reshape(-1)
        rows = rl.embedding(weight, places)
        length = rows.norm(norm_type, 1, True)
        # As PyTorch, which keeps the quotient finite with this.
        factor = rl.where(length > max_norm, max_norm / (length + 1e-7), 1.0)
        weight.index_copy_(0, places.long(), rows * factor)


def embedding_bag(
    input: Tensor, weight: Tensor, offsets: Tensor | None = None, max_norm: float | None = None,
    norm_type: float = 2, scale_grad_by_freq: bool = False, mode: str = "mean",
    sparse: bool = False, per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False, padding_idx: int | None = None,
) -> Tensor:  # fmt: skip
    """The sum, mean or maximum of the rows of ``weight`` that each bag of ``input`` names.

    Args:
        offsets: where in a one-dimensional ``input`` each bag begins.
        mode: ``"sum"``, ``"mean"`` or ``"max"``; an empty bag is 0.
        per_sample_weights: a factor for each row, for ``"sum"`` only.
        include_last_offset: whether ``offsets`` ends with the end of the last bag.
        padding_idx: a row that counts in no bag.
    Shape:
        input (B, N), or (N) with offsets (B); weight (V, D); output (B, D).
    Raises:
        ValueError: shapes or dtypes of input and offsets do not fit each other.
        IndexError: a number is not from 0 to V - 1.
    Example:
        >>> import rushlight as rl
        >>> weight = rl.tensor([[1.0, 2.0], [3.0, 4.0]])
        >>> rl.nn.functional.embedding_bag(rl.tensor([0, 1, 1]), weight, rl.tensor([0, 1]))
        tensor([[1., 2.],
                [3., 4.]])
    """
    _check_bag(input, offsets, mode, per_sample_weights)
    padding = _row("padding_idx must be within the number of embeddings", padding_idx, weight)
    if max_norm is not None:
        _shorten(weight, input, max_norm, norm_type)
    flat = input.reshape(-1)
    if input.dim() == 2:
        bags = input.shape[0]
        bag = rl.arange(bags).repeat_interleave(input.shape[1])
    else:
        assert offsets is not None
        starts = offsets[:-1] if include_last_offset else offsets
        bags = starts.shape[0]
        bag = (rl.arange(flat.shape[0]).unsqueeze(1) >= starts).sum(1) - 1
    rows = rl.embedding(weight, flat, padding, scale_grad_by_freq, sparse)
    counts = (flat != padding).to(rows.dtype).unsqueeze(1)
    if per_sample_weights is not None:
        rows = rows * per_sample_weights.reshape(-1, 1)
    return _bagged(rows, counts, bag, bags, mode)


def _bagged(rows: Tensor, counts: Tensor, bag: Tensor, bags: int, mode: str) -> Tensor:
    """Rows (N, D) that count (1) or not (0), put together by bag."""
    empty = rl.zeros(bags, rows.shape[1], dtype=rows.dtype)
    if mode == "max":
        chosen = counts.squeeze(1).bool()
        return empty.index_reduce(0, bag[chosen], rows[chosen], "amax", include_self=False)
    total = empty.index_add(0, bag, rows * counts)
    if mode == "sum":
        return total
    size = rl.zeros(bags, 1, dtype=rows.dtype).index_add(0, bag, counts)
    return total / size.clamp(min=1)


def _check_bag(
    input: Tensor, offsets: Tensor | None, mode: str, per_sample_weights: Tensor | None
) -> None:
    if per_sample_weights is not None and input.shape != per_sample_weights.shape:
        raise ValueError(
            f"embedding_bag: If per_sample_weights ({per_sample_weights.shape}) is not None,"
            f" then it must have the same shape as the input ({input.shape})"
        )
    if input.dim() == 2 and offsets is not None:
        raise ValueError(
            "if input is 2D, then offsets has to be None, as input is treated is a mini-batch of"
            f" fixed length sequences. However, found offsets of type {type(offsets)}"
        )
    if input.dim() == 1 and offsets is None:
        raise ValueError("offsets has to be a 1D Tensor but got None")
    if input.dim() == 1 and offsets is not None and offsets.dim() != 1:
        raise ValueError("offsets has to be a 1D Tensor")
    if input.dim() not in (1, 2):
        raise ValueError(
            f"input has to be 1D or 2D Tensor, but got Tensor of dimension {input.dim()}"
        )
    if mode not in ("sum", "mean", "max"):
        raise ValueError("mode has to be one of sum, mean or max")
    if per_sample_weights is not None and mode != "sum":
        raise OperationError(
            "embedding_bag",
            "embedding_bag: per_sample_weights was not None. per_sample_weights is only supported"
            f" for mode='sum' (got mode='{mode}'). Please open a feature request on GitHub.",
        )
