"""The eighteen transforms of ``fft``, and shifts of what they give."""

from __future__ import annotations

from typing import Any

from rushlight import ops
from rushlight.base import shapes
from rushlight.graph.node import Node
from rushlight.graph.op import Composite

from .fft import (
    Along,
    Backward,
    Forward,
    HermitianBackward,
    HermitianForward,
    Over,
    OverTwo,
    RealBackward,
    RealForward,
    Sizes,
)

_ONE = "(Tensor self, int? n=None, int dim=-1, str? norm=None) -> Tensor"
_TWO = "(Tensor self, int[1]? s=None, int[1] dim=[-2,-1], str? norm=None) -> Tensor"
_ALL = "(Tensor self, int[1]? s=None, int[1]? dim=None, str? norm=None) -> Tensor"


class Fft(Forward, Along):
    """The discrete Fourier transform along one dimension, cut or filled up to ``n`` elements.

    ``norm`` is ``"backward"`` (the inverse divides by ``n``), ``"forward"`` (this one does) or
    ``"ortho"`` (both divide by the root of ``n``).

    Example:
        >>> import rushlight as rl
        >>> rl.fft.fft(rl.tensor([1.0, 0.0, 0.0, 0.0]))
        tensor([1.+0.j, 1.+0.j, 1.+0.j, 1.+0.j])
    """

    autocast = "wide"
    name, torch = "fft_fft", f"fft{_ONE}"


class Ifft(Backward, Along):
    """The inverse of :func:`fft`."""

    autocast = "wide"
    name, torch = "fft_ifft", f"ifft{_ONE}"


class Rfft(RealForward, Along):
    """:func:`fft` of real numbers: the first ``n // 2 + 1`` elements, which say all.

    Example:
        >>> import rushlight as rl
        >>> rl.fft.rfft(rl.tensor([1.0, 2.0, 3.0, 4.0])).real
        tensor([10., -2., -2.])
    """

    autocast = "wide"
    name, torch = "fft_rfft", f"rfft{_ONE}"


class Irfft(RealBackward, Along):
    """The inverse of :func:`rfft`: ``n`` real numbers, an even number when ``n`` is not given."""

    autocast = "wide"
    name, torch = "fft_irfft", f"irfft{_ONE}"


class Hfft(HermitianForward, Along):
    """:func:`fft` of numbers that are their own conjugates in reverse, given as the first half."""

    autocast = "wide"
    name, torch = "fft_hfft", f"hfft{_ONE}"


class Ihfft(HermitianBackward, Along):
    """The inverse of :func:`hfft`."""

    autocast = "wide"
    name, torch = "fft_ihfft", f"ihfft{_ONE}"


class Fft2(Forward, OverTwo):
    """:func:`fft` along two dimensions."""

    autocast = "wide"
    name, torch = "fft_fft2", f"fft2{_TWO}"


class Ifft2(Backward, OverTwo):
    """:func:`ifft` along two dimensions."""

    autocast = "wide"
    name, torch = "fft_ifft2", f"ifft2{_TWO}"


class Rfft2(RealForward, OverTwo):
    """:func:`rfft` along two dimensions; the last one is halved."""

    autocast = "wide"
    name, torch = "fft_rfft2", f"rfft2{_TWO}"


class Irfft2(RealBackward, OverTwo):
    """The inverse of :func:`rfft2`."""

    autocast = "wide"
    name, torch = "fft_irfft2", f"irfft2{_TWO}"


class Hfft2(HermitianForward, OverTwo):
    """:func:`hfft` along two dimensions, of which the last is given as half."""

    name, torch = "fft_hfft2", f"hfft2{_TWO}"


class Ihfft2(HermitianBackward, OverTwo):
    """The inverse of :func:`hfft2`."""

    name, torch = "fft_ihfft2", f"ihfft2{_TWO}"


class Fftn(Forward, Over):
    """:func:`fft` along several dimensions: all, or the last ``len(s)``, or ``dim``."""

    autocast = "wide"
    name, torch = "fft_fftn", f"fftn{_ALL}"


class Ifftn(Backward, Over):
    """The inverse of :func:`fftn`."""

    autocast = "wide"
    name, torch = "fft_ifftn", f"ifftn{_ALL}"


class Rfftn(RealForward, Over):
    """:func:`rfft` along several dimensions; the last one is halved."""

    autocast = "wide"
    name, torch = "fft_rfftn", f"rfftn{_ALL}"


class Irfftn(RealBackward, Over):
    """The inverse of :func:`rfftn`."""

    autocast = "wide"
    name, torch = "fft_irfftn", f"irfftn{_ALL}"


class Hfftn(HermitianForward, Over):
    """:func:`hfft` along several dimensions, of which the last is given as half."""

    name, torch = "fft_hfftn", f"hfftn{_ALL}"


class Ihfftn(HermitianBackward, Over):
    """The inverse of :func:`hfftn`."""

    name, torch = "fft_ihfftn", f"ihfftn{_ALL}"


class FftShift(Composite):
    """The elements of a transform with the one of frequency 0 moved to the middle.

    Example:
        >>> import rushlight as rl
        >>> rl.fft.fftshift(rl.tensor([0, 1, 2, -2, -1]))
        tensor([-2, -1,  0,  1,  2])
    """

    name, module = "fft_fftshift", "fft"
    torch = "fftshift(Tensor self, int[1]? dim=None) -> Tensor"

    def __call__(self, x: Node, dim: Sizes = None) -> Node:
        given = range(x.ndim) if dim is None else (dim,) if isinstance(dim, int) else dim
        dims = [shapes.axis(f"fft.{self.name[4:]}", d, x.ndim) for d in given]
        return ops.roll(x, [self._shift(x.shape[d] if x.ndim else 1) for d in dims], dims)

    def _shift(self, size: int) -> int:
        return size // 2

    def samples(self, make: Any) -> Any:
        yield make(5)
        yield make(4, 3)
        yield make.int(3, 4), 1
        yield make.complex(2, 3, 4), (0, 2)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3), 1), IndexError, "Dimension out of range"
        yield lambda: make.call(make()), RuntimeError, "`shifts` required"


class IfftShift(FftShift):
    """The inverse of :func:`fftshift`."""

    name = "fft_ifftshift"
    torch = "ifftshift(Tensor self, int[1]? dim=None) -> Tensor"

    def _shift(self, size: int) -> int:
        return (size + 1) // 2


fft_fft, fft_fft2, fft_fftn = Fft(), Fft2(), Fftn()
fft_ifft, fft_ifft2, fft_ifftn = Ifft(), Ifft2(), Ifftn()
fft_rfft, fft_rfft2, fft_rfftn = Rfft(), Rfft2(), Rfftn()
fft_irfft, fft_irfft2, fft_irfftn = Irfft(), Irfft2(), Irfftn()
fft_hfft, fft_hfft2, fft_hfftn = Hfft(), Hfft2(), Hfftn()
fft_ihfft, fft_ihfft2, fft_ihfftn = Ihfft(), Ihfft2(), Ihfftn()
fft_fftshift, fft_ifftshift = FftShift(), IfftShift()
