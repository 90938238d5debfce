"""Normalizations over batches, layers and groups.

Each is one operation with one operation for its gradients. A gradient that will itself be
differentiated is recorded in elementary operations, in which the statistics depend on the input.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from rushlight import ops
from rushlight.base.dtypes import FLOATS, DType, float32
from rushlight.base.errors import ArgTypeError, ArgValueError, DTypeError, NoKernelError, ShapeError
from rushlight.base.shapes import Shape, prod, whole
from rushlight.graph.node import Node, number
from rushlight.graph.op import Op, recording
from rushlight.graph.spec import Spec

from .moments import Layout, OnArrays, OnNodes, Statistics, gradients, normalized, scaled

Given = tuple[str, ...]


def statistics_dtype(dtype: DType) -> DType:
    """The dtype of statistics: half types have too few digits for them."""
    return float32 if dtype.is_half else dtype


class Normalization(Op):
    """A normalization of its first input by statistics. Abstract.

    The second input is ``eps``; those after it are named by the attribute ``given``, out of
    ``weight``, ``bias``, ``mean`` and ``variance``.
    """

    ulp = 64
    joint = True

    def layout(self, shape: Shape, **form: Any) -> Layout:
        """How an input of this shape is looked at."""
        raise NotImplementedError

    def statistics(self, **form: Any) -> Statistics:
        """What it is normalized by."""
        return "own"

    def apply(self, x: Node, eps: float, *form: Any, **given: Node | None) -> Node:
        """Records the normalization, of a dtype that can be normalized."""
        if x.dtype not in FLOATS:
            raise NoKernelError(
                self.name, f'"{self.name}" not implemented for {ops.TORCH_NAMES[x.dtype.name]}'
            )
        rest = {name: node for name, node in given.items() if node is not None}
        for name, node in rest.items():
            if node.dtype is not x.dtype and not (x.dtype.is_half and node.dtype is float32):
                raise DTypeError(
                    self.name,
                    f"mixed dtype (CPU): all inputs must share same datatype, but input is"
                    f" {x.dtype} and {name} is {node.dtype}.",
                )
        width = number(float(eps), statistics_dtype(x.dtype))
        return self.record((x, width, *rest.values()), *form, tuple(rest))

    def infer(self, x: Spec, eps: Spec, *rest: Spec, given: Given, **form: Any) -> Spec:
        return x

    def vjp(
        self, g: Node, y: Node, x: Node, eps: Node, *rest: Node, given: Given, **form: Any
    ) -> tuple[Node | None, ...]:
        named = dict(zip(given, rest, strict=True))
        own = {"input": x} | {k: named[k] for k in ("weight", "bias") if k in named}
        wanted = tuple(name for name, node in own.items() if node.requires_grad)
        found = norm_grad(
            g, x, eps, *rest, wanted=wanted, given=given,
            layout=self.layout(x.shape, **form), statistics=self.statistics(**form),
        )  # fmt: skip
        by_name = dict(zip(wanted, found, strict=True))
        return by_name.get("input"), None, *(by_name.get(name) for name in given)

    def ref(self, x: Any, eps: Any, *rest: Any, given: Given, **form: Any) -> Any:
        return self._computed(OnArrays, x, eps, rest, given, form)

    def expand(self, x: Node, eps: Node, *rest: Node, given: Given, **form: Any) -> Node:
        y: Node = self._computed(OnNodes, x, eps, rest, given, form)
        return y

    def _computed(
        self, xp: Any, x: Any, eps: Any, rest: tuple[Any, ...], given: Given, form: dict[str, Any]
    ) -> Any:
        layout, named = self.layout(x.shape, **form), dict(zip(given, rest, strict=True))
        statistics = self.statistics(**form)
        mean, variance = named.get("mean"), named.get("variance")
        parts = scaled(xp, x, eps, layout, statistics, mean, variance)
        y = normalized(xp, parts, layout, named.get("weight"), named.get("bias"))
        return xp.reshape(y, x.shape)


class NormGrad(Op):
    """The gradients of a normalization: those of ``wanted``, in that order."""

    name = "norm_grad"
    attrs = ("wanted", "given", "layout", "statistics")

    def __call__(self, g: Node, x: Node, eps: Node, *rest: Node, **form: Any) -> tuple[Node, ...]:
        if recording.grad:
            return self.expand(g, x, eps, *rest, **form)
        attrs = (form[name] for name in self.attrs)
        return ops.parts(self.record((g, x, eps, *rest), *attrs))

    def infer(
        self, g: Spec, x: Spec, eps: Spec, *rest: Spec, wanted: Given, given: Given, **form: Any
    ) -> tuple[Spec, ...]:
        named = {"input": x, **dict(zip(given, rest, strict=True))}
        return tuple(named[name] for name in wanted)

    def expand(self, g: Node, x: Node, eps: Node, *rest: Node, **form: Any) -> tuple[Node, ...]:
        """The same in operations that can be differentiated."""
        # Statistics of the input are worked out again where gradients flow through them.
        return self._computed(OnNodes, g, x, eps, rest, **form, own=not recording.grad)

    def ref(self, g: Any, x: Any, eps: Any, *rest: Any, **form: Any) -> tuple[Any, ...]:
        return self._computed(OnArrays, g, x, eps, rest, **form, own=True)

    def _computed(
        self, xp: Any, g: Any, x: Any, eps: Any, rest: tuple[Any, ...], *,
        wanted: Given, given: Given, layout: Layout, statistics: Statistics, own: bool,
    ) -> tuple[Any, ...]:  # fmt: skip
        """The gradients; ``own`` is whether to take the input's statistics as they are given."""
        named = {"input": x, **dict(zip(given, rest, strict=True))}
        fixed = named if own or statistics == "given" else {}
        mean, variance = fixed.get("mean"), fixed.get("variance")
        parts = scaled(xp, x, eps, layout, statistics, mean, variance)
        found = gradients(xp, g, parts, layout, statistics, named.get("weight"), wanted)
        return tuple(xp.reshape(found[name], named[name].shape) for name in wanted)


class LastDims(Normalization):
    """A normalization over the last dimensions, with a weight of their shape. Abstract."""

    attrs = ("rank", "given")
    batched = "first"
    statistics_: ClassVar[Statistics] = "own"

    def layout(self, shape: Shape, *, rank: int) -> Layout:
        axes = tuple(range(len(shape) - rank, len(shape)))
        return Layout(shape, axes, shape[len(shape) - rank :])

    def statistics(self, *, rank: int) -> Statistics:
        return self.statistics_

    def rank(self, x: Node, normalized_shape: Any, **given: Node | None) -> int:
        """How many dimensions are normalized, once shapes are seen to fit."""
        if isinstance(normalized_shape, int):
            raise ArgTypeError(
                self.name,
                f"{self.name}(): argument 'normalized_shape' (position 2) must be tuple of ints,"
                " not int",
            )
        shape = whole(self.name, tuple(normalized_shape), "normalized_shape")
        if not shape:
            raise ShapeError(
                self.name,
                "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least"
                " one element, but got normalized_shape = []",
            )
        for name, node in given.items():
            if node is not None and node.shape != shape:
                raise ShapeError(
                    self.name,
                    f"Expected {name} to be of same shape as normalized_shape, but got {name} of"
                    f" shape {list(node.shape)} and normalized_shape = {list(shape)}",
                )
        if x.shape[len(x.shape) - len(shape) :] != shape or len(x.shape) < len(shape):
            wanted = ", ".join(["*", *map(str, shape)])
            raise ShapeError(
                self.name,
                f"Given normalized_shape={list(shape)}, expected input with shape [{wanted}], but"
                f" got input of size{list(x.shape)}",
            )
        return len(shape)

    def errors(self, make: Any) -> Any:
        call, x, error = make.call, make(4, 3), RuntimeError
        yield lambda: call(x, (4,)), error, r"expected input with shape \[\*, 4\], but got input"
        yield lambda: call(x, (3,), make(2)), error, "Expected weight to be of same shape as"
        yield lambda: call(x, ()), error, "at least 1-dimensional"
        yield lambda: call(x, 3), TypeError, r"must be tuple of ints, not int"
        yield lambda: call(x, (3,), make(3).double()), error, "mixed dtype"
        yield lambda: call(make.int(4, 3), (3,)), error, "not implemented for 'Long'"


class LayerNorm(LastDims):
    r"""Normalizes the last dimensions of each sample to mean 0 and variance 1.

    .. math:: y = \frac{x - \operatorname{E}[x]}{\sqrt{\operatorname{Var}[x] + \epsilon}}\,w + b

    Args:
        normalized_shape: the sizes of the dimensions that are normalized together.
        weight, bias: of that shape.
    Shape:
        input (*, normalized_shape) floating; output the same. The variance is the biased one.
    Raises:
        RuntimeError: shapes that do not fit, or dtypes that differ.
    Reference:
        Ba et al. 2016, "Layer normalization", arXiv:1607.06450.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.functional.layer_norm(rl.tensor([[1.0, 2.0, 3.0]]), (3,))
        tensor([[-1.2247,  0.0000,  1.2247]])
    """

    name, backward = "layer_norm", "NativeLayerNorm"
    torch = (
        "layer_norm(Tensor input, int[] normalized_shape, Tensor? weight=None, Tensor? bias=None,"
        " float eps=1e-05) -> Tensor"
    )

    def __call__(
        self, x: Node, normalized_shape: Any, weight: Node | None = None, bias: Node | None = None,
        eps: float = 1e-5,
    ) -> Node:  # fmt: skip
        rank = self.rank(x, normalized_shape, weight=weight, bias=bias)
        return self.apply(x, eps, rank, weight=weight, bias=bias)

    def onnx(self, to: Any, x: Any, eps: Any, *rest: Any, rank: int, given: Given) -> Any:
        named = dict(zip(given, rest, strict=True))
        shape = x.shape[x.ndim - rank :]
        scale = named.get("weight") or to("Expand", to.like(1, x), shape)
        return to(
            "LayerNormalization", x, scale, named.get("bias"), axis=-rank, epsilon=to.number(eps)
        )

    def samples(self, make: Any) -> Any:
        yield make(4, 3), (3,)
        yield make(4, 3), (3,), make(3), make(3)
        yield make(2, 4, 3), [4, 3], make(4, 3), {"eps": 0.1}
        yield make(2, 4, 3), (3,), None, make(3).detach()
        yield make(3, 4).T, (3,), make(3), make(3), 1e-3
        yield make(0, 3), (3,), make(3), make(3)


class RMSNorm(LastDims):
    r"""Normalizes the last dimensions of each sample to mean square 1.

    .. math:: y = \frac{x}{\sqrt{\operatorname{E}[x^2] + \epsilon}}\,w

    Args:
        normalized_shape: the sizes of the dimensions that are normalized together.
        weight: of that shape.
        eps: the smallest step of the dtype above 1 when None.
    Shape:
        input (*, normalized_shape) floating or complex; output the same.
    Raises:
        RuntimeError: shapes that do not fit, or dtypes that differ.
    Reference:
        Zhang & Sennrich 2019, "Root mean square layer normalization", arXiv:1910.07467.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.functional.rms_norm(rl.tensor([[3.0, 4.0]]), (2,))
        tensor([[0.8485, 1.1314]])
    """

    name = "rms_norm"
    torch = (
        "rms_norm(Tensor input, int[] normalized_shape, Tensor? weight=None, float? eps=None)"
        " -> Tensor"
    )
    statistics_ = "scale"

    def __call__(
        self, x: Node, normalized_shape: Any, weight: Node | None = None, eps: float | None = None
    ) -> Node:
        rank = self.rank(x, normalized_shape, weight=weight)
        eps = _step(x.dtype.to_real()) if eps is None else eps
        if not x.dtype.is_complex:
            return self.apply(x, eps, rank, weight=weight)
        y = x * ops.rsqrt(ops.mean(x * x, tuple(range(-rank, 0)), True) + eps)
        return y if weight is None else y * weight

    def onnx(self, to: Any, x: Any, eps: Any, *rest: Any, rank: int, given: Given) -> Any:
        if to.opset < 23:
            return None
        scale = rest[0] if rest else to("Expand", to.like(1, x), x.shape[x.ndim - rank :])
        return to("RMSNormalization", x, scale, axis=-rank, epsilon=to.number(eps))

    def grad_name(self, node: Node) -> str:
        return "MulBackward0"

    def samples(self, make: Any) -> Any:
        yield make(4, 3), (3,)
        yield make(4, 3), (3,), make(3)
        yield make(2, 4, 3), [4, 3], make(4, 3), {"eps": 0.1}
        yield make(3, 4).T, (3,), make(3), 1e-3
        yield make.complex(4, 3), (3,), make.complex(3)
        yield make(0, 3), (3,), make(3)


def _step(dtype: DType) -> float:
    """The distance from 1 to the next number of a dtype."""
    bits = {"float16": 10, "bfloat16": 7, "float32": 23}
    return 2.0 ** -bits.get(dtype.name, 52)


def several_values(operation: str, size: Sequence[int]) -> None:
    """Refuses to normalize single values, which would all be 0, given batch, channels, and rest."""
    if prod(size) == size[1] != 0:
        raise ArgValueError(
            operation,
            "Expected more than 1 value per channel when training, got input size"
            f" torch.Size({list(size)})",
            hint="Use larger batches, drop_last=True in the DataLoader, or model.eval().",
        )


norm_grad = NormGrad()
layer_norm = LayerNorm()
rms_norm = RMSNorm()
