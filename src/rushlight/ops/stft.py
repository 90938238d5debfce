"""The short-time Fourier transform and its inverse."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base.errors import DTypeError, Fault, OperationError, RangeError, ShapeError
from rushlight.graph.node import Node, number
from rushlight.graph.op import Composite, Op
from rushlight.graph.spec import Spec

NO_WINDOW = (
    "A window was not provided. A rectangular window will be applied; give window=ones(win_length)"
    " to say that this is meant."
)


class Stft(Composite):
    """The Fourier transforms of windows ``hop_length`` apart, in columns.

    ``win_length`` elements of each ``n_fft`` are weighed with ``window``, the others are left out.
    With ``center`` the signal is first padded, so that the columns' middles start at its first
    element. ``normalized`` divides by the root of ``n_fft``.

    Shape:
        input (L) or (B, L); output (freq, frames) or (B, freq, frames), where ``freq`` is
        ``n_fft // 2 + 1`` with ``onesided`` (as real signals have it) and else ``n_fft``.
    Reference:
        Allen 1977, "Short term spectral analysis, synthesis, and modification by discrete Fourier
        transform".
    Example:
        >>> import rushlight as rl
        >>> rl.stft(rl.ones(8), 4, window=rl.ones(4), return_complex=True).shape
        torch.Size([3, 9])
    """

    autocast = "wide"
    name, ulp = "stft", 256
    torch = (
        "stft(Tensor self, int n_fft, int? hop_length=None, int? win_length=None,"
        " Tensor? window=None, bool center=True, str pad_mode='reflect', bool normalized=False,"
        " bool? onesided=None, bool? return_complex=None, bool? align_to_window=None) -> Tensor"
    )

    def __call__(
        self, x: Node, n_fft: int, hop_length: int | None = None, win_length: int | None = None,
        window: Node | None = None, center: bool = True, pad_mode: str = "reflect",
        normalized: bool = False, onesided: bool | None = None, return_complex: bool | None = None,
        align_to_window: bool | None = None,
    ) -> Node:  # fmt: skip
        if center and align_to_window is not None:
            raise OperationError(
                "stft", "stft align_to_window should only be set when center = false"
            )
        hop = n_fft // 4 if hop_length is None else hop_length
        width = n_fft if win_length is None else win_length
        single = x.ndim == 1
        if center and x.ndim in (1, 2):
            x = _centered(x, n_fft // 2, pad_mode)
        complex_form = self._answer(x, window, return_complex)
        lines = self._checked(x, n_fft, hop, width, window)
        if align_to_window:
            side = (n_fft - width) // 2
            pairs = ((0, 0), (side, n_fft - width - side))
            lines = ops.pad_constant.record((lines, number(0, lines.dtype)), pairs)
        frames = ops.unfold(lines, 1, n_fft, hop)  # (B, frames, n_fft)
        if window is not None:
            frames = frames * _padded(window, n_fft)
        result = ops.transpose(_spectrum(frames, normalized, onesided), 1, 2)
        result = ops.squeeze(result, 0) if single else result
        return result if complex_form else ops.view_as_real(result)

    def _answer(self, x: Node, window: Node | None, return_complex: bool | None) -> bool:
        """Whether complex numbers are returned."""
        if return_complex is None:
            if not (x.dtype.is_complex or (window is not None and window.dtype.is_complex)):
                raise OperationError(
                    "stft",
                    "stft requires the return_complex parameter be given for real inputs, and will"
                    " further require that return_complex=True in a future PyTorch release.",
                )
            return True
        if not return_complex:
            warnings.warn(
                "stft with return_complex=False is deprecated. In a future release, stft will"
                " return complex tensors for all inputs.",
                UserWarning,
                stacklevel=4,
            )
        return return_complex

    def _checked(self, x: Node, n_fft: int, hop: int, width: int, window: Node | None) -> Node:
        """The signals as rows."""
        if not x.dtype.is_differentiable:
            raise DTypeError("stft", "stft: expected a tensor of floating point or complex values")
        if x.ndim not in (1, 2):
            raise ShapeError("stft", f"stft: expected a 1D or 2D tensor, but got {x.ndim}D")
        length = x.shape[-1]
        if not 0 < n_fft <= length:
            raise OperationError("stft", f"stft: expected 0 < n_fft <= {length}, but got {n_fft}")
        if hop <= 0:
            raise OperationError("stft", f"stft: expected hop_length > 0, but got {hop}")
        if not 0 < width <= n_fft:
            raise OperationError(
                "stft", f"stft: expected 0 < win_length <= n_fft, but got win_length={width}"
            )
        if window is None:
            warnings.warn(NO_WINDOW, UserWarning, stacklevel=4)
        else:
            _one_window("stft", window, width)
        return ops.unsqueeze(x, 0) if x.ndim == 1 else x

    def samples(self, make: Any) -> Any:
        window = {"window": make(6, low=0.5), "return_complex": True}
        yield make(20), 6, window
        yield make(2, 20), 6, 3, {**window, "normalized": True, "onesided": False}
        yield make(2, 20), 8, 2, 6, {**window, "center": False}
        yield make(20), 8, 2, 6, {**window, "center": False, "align_to_window": True}
        yield make(12), 6, {**window, "pad_mode": "constant"}
        yield make.complex(12), 6, {"window": make(6)}

    def errors(self, make: Any) -> Any:
        x, ones = make(20), make(8, low=1, high=1)
        yield lambda: make.call(x, 8, window=ones), RuntimeError, "return_complex parameter"
        wrong = [
            ((make.int(20), 8), {}, "floating point or complex"),
            ((make(1, 1, 20), 8), {}, "1D or 2D"),
            ((x, 0), {}, "expected 0 < n_fft"),
            ((x, 8, 0), {}, "hop_length > 0"),
            ((x, 8, 2, 9), {}, "win_length <= n_fft"),
            ((x, 8), {"window": make(3)}, "1D window tensor of size equal to win_length=8"),
            ((make.complex(20), 8), {"onesided": True}, "Cannot have onesided output"),
            ((x, 8), {"align_to_window": True}, "only be set when center = false"),
        ]
        for args, named, pattern in wrong:
            given = {"return_complex": True, "window": ones, **named}
            yield lambda a=args, k=given: make.call(*a, **k), RuntimeError, pattern


def _centered(x: Node, side: int, mode: str) -> Node:
    """Signals padded, so that the first window lies around the first element."""
    channels = ops.reshape(x, (*[1] * (3 - x.ndim), *x.shape))
    padded = ops.pad(channels, (side, side), mode)
    return ops.reshape(padded, padded.shape[-x.ndim :])


def _one_window(operation: str, window: Node, width: int) -> None:
    """Refuses what is not one window of ``width`` elements."""
    if window.shape != (width,):
        raise ShapeError(
            operation,
            f"{operation}: expected a 1D window tensor of size equal to win_length={width}, but got"
            f" window with size {list(window.shape)}",
        )


def _padded(window: Node, n_fft: int) -> Node:
    """The window in the middle of ``n_fft`` elements."""
    missing = n_fft - window.shape[0]
    if not missing:
        return window
    pairs = ((missing // 2, missing - missing // 2),)
    return ops.pad_constant.record((window, number(0, window.dtype)), pairs)


def _spectrum(frames: Node, normalized: bool, onesided: bool | None) -> Node:
    norm = "ortho" if normalized else "backward"
    if frames.dtype.is_complex:
        if onesided:
            raise OperationError(
                "stft", "Cannot have onesided output if window or input is complex"
            )
        return ops.fft_fft(frames, norm=norm)
    if onesided is None or onesided:
        return ops.fft_rfft(frames, norm=norm)
    return ops.fft_fft(frames, norm=norm)


class Istft(Composite):
    """The signal whose :func:`stft` is nearest: the columns' inverses, weighed and added up.

    Reference:
        Griffin & Lim 1984, "Signal estimation from modified short-time Fourier transform".
    Example:
        >>> import rushlight as rl
        >>> columns = rl.stft(rl.ones(8), 4, window=rl.ones(4), return_complex=True)
        >>> rl.istft(columns, 4, window=rl.ones(4))
        tensor([1., 1., 1., 1., 1., 1., 1., 1.])
    """

    name, ulp = "istft", 256
    torch = (
        "istft(Tensor self, int n_fft, int? hop_length=None, int? win_length=None,"
        " Tensor? window=None, bool center=True, bool normalized=False, bool? onesided=None,"
        " int? length=None, bool return_complex=False) -> Tensor"
    )

    def __call__(
        self, x: Node, n_fft: int, hop_length: int | None = None, win_length: int | None = None,
        window: Node | None = None, center: bool = True, normalized: bool = False,
        onesided: bool | None = None, length: int | None = None, return_complex: bool = False,
    ) -> Node:  # fmt: skip
        hop = n_fft // 4 if hop_length is None else hop_length
        width = n_fft if win_length is None else win_length
        onesided = self._checked(x, n_fft, hop, width, window, onesided)
        if window is None:
            window = ops.full((width,), 1, x.dtype.to_real())
        weights = _padded(window, n_fft)
        columns = ops.unsqueeze(x, 0) if x.ndim == 2 else x
        norm = "ortho" if normalized else "backward"
        frames = _signals(columns, window, n_fft, norm, onesided, return_complex)
        count = frames.shape[1]
        whole = n_fft + hop * (count - 1)
        signal = ops.refold.record((frames * weights,), 1, whole, hop)
        squares = ops.expand(ops.unsqueeze(weights * weights, 0), (count, n_fft))
        weight = ops.refold.record((squares,), 0, whole, hop)
        start = n_fft // 2 if center else 0
        end = start + length if length is not None else whole - start
        signal = ops.slice_(signal, 1, start, min(end, whole))
        signal = signal / covered.record((ops.slice_(weight, 0, start, min(end, whole)),))
        if end > whole:
            warnings.warn(
                "The length of signal is shorter than the length parameter. Result is being padded"
                " with zeros in the tail. Please check your center and hop_length settings.",
                UserWarning,
                stacklevel=3,
            )
            pairs = ((0, 0), (0, end - whole))
            signal = ops.pad_constant.record((signal, number(0, signal.dtype)), pairs)
        return ops.squeeze(signal, 0) if x.ndim == 2 else signal

    def _checked(
        self, x: Node, n_fft: int, hop: int, width: int, window: Node | None, onesided: bool | None
    ) -> bool:
        """Whether the columns are halves."""
        if not x.dtype.is_complex:
            raise DTypeError(
                "istft",
                "istft requires a complex-valued input tensor matching the output from stft with"
                " return_complex=True.",
            )
        if x.ndim < 2:
            raise RangeError(
                "istft",
                f"Dimension out of range (expected to be in range of [-1, 0], but got {-2})",
            )
        fault = self._fault(x, n_fft, hop, width)
        onesided = x.shape[-2] != n_fft if onesided is None else onesided
        there = n_fft // 2 + 1 if onesided else n_fft
        if fault is None and x.shape[-2] != there:
            fault = ShapeError(
                "istft",
                f"istft: expected the frequency dimension of the input tensor to be {there} for"
                f" n_fft={n_fft} and onesided={onesided}, but got {x.shape[-2]}",
            )
        if fault is not None:
            raise fault
        if window is None:
            warnings.warn(NO_WINDOW, UserWarning, stacklevel=4)
        else:
            _one_window("istft", window, width)
        return onesided

    def _fault(self, x: Node, n_fft: int, hop: int, width: int) -> Fault | None:
        if not x.spec.numel:
            return ShapeError("istft", "istft: input tensor cannot be empty.")
        if x.ndim > 3:
            return ShapeError("istft", f"istft: expected 2 or 3 dimensions, but got {x.ndim}")
        if not 0 < hop <= width:
            return OperationError("istft", "istft: expected 0 < hop_length <= win_length")
        if not 0 < width <= n_fft:
            return OperationError("istft", "istft: expected 0 < win_length <= n_fft")
        return None

    def samples(self, make: Any) -> Any:
        window = {"window": make(6, low=0.5)}
        yield make.complex(4, 7), 6, window
        yield make.complex(2, 4, 7), 6, 2, {**window, "normalized": True, "length": 9}
        yield make.complex(8, 7), 8, 2, 6, {**window, "return_complex": True}
        yield make.complex(6, 7), 6, 3, {**window, "center": False, "onesided": False}

    def errors(self, make: Any) -> Any:
        x, ones = make.complex(5, 7), {"window": make(8, low=1, high=1)}
        yield lambda: make.call(make(5, 7), 8, **ones), RuntimeError, "complex-valued input"
        yield lambda: make.call(make.complex(5), 8, **ones), IndexError, "out of range"
        yield lambda: make.call(make.complex(0, 7), 8, **ones), RuntimeError, "cannot be empty"
        yield lambda: make.call(x, 6, **ones), RuntimeError, "frequency dimension"
        yield lambda: make.call(x, 8, 9, **ones), RuntimeError, "hop_length <= win_length"
        yield lambda: make.call(x, 8, 2, 9), RuntimeError, "win_length <= n_fft"
        yield lambda: make.call(x, 8, window=make(7)), RuntimeError, "win_length=8"
        yield lambda: make.call(x, 8, return_complex=True, **ones), RuntimeError, "Cannot have"
        zeros = make(8, low=0, high=0)
        yield lambda: make.call(x, 8, window=zeros), RuntimeError, "window overlap add min"


def _signals(
    columns: Node, window: Node, n_fft: int, norm: str, onesided: bool, return_complex: bool
) -> Node:
    """The inverse transform of each column, as rows (B, frames, n_fft)."""
    rows = ops.transpose(columns, 1, 2)
    if return_complex:
        if onesided:
            raise OperationError(
                "istft", "Cannot have onesided output if window or input is complex"
            )
        return ops.fft_ifft(rows, norm=norm)
    if window.dtype.is_complex:
        raise DTypeError("istft", "Complex windows are incompatible with return_complex=False")
    return ops.fft_irfft(rows, n_fft, norm=norm)


class Covered(Op):
    """The weights that windows add up to, refused where there is none to divide by."""

    name = "covered"
    batched = "front"

    def infer(self, x: Spec) -> Spec:
        return x

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (g,)

    def ref(self, x: Any) -> Any:
        if x.size and not np.abs(x).min() > 1e-11:
            raise OperationError(
                "istft",
                "istft: window overlap add min: 1",
                rule="Every element of the signal needs a window that is not 0 there.",
            )
        return x

    def onnx(self, to: Any, x: Any) -> Any:
        return to("Identity", x)


stft = Stft()
istft = Istft()
covered = Covered()
