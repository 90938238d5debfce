"""PyTorch's adaptive pooling functions, which are told how many windows to make."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from rushlight import ops
from rushlight.base.errors import OperationError, ShapeError
from rushlight.base.shapes import Shape, whole
from rushlight.graph.node import Node

from .pool import avg_pool, max_pool
from .pooling import Pooling
from .windows import Adaptive

Sizes = int | Sequence[int | None] | None


class AdaptivePooling(Pooling):
    """Pooling into a number of windows. Abstract.

    Attributes:
        empty_channels: whether there may be none.
    """

    empty_channels: ClassVar[bool] = False

    def windows(self, x: Node, output_size: Sizes) -> tuple[Adaptive, ...]:
        """The windows, once the input is seen to have what they need."""
        rank = self.rank
        if x.ndim not in (rank + 1, rank + 2):
            raise ShapeError(
                self.name,
                f"Expected {rank + 1} to {rank + 2} dimensions: {self.name}(): Expected"
                f" {rank + 1}D or {rank + 2}D tensor, but got: {list(x.shape)}",
            )
        for dim in range(x.ndim - rank if self.empty_channels else 1, x.ndim):
            if x.shape[dim] == 0:
                raise ShapeError(
                    self.name,
                    f"{self.name}(): Expected input to have non-zero size for non-batch dimensions,"
                    f" but input has sizes {list(x.shape)} with dimension {dim} being empty",
                )
        self.check_dtype(x)
        return tuple(map(Adaptive, self._counts(x, output_size)))

    def _counts(self, x: Node, output_size: Sizes) -> Shape:
        rank = self.rank
        sizes = output_size if isinstance(output_size, Sequence) else (output_size,) * rank
        if len(sizes) != rank:
            raise OperationError(
                self.name,
                f"{self.name}: output_size must be {rank}, argument 'output_size' should contain"
                f" {rank} ints (got {len(sizes)})",
            )
        own = x.shape[x.ndim - rank :]
        kept: list[Any] = [
            n if size is None and rank > 1 else size for size, n in zip(sizes, own, strict=True)
        ]
        counts = whole(self.name, kept, "output_size")
        if any(count < 0 for count in counts):
            raise OperationError(
                self.name,
                f"{self.name}: elements of output_size must be greater than or equal to 0 but"
                f" received {list(counts)} (a negative dimension)",
            )
        return counts

    def samples(self, make: Any) -> Any:
        n = self.rank
        yield make(2, 3, *(6,) * n), 3
        yield make(3, *(7,) * n), (3,) * n
        yield make(2, 3, *(5,) * n), 1
        yield make(1, 2, *(3,) * n), 5
        yield make(3, 2, *(4,) * n).transpose(0, 1), 2
        yield make(0, 2, *(4,) * n), 2

    def errors(self, make: Any) -> Any:
        call, n = make.call, self.rank
        x = make(2, 3, *(6,) * n)
        yield lambda: call(make(6), 2), RuntimeError, f"Expected {n + 1} to {n + 2} dimensions"
        yield lambda: call(make(2, 3, *(0,) * n), 2), RuntimeError, "being empty"
        yield lambda: call(x, -1), RuntimeError, "greater than or equal to 0"
        yield lambda: call(x, (1,) * (n + 1)), RuntimeError, f"output_size must be {n}"
        yield lambda: call(x, 1.5), TypeError, "argument 'output_size' must be tuple of ints"
        yield lambda: call(x > 0, 2), RuntimeError, "not implemented for 'Bool'"


class AdaptiveAvgPooling(AdaptivePooling):
    """The average of each of a number of windows. Abstract."""

    def __call__(self, x: Node, output_size: Sizes) -> Node:
        windows = self.windows(x, output_size)
        if self.rank > 1 and all(window.outputs == 1 for window in windows):
            return ops.mean(x, tuple(range(-self.rank, 0)), True)
        return avg_pool.record((x,), windows, "inside")


class AdaptiveMaxPooling(AdaptivePooling):
    """The largest element of each of a number of windows. Abstract."""

    def __call__(
        self, x: Node, output_size: Sizes, return_indices: bool = False
    ) -> Node | tuple[Node, Node]:
        both = max_pool.record((x,), self.windows(x, output_size))
        return (ops.part(both, 0), ops.part(both, 1)) if return_indices else ops.part(both, 0)

    def samples(self, make: Any) -> Any:
        yield from super().samples(make)
        yield make(2, 3, *(6,) * self.rank), 4, {"return_indices": True}


class AdaptiveAvgPool1d(AdaptiveAvgPooling):
    """The averages of ``output_size`` windows of nearly equal size that cover a signal.

    Window ``i`` of ``M`` goes from ``floor(i L / M)`` to ``ceil((i + 1) L / M)``.

    Shape:
        input (N, C, L) or (C, L); output (N, C, output_size) or (C, output_size).
    Raises:
        RuntimeError: shapes or sizes that make no windows.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.functional.adaptive_avg_pool1d(rl.tensor([[1.0, 2.0, 3.0]]), 2)
        tensor([[1.5000, 2.5000]])
    """

    name, rank, module = "adaptive_avg_pool1d", 1, ""
    empty_channels = True
    torch = "adaptive_avg_pool1d(Tensor input, int[1] output_size) -> Tensor"


class AdaptiveAvgPool2d(AdaptiveAvgPooling):
    """The averages of windows that cover an image; as :func:`adaptive_avg_pool1d`.

    Args:
        output_size: the height and the width of the output, or one number for both; None keeps
            that of the input.
    Shape:
        input (N, C, H, W) or (C, H, W).
    Example:
        >>> import rushlight as rl
        >>> rl.nn.functional.adaptive_avg_pool2d(rl.arange(16.0).view(1, 4, 4), 1)
        tensor([[[7.5000]]])
    """

    name, rank = "adaptive_avg_pool2d", 2
    empty_channels = True
    torch = "adaptive_avg_pool2d(Tensor input, int[2] output_size) -> Tensor"


class AdaptiveAvgPool3d(AdaptiveAvgPooling):
    """The averages of windows that cover a volume; as :func:`adaptive_avg_pool2d`."""

    autocast = "wide"
    name, rank = "adaptive_avg_pool3d", 3
    torch = "adaptive_avg_pool3d(Tensor input, int[3] output_size) -> Tensor"


class AdaptiveMaxPool1d(AdaptiveMaxPooling):
    """The largest elements of ``output_size`` windows that cover a signal.

    The windows are those of :func:`adaptive_avg_pool1d`.

    Args:
        return_indices: whether to return, too, where the elements lie.
    Shape:
        input (N, C, L) or (C, L); output (N, C, output_size) or (C, output_size).
    Raises:
        RuntimeError: shapes or sizes that make no windows.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.functional.adaptive_max_pool1d(rl.tensor([[1.0, 4.0, 3.0]]), 2)
        tensor([[4., 4.]])
    """

    name, rank = "adaptive_max_pool1d", 1
    torch = (
        "adaptive_max_pool1d(Tensor input, int[1] output_size, bool return_indices=False) -> Tensor"
    )


class AdaptiveMaxPool2d(AdaptiveMaxPooling):
    """The largest elements of windows that cover an image; as :func:`adaptive_max_pool1d`.

    Args:
        output_size: the height and the width of the output, or one number for both; None keeps
            that of the input.
    Shape:
        input (N, C, H, W) or (C, H, W).
    """

    name, rank = "adaptive_max_pool2d", 2
    torch = (
        "adaptive_max_pool2d(Tensor input, int[2] output_size, bool return_indices=False) -> Tensor"
    )


class AdaptiveMaxPool3d(AdaptiveMaxPooling):
    """The largest elements of windows that cover a volume; as :func:`adaptive_max_pool2d`."""

    autocast = "wide"
    name, rank = "adaptive_max_pool3d", 3
    torch = (
        "adaptive_max_pool3d(Tensor input, int[3] output_size, bool return_indices=False) -> Tensor"
    )


adaptive_avg_pool1d = AdaptiveAvgPool1d()
adaptive_avg_pool2d = AdaptiveAvgPool2d()
adaptive_avg_pool3d = AdaptiveAvgPool3d()
adaptive_max_pool1d = AdaptiveMaxPool1d()
adaptive_max_pool2d = AdaptiveMaxPool2d()
adaptive_max_pool3d = AdaptiveMaxPool3d()
