"""Connectionist temporal classification: losses of sequences whose alignment is not known.

Graves et al. 2006, "Connectionist Temporal Classification: Labelling Unsegmented Sequence Data with
Recurrent Neural Networks". A path emits one class at each time; without repetitions and blanks it
is the target. *States* are the target's classes with blanks before, between and after them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base.buffer import Buffer
from rushlight.base.dtypes import float32, float64, int64
from rushlight.base.errors import (
    ArgTypeError,
    DTypeError,
    NoKernelError,
    OperationError,
    RangeError,
    ShapeError,
)
from rushlight.base.shapes import Shape
from rushlight.graph.node import Node, known
from rushlight.graph.op import Composite, Op
from rushlight.graph.spec import Spec

from .loss import REDUCTIONS, reduction_of
from .places import known_bounds

Lengths = Node | Sequence[int]


class Paths:
    """The paths of a batch, and how likely they are. NumPy.

    Args:
        logs: logarithms of probabilities ``(T, N, C)``.
        targets: classes ``(N, S)``, or those of all samples one after the other.
    """

    def __init__(self, logs: Any, targets: Any, times: Any, lengths: Any, blank: int) -> None:
        check_targets(targets.shape, lengths)
        check_lengths("input_lengths", times, logs.shape[0])
        self.times, self.lengths = times, lengths
        self.states = _states(targets, lengths, blank)
        if self.states.size and not 0 <= self.states.min() <= self.states.max() < logs.shape[2]:
            raise RangeError(
                "ctc_loss", f"a target is no class: classes are 0 to {logs.shape[2] - 1}"
            )
        samples = np.arange(logs.shape[1])[:, None]
        self.logs = logs[:, samples, self.states].astype(np.float64)  # (T, N, states)
        before = np.pad(self.states, ((0, 0), (2, 0)), constant_values=blank)[:, :-2]
        self.skips = (self.states != blank) & (self.states != before)
        self.last = 2 * lengths  # the state behind the last class

    def forward(self) -> Any:
        """How likely each state is at each time with all that led to it, ``(T, N, states)``."""
        found = np.full(self.logs.shape, -np.inf)
        place = np.arange(self.logs.shape[2])
        exists = place <= self.last[:, None]
        if not len(found):
            return found
        found[0] = np.where(exists & (place < 2), self.logs[0], -np.inf)
        for t in range(1, len(found)):
            old = found[t - 1]
            one, two = _moved(old, 1), np.where(self.skips, _moved(old, 2), -np.inf)
            total = np.logaddexp(np.logaddexp(old, one), two)
            found[t] = np.where(exists, total + self.logs[t], -np.inf)
        return found

    def backward(self) -> Any:
        """How likely each state is at each time with all that follows, ``(T, N, states)``."""
        found = np.full((len(self.logs) + 1, *self.logs.shape[1:]), -np.inf)
        place = np.arange(self.logs.shape[2])
        ends = (place <= self.last[:, None]) & (place >= self.last[:, None] - 1)
        skips = _moved(self.skips, -2, fill=False)  # whether the state two further on is reached
        for t in reversed(range(len(self.logs))):
            new = found[t + 1]
            one, two = _moved(new, -1), np.where(skips, _moved(new, -2), -np.inf)
            total = np.logaddexp(np.logaddexp(new, one), two)
            last, running = self.times[:, None] == t + 1, self.times[:, None] > t + 1
            start = np.where(last & ends, 0.0, np.where(running, total, -np.inf))
            found[t] = start + self.logs[t]
        return found[:-1]

    def losses(self, forward: Any) -> Any:
        """Minus the logarithm of each target's probability."""
        empty = np.where(self.lengths == 0, 0.0, np.inf)
        if not len(forward):
            return empty
        samples = np.arange(len(self.times))
        at_end = forward[np.maximum(self.times - 1, 0), samples]  # (N, states)
        total = at_end[samples, self.last]
        other = at_end[samples, np.maximum(self.last - 1, 0)]
        total = np.where(self.lengths > 0, np.logaddexp(total, other), total)
        return np.where(self.times > 0, -total, empty)


def _moved(values: Any, by: int, fill: Any = -np.inf) -> Any:
    """Rows moved to the right (or left) by some places."""
    result = np.full_like(values, fill)
    if by > 0:
        result[:, by:] = values[:, :-by]
    else:
        result[:, :by] = values[:, -by:]
    return result


def _states(targets: Any, lengths: Any, blank: int) -> Any:
    """The classes of all states ``(N, 2 S + 1)``, blanks where a target has ended."""
    longest = int(lengths.max(initial=0))
    padded = np.full((len(lengths), longest), blank, np.int64)
    listed = np.arange(longest) < lengths[:, None]
    if targets.ndim == 1:
        padded[listed] = targets
    else:
        padded[listed] = targets[:, :longest][listed]
    states = np.full((len(lengths), 2 * longest + 1), blank, np.int64)
    states[:, 1::2] = padded
    return states


def check_lengths(name: str, lengths: Any, most: int | None) -> None:
    """Refuses lengths that are negative or too large."""
    low, high = int(lengths.min(initial=0)), int(lengths.max(initial=0))
    if low < 0:
        raise OperationError(
            "ctc_loss", f"Expected {name} to have value at least 0, but got value {low}"
        )
    if most is not None and high > most:
        raise OperationError(
            "ctc_loss", f"Expected {name} to have value at most {most}, but got value {high}"
        )


def check_targets(shape: Shape, lengths: Any) -> None:
    """Refuses targets that have fewer classes than their lengths say."""
    check_lengths("target_lengths", lengths, None)
    longest, total = int(lengths.max(initial=0)), int(lengths.sum())
    if len(shape) == 1 and shape[0] != total:
        raise ShapeError(
            "ctc_loss",
            f"Expected tensor to have size {total} at dimension 0, but got size {shape[0]} for"
            " argument #2 'targets'",
        )
    if len(shape) == 2 and shape[1] < longest:
        raise ShapeError(
            "ctc_loss",
            f"Expected tensor to have size at least {longest} at dimension 1, but got size"
            f" {shape[1]} for argument #2 'targets'",
        )


class CtcLosses(Op):
    """The loss of each sample."""

    name, attrs, backward = "ctc_losses", ("blank", "zero_infinity"), "CtcLoss"

    def infer(self, logs: Spec, *rest: Spec, blank: int, zero_infinity: bool) -> Spec:
        return logs.with_shape(logs.shape[1:2])

    def vjp(
        self, g: Node, y: Node, logs: Node, *rest: Node, blank: int, zero_infinity: bool
    ) -> tuple[Node | None, ...]:
        gradient = ctc_losses_grad.record((g, logs, *rest), blank, zero_infinity)
        return gradient, *(None for _ in rest)

    def ref(
        self, logs: Any, targets: Any, times: Any, lengths: Any, *, blank: int, zero_infinity: bool
    ) -> Any:
        paths = Paths(logs, targets, times, lengths, blank)
        losses = paths.losses(paths.forward()).astype(logs.dtype)
        return np.where(np.isinf(losses), 0, losses) if zero_infinity else losses


class CtcLossesGrad(Op):
    """The gradient of :class:`CtcLosses` for scores whose logarithm of a softmax was taken.

    Like PyTorch's it is the gradient for these scores, equation 16 of the paper, which the gradient
    of the softmax leaves as it is.
    """

    name, attrs, differentiable = "ctc_losses_grad", CtcLosses.attrs, False

    def infer(self, g: Spec, logs: Spec, *rest: Spec, blank: int, zero_infinity: bool) -> Spec:
        return logs

    def ref(
        self, g: Any, logs: Any, targets: Any, times: Any, lengths: Any, *,
        blank: int, zero_infinity: bool,
    ) -> Any:  # fmt: skip
        paths = Paths(logs, targets, times, lengths, blank)
        forward = paths.forward()
        losses = paths.losses(forward)
        with np.errstate(invalid="ignore"):  # a target that no path has
            through = np.exp(forward + paths.backward() - paths.logs + losses[:, None])
        T, N, C = logs.shape
        rows = np.arange(T * N).reshape(T, N, 1) * C + paths.states
        shares = np.bincount(rows.reshape(-1), through.reshape(-1), T * N * C).reshape(T, N, C)
        result = np.exp(logs) - shares
        result[:, np.isinf(losses)] = 0 if zero_infinity else np.nan
        result[np.arange(T)[:, None] >= times] = 0
        return (result * g[:, None]).astype(logs.dtype)


class CtcLoss(Composite):
    """Connectionist temporal classification: the loss of sequences without their alignment.

    Minus the logarithm of the probability of all paths that give the target once repetitions and
    blanks are left out.

    Args:
        log_probs: logarithms of probabilities, as ``log_softmax`` gives them.
        targets: classes, none of them ``blank``; of all samples one after the other when 1-D.
        input_lengths, target_lengths: how much of each sample counts.
        blank: the class that stands for none.
        reduction: ``"mean"`` (each loss divided by its target's length), ``"sum"``, ``"none"``.
        zero_infinity: whether a target that no path gives counts 0 and not infinity.
    Shape:
        log_probs (T, N, C) or (T, C); targets (N, S) or (sum of lengths); lengths (N) or ();
        output (), or (N) with ``"none"``.
    Raises:
        RuntimeError: lengths that do not fit, or a blank that is no class.
        ValueError: another ``reduction``.
    Reference:
        Graves et al. 2006, "Connectionist Temporal Classification".
    Example:
        >>> import rushlight as rl
        >>> logs = rl.tensor([[0.5, 0.5], [0.5, 0.5]]).log()
        >>> rl.nn.functional.ctc_loss(logs, rl.tensor([1]), (2,), (1,))
        tensor(0.2877)
    """

    autocast = "wide"
    name, module = "ctc_loss", "nn.functional"
    ulp = 64
    torch = (
        "ctc_loss(Tensor log_probs, Tensor targets, Any input_lengths, Any target_lengths,"
        " int blank=0, str reduction='mean', bool zero_infinity=False) -> Tensor"
    )

    def __call__(
        self, logs: Node, targets: Node, input_lengths: Lengths, target_lengths: Lengths,
        blank: int = 0, reduction: str = "mean", zero_infinity: bool = False,
    ) -> Node:  # fmt: skip
        reduction = reduction_of(self.name, reduction)
        batched = logs.ndim == 3
        if logs.ndim == 2:
            logs = ops.unsqueeze(logs, 1)
        self._check(logs, targets, blank)
        count = logs.shape[1]
        times = self._lengths("input_lengths", input_lengths, count)
        lengths = self._lengths("target_lengths", target_lengths, count)
        self._check_known(logs, targets, times, lengths)
        inputs = (logs, ops.cast(targets, int64), times, lengths)
        losses = ctc_losses.record(inputs, int(blank), bool(zero_infinity))
        if reduction == "mean":
            each = ops.cast(ops.clamp_min(lengths, 1), logs.dtype)
            return ops.mean(losses / each)
        if reduction == "sum":
            return ops.sum(losses)
        return losses if batched else ops.reshape(losses, ())

    def _check(self, logs: Node, targets: Node, blank: int) -> None:
        if logs.ndim != 3:
            raise ShapeError(
                self.name,
                f"Expected 3-dimensional tensor, but got {logs.ndim}-dimensional tensor for"
                " argument #1 'log_probs'",
                rule="It is (T, N, C) or (T, C).",
            )
        if not logs.spec.numel:
            raise ShapeError(self.name, "log_probs tensor must not be empty")
        if logs.dtype not in (float32, float64):
            shown = ops.TORCH_NAMES[logs.dtype.name]
            raise NoKernelError(self.name, f'"ctc_loss" not implemented for {shown}')
        if not 0 <= blank < logs.shape[2]:
            raise OperationError(self.name, "blank must be in label range")
        if targets.ndim not in (1, 2):
            raise ShapeError(self.name, f"targets are (N, S) or (S), not {list(targets.shape)}")
        if targets.ndim == 2 and targets.shape[0] != logs.shape[1]:
            raise ShapeError(
                self.name,
                f"Expected tensor to have size {logs.shape[1]} at dimension 0, but got size"
                f" {targets.shape[0]} for argument #2 'targets'",
            )

    def _lengths(self, name: str, given: Lengths, count: int) -> Node:
        if isinstance(given, Node):
            if given.dtype.kind != "int":
                raise DTypeError(self.name, f"{name} must be integral")
            found = ops.reshape(ops.cast(given, int64), (-1,))
        elif isinstance(given, Sequence) and all(isinstance(n, (int, np.integer)) for n in given):
            found = known(Buffer(np.asarray(given, np.int64).reshape(-1), int64))
        else:
            raise ArgTypeError(self.name, f"ctc_loss(): argument '{name}' must be tuple of ints")
        if found.shape != (count,):
            raise ShapeError(self.name, f"{name} must be of size batch_size, here {count}")
        return found

    def _check_known(self, logs: Node, targets: Node, times: Node, lengths: Node) -> None:
        """Refuses lengths that are known by now and do not fit."""
        bounds = known_bounds(times)
        if bounds is not None:
            check_lengths("input_lengths", np.asarray(bounds), logs.shape[0])
        if isinstance(lengths.buffer, Buffer):
            check_targets(targets.shape, lengths.buffer.values)

    def samples(self, make: Any) -> Any:
        classes = make.int(3, 4, low=1, high=4)
        logs = make(7, 3, 5)
        for reduction in REDUCTIONS:
            scores = logs.log_softmax(-1)
            yield scores, classes, (7, 6, 5), (4, 3, 1), {"reduction": reduction}
        listed = classes[:2].reshape(-1)
        nine, four = make.int(2, low=9, high=9), make.int(2, low=4, high=4)
        yield make(9, 2, 5).log_softmax(-1), listed, nine, four
        yield make(6, 5).log_softmax(-1), classes[0], (6,), (4,), 0, "none"
        yield make(3, 2, 5).log_softmax(-1), classes[:2], (3, 3), (4, 2), 0, "sum", True
        yield make(4, 2, 5).log_softmax(-1), classes[:2], (4, 0), (0, 0), 4, "none"

    def errors(self, make: Any) -> Any:
        call, x, t = make.call, make(5, 2, 4), make.int(2, 3, low=1, high=3)
        yield lambda: call(x, t, (6, 5), (3, 3)), RuntimeError, "at most 5, but got value 6"
        yield lambda: call(x, t, (5, -1), (3, 3)), RuntimeError, "at least 0, but got value -1"
        yield lambda: call(x, t, (5, 5), (4, 3)), RuntimeError, "at least 4 at dimension 1"
        yield lambda: call(x, t.reshape(-1), (5, 5), (3, 2)), RuntimeError, "size 5 at dimension 0"
        yield lambda: call(x, t, (5,), (3, 3)), RuntimeError, "must be of size batch_size"
        yield lambda: call(x, t, (5, 5), (3, 3), 4), RuntimeError, "blank must be in label range"
        yield lambda: call(x, t, make(2), (3, 3)), RuntimeError, "must be integral"
        yield lambda: call(x, t[:1], (5, 5), (3, 3)), RuntimeError, "size 2 at dimension 0"
        yield lambda: call(x, t, (5, 5), (3, 3), 0, "all"), ValueError, "not a valid value"
        yield lambda: call(x, t + 4, (5, 5), (3, 3)), IndexError, "a target is no class"
        yield lambda: call(make(3), t, (5, 5), (3, 3)), RuntimeError, "3-dimensional tensor, but"


ctc_losses = CtcLosses()
ctc_losses_grad = CtcLossesGrad()
ctc_loss = CtcLoss()
