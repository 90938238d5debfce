"""Determinants of square matrices."""

from __future__ import annotations

from math import nan
from typing import Any

import numpy as np

from rushlight import ops
from rushlight.graph.node import Node
from rushlight.graph.op import Composite, Op
from rushlight.graph.spec import Spec

from .singular import singular
from .solve import adjoint, bad_made, square, strong, wide


class Det(Op):
    """The determinant of square matrices.

    Example:
        >>> import rushlight as rl
        >>> rl.linalg.det(rl.tensor([[2.0, 1.0], [0.0, 3.0]]))
        tensor(6.)
    """

    name, module = "linalg_det", "linalg"
    batched = "front"
    torch = "det(Tensor A) -> Tensor"
    ulp = 256
    onnx = "Det"

    def __call__(self, a: Node) -> Node:
        square("linalg.det", a)
        return self.record((a,))

    def infer(self, a: Spec) -> Spec:
        return a.with_shape(a.shape[:-2])

    def vjp(self, g: Node, y: Node, a: Node) -> tuple[Node | None, ...]:
        return (wide(g) * cofactors.record((a,)),)

    def ref(self, a: Any) -> Any:
        return np.linalg.det(a)

    def samples(self, make: Any) -> Any:
        yield make(3, 3)
        yield strong(make, 2, 4, 4)
        yield make(0, 0)

    def errors(self, make: Any) -> Any:
        yield from bad_made(make)


class Cofactors(Op):
    """The gradient of the determinant: ``det(A) * inv(A).T``, which singular matrices have too.

    Its own gradient needs an inverse.
    """

    name, ulp = "cofactors", 256
    batched = "front"

    def infer(self, a: Spec) -> Spec:
        return a

    def vjp(self, g: Node, y: Node, a: Node) -> tuple[Node | None, ...]:
        g = ops.conj(g)
        turned = ops.transpose(g, -2, -1)
        change = ops.matmul.product(ops.matmul.product(y, turned), y)
        whole = wide(ops.sum(g * y, (-2, -1))) * y
        return ((whole - change) / wide(ops.conj(ops.linalg_det(a))),)

    def ref(self, a: Any) -> Any:
        u, s, vh = singular("linalg.det", a, refuses=False)
        others = np.stack(
            [np.prod(np.delete(s, k, -1), -1) for k in range(s.shape[-1])] or [s], axis=-1
        ).reshape(s.shape)
        turns = np.conj(np.linalg.det(u) * np.linalg.det(vh))
        return turns[..., None, None] * (u * others[..., None, :]) @ vh


class Slogdet(Op):
    """The sign of the determinant and the logarithm of its absolute value.

    Example:
        >>> import rushlight as rl
        >>> rl.linalg.slogdet(rl.tensor([[1.0, 0.0], [0.0, -1.0]])).sign
        tensor(-1.)
    """

    name, module = "linalg_slogdet", "linalg"
    batched = "front"
    torch = "slogdet(Tensor A) -> (Tensor sign, Tensor logabsdet)"
    ulp = 64

    def __call__(self, a: Node) -> tuple[Node, ...]:
        square("linalg.slogdet", a)
        return ops.parts(self.record((a,)))

    def infer(self, a: Spec) -> tuple[Spec, Spec]:
        sign = a.with_shape(a.shape[:-2])
        return sign, sign.with_dtype(a.dtype.to_real())

    def vjp(self, g: Any, y: Node, a: Node) -> tuple[Node | None, ...]:
        weight = g[1]
        if a.dtype.is_complex and g[0] is not None:
            turn = -1j * ops.imag(ops.conj(g[0]) * ops.part(y, 0))
            weight = turn if weight is None else weight + turn
        if weight is None:  # the sign of real matrices has no gradient
            return (None,)
        return (wide(weight) * adjoint(ops.linalg_inv(a)),)

    def ref(self, a: Any) -> Any:
        return tuple(np.linalg.slogdet(a))

    def samples(self, make: Any) -> Any:
        yield strong(make, 3, 3)
        yield strong(make, 2, 3, 3)

    def errors(self, make: Any) -> Any:
        yield from bad_made(make)


class Logdet(Composite):
    """The logarithm of the determinant; NaN where that is negative."""

    name, torch = "logdet", "logdet(Tensor self) -> Tensor"
    ulp = 64

    def __call__(self, a: Node) -> Node:
        square("logdet", a)
        sign, log = ops.linalg_slogdet(a)
        if a.dtype.is_complex:
            total: Node = ops.log(sign) + log
            return total
        positive: Node = ops.where(ops.lt(sign, 0), nan, log)
        return positive

    def samples(self, make: Any) -> Any:
        yield strong(make, 3, 3)
        yield strong(make, 2, 3, 3)

    def errors(self, make: Any) -> Any:
        yield from bad_made(make)


linalg_det = Det()
cofactors = Cofactors()
linalg_slogdet = Slogdet()
logdet = Logdet()
