"""Discrete Fourier transforms between complex and real numbers, through NumPy's FFT.

The three are linear, and each is the gradient of another, so they can be differentiated any number
of times. ``scale`` says what a sum over ``n`` elements is divided by: ``"none"``, ``"root"`` (of
``n``) or ``"count"`` (``n``).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base.buffer import Buffer
from rushlight.base.shapes import Shape
from rushlight.graph.node import Node, known, number
from rushlight.graph.op import Op
from rushlight.graph.spec import Spec

_FORWARD: dict[str, Any] = {"none": "backward", "root": "ortho", "count": "forward"}
_BACKWARD: dict[str, Any] = {"none": "forward", "root": "ortho", "count": "backward"}
"""NumPy's names for what a transform in one direction is divided by."""


class FourierComplex(Op):
    """Complex numbers to complex numbers; ``forward`` has ``exp(-2j pi k m / n)`` as its factors.

    Cooley & Tukey 1965, "An algorithm for the machine calculation of complex Fourier series".
    """

    name, attrs, backward = "fourier_complex", ("dims", "scale", "forward"), "FftC2C"
    batched = "dims"

    def infer(self, x: Spec, *, dims: Shape, scale: str, forward: bool) -> Spec:
        return x

    def vjp(
        self, g: Node, y: Node, x: Node, *, dims: Shape, scale: str, forward: bool
    ) -> tuple[Node | None, ...]:
        return (self.record((g,), dims, scale, not forward),)

    def ref(self, x: Any, *, dims: Shape, scale: str, forward: bool) -> Any:
        if not x.size or not dims:
            return x
        if forward:
            return np.fft.fftn(x, axes=dims, norm=_FORWARD[scale])
        return np.fft.ifftn(x, axes=dims, norm=_BACKWARD[scale])


class FourierFromReal(Op):
    """Real numbers to complex numbers, forward.

    With ``onesided`` only the first ``n // 2 + 1`` elements of the last of ``dims`` are there: the
    others are their conjugates.
    """

    name, attrs, backward = "fourier_from_real", ("dims", "scale", "onesided"), "FftR2C"
    batched = "dims"

    def infer(self, x: Spec, *, dims: Shape, scale: str, onesided: bool) -> Spec:
        shape = _resized(x.shape, dims[-1], x.shape[dims[-1]] // 2 + 1) if onesided else x.shape
        return x.with_shape(shape).with_dtype(x.dtype.to_complex())

    def vjp(
        self, g: Node, y: Node, x: Node, *, dims: Shape, scale: str, onesided: bool
    ) -> tuple[Node | None, ...]:
        if onesided:  # what was left out has no gradient
            missing = x.shape[dims[-1]] - g.shape[dims[-1]]
            pairs = tuple((0, missing if d == dims[-1] else 0) for d in range(x.ndim))
            g = ops.pad_constant.record((g, number(0, g.dtype)), pairs)
        return (ops.real(ops.fourier_complex.record((g,), dims, scale, False)),)

    def ref(self, x: Any, *, dims: Shape, scale: str, onesided: bool) -> Any:
        if not x.size:
            shape = _resized(x.shape, dims[-1], x.shape[dims[-1]] // 2 + 1)
            return np.empty(shape if onesided else x.shape, np.complex128)
        transform = np.fft.rfftn if onesided else np.fft.fftn
        return transform(x, axes=dims, norm=_FORWARD[scale])


class FourierToReal(Op):
    """Half of complex numbers whose others are conjugates to ``size`` real numbers, backward.

    The half is that of the last of ``dims``. The imaginary part of its first element, and of the
    one in the middle when ``size`` is even, is not read.
    """

    name, attrs, backward = "fourier_to_real", ("dims", "scale", "size"), "FftC2R"
    batched = "dims"

    def infer(self, x: Spec, *, dims: Shape, scale: str, size: int) -> Spec:
        return x.with_shape(_resized(x.shape, dims[-1], size)).with_dtype(x.dtype.to_real())

    def vjp(
        self, g: Node, y: Node, x: Node, *, dims: Shape, scale: str, size: int
    ) -> tuple[Node | None, ...]:
        half = ops.fourier_from_real.record((g,), dims, scale, True)
        # Each element that has a conjugate stands for two.
        weights = np.full(size // 2 + 1, 2.0)
        weights[0] = 1.0
        if size % 2 == 0:
            weights[-1] = 1.0
        lined = weights.reshape((-1,) + (1,) * (x.ndim - 1 - dims[-1]))
        return (half * known(Buffer.of(lined.astype(g.dtype.numpy), g.dtype)),)

    def ref(self, x: Any, *, dims: Shape, scale: str, size: int) -> Any:
        if not x.size:
            return np.empty(_resized(x.shape, dims[-1], size), x.real.dtype)
        sizes = [*(x.shape[d] for d in dims[:-1]), size]
        return np.fft.irfftn(x, sizes, dims, _BACKWARD[scale])


def _resized(shape: Shape, dim: int, size: int) -> Shape:
    """``shape`` with another size at ``dim``."""
    return (*shape[:dim], size, *shape[dim + 1 :])


fourier_complex = FourierComplex()
fourier_from_real = FourierFromReal()
fourier_to_real = FourierToReal()
