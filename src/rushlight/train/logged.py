"""What ``self.log`` was given, and what comes of it: values of steps, and means of epochs."""

from __future__ import annotations

import numbers
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import rushlight as rl
from rushlight.base.buffer import Buffer
from rushlight.execute import realize, value

from .notes import MisconfigurationException, warn_once

if TYPE_CHECKING:
    from .ranks import Ranks

REDUCTIONS: dict[Any, str] = {min: "min", max: "max", sum: "sum"}
NAMES = {"mean": "mean", "avg": "mean", "min": "min", "max": "max", "sum": "sum"}


@dataclass(frozen=True)
class How:
    """The arguments of a call of ``self.log`` that say what is to become of the value."""

    fx: str
    name: str
    prog_bar: bool
    logger: bool
    on_step: bool
    on_epoch: bool
    reduce: str
    add_dataloader_idx: bool
    dataloader_idx: int | None
    sync: bool = False

    @cached_property
    def key(self) -> str:
        """What tells an entry from others."""
        return f"{self.fx}.{self.name}{self.suffix}"

    @property
    def suffix(self) -> str:
        if not self.add_dataloader_idx or self.dataloader_idx is None:
            return ""
        return f"/dataloader_idx_{self.dataloader_idx}"

    def forked_name(self, on_step: bool) -> str:
        """``loss_step`` and ``loss_epoch`` for a value that is logged as both."""
        if self.on_step and self.on_epoch:
            return f"{self.name}_{'step' if on_step else 'epoch'}{self.suffix}"
        return self.name + self.suffix


def reduction(reduce_fx: Any) -> str:
    """The name of a reduction given by name or as a function.

    Raises:
        MisconfigurationException: it is none of the four.
    """
    functions = {**REDUCTIONS, rl.mean: "mean", rl.sum: "sum", rl.min: "min", rl.max: "max"}
    found = NAMES.get(reduce_fx.lower()) if isinstance(reduce_fx, str) else functions.get(reduce_fx)
    if found is None:
        raise MisconfigurationException(
            "Only `self.log(..., reduce_fx={min,max,mean,sum})` are supported. If you need a custom"
            " reduction, please log a `torchmetrics.Metric` instance instead."
            f" Found: {reduce_fx}"
        )
    return found


START = {"mean": 0.0, "sum": 0.0, "min": float("inf"), "max": float("-inf")}


class Entry:
    """One logged quantity.

    A value is kept as the tensor's node until the step is over, since looking at it earlier would
    make a program of its own of what the optimizer's step computes anyway. Sums are Python floats.
    """

    __slots__ = (
        "cache", "count", "double", "has_reset", "how", "known", "metric", "pending", "together",
        "total",
    )  # fmt: skip

    def __init__(self, how: How) -> None:
        self.how = how
        self.metric: Any = None
        self.known: Any = None
        self.double = False
        self.reset()

    def reset(self) -> None:
        self.total, self.count = START[self.how.reduce], 0
        self.cache: float | None = None
        self.together: tuple[float, int] | None = None
        self.pending: list[tuple[Any, int]] = []
        self.has_reset = True
        if self.metric is not None:
            self.metric.reset()

    def look_over(self, spec: Any) -> None:
        """Checks that a tensor can be logged, by its type.

        Raises:
            ValueError: it has several elements.
        """
        name = self.how.name
        if spec.numel != 1:
            raise ValueError(
                f"`self.log({name}, value)` was called, but the tensor must have a single element."
                f" You can try doing `self.log({name}, value.mean())`"
            )
        if not spec.dtype.is_floating_point:
            warn_once(
                f"You called `self.log({name!r}, ...)` in your `{self.how.fx}` but the value needs"
                f" to be floating to be reduced. Converting it to {rl.get_default_dtype()}. You can"
                " silence this warning by converting the value to floating point yourself."
            )
        self.double = spec.dtype is rl.float64
        self.known = spec

    def settle(self) -> None:
        """Looks at the values logged since it was last called; they are computed by now."""
        how = self.how
        for node, size in self.pending:
            number = node if type(node) is float else _number(node)
            if how.on_step:
                self.cache = number
            if how.on_epoch:
                self._add(number, size)
        self.pending.clear()

    def _add(self, number: float, size: int) -> None:
        kind = self.how.reduce
        self.together = None
        if kind == "mean":
            self.total += number * size
            self.count += size
        elif kind == "sum":
            self.total += number
        else:  # a nan stays, as in PyTorch
            better = number < self.total if kind == "min" else number > self.total
            self.total = number if better or number != number else self.total

    def read(self, on_step: bool) -> rl.Tensor | None:
        """The value of the last step, or of the epoch so far; None where there is none."""
        if on_step:
            if not self.how.on_step:
                return None
            return (
                self.metric._forward_cache if self.metric is not None else self._tensor(self.cache)
            )
        if not self.how.on_epoch:
            return None
        if self.metric is not None:
            return self.metric.compute()
        total, count = self.together or (self.total, self.count)
        if self.how.reduce == "mean":
            return self._tensor(total / count if count else float("nan"))
        return self._tensor(total)

    def of_all(self, totals: list[float], counts: list[int]) -> None:
        """Takes over what all processes have of the epoch."""
        kind = self.how.reduce
        reduced = min(totals) if kind == "min" else max(totals) if kind == "max" else sum(totals)
        self.together = reduced, sum(counts)

    def _tensor(self, number: float | None) -> rl.Tensor | None:
        if number is None:
            return None
        return rl.tensor(number, dtype=rl.float64 if self.double else rl.float32)

    def state(self) -> tuple[Any, ...]:
        """What a checkpoint keeps."""
        return (self.total, self.count, self.cache, self.double, self.has_reset)

    def restore(self, state: Iterable[Any]) -> None:
        self.total, self.count, self.cache, self.double, self.has_reset = state


class Results:
    """The quantities that one loop has logged.

    Attributes:
        training: values of steps can be monitored in training, and not in evaluation.
        batch: the batch in hand, of which the size is asked when a mean needs it.
    """

    def __init__(self, training: bool) -> None:
        self.training = training
        self.entries: dict[str, Entry] = {}
        self.batch: Any = None
        self.batch_size: int | None = None
        self.dataloader_idx: int | None = None
        self.unsettled: list[Entry] = []

    def log(self, how: How, logged: Any, batch_size: int | None) -> None:
        """Adds one value: a float, a tensor with one element, or a metric object."""
        entry = self.entries.get(how.key)
        if entry is None:
            entry = self.entries[how.key] = Entry(how)
        elif entry.how is not how and entry.how != how:
            raise MisconfigurationException(
                f"You called `self.log({how.name}, ...)` twice in `{how.fx}` with different"
                " arguments. This is not allowed"
            )
        if isinstance(logged, rl.Tensor):
            # The node, since the tensor may be changed in place before it is looked at.
            logged = logged.node
            if logged.spec is not entry.known:
                entry.look_over(logged.spec)
        elif isinstance(logged, numbers.Real):
            logged = float(logged)
        elif is_metric(logged):
            entry.metric, entry.has_reset = logged, False
            return
        else:
            raise ValueError(
                f"`self.log({how.name}, {logged})` was called, but `{type(logged).__name__}` values"
                " cannot be logged"
            )
        entry.has_reset = False
        if batch_size is None:
            batch_size = self._size() if how.on_epoch and how.reduce == "mean" else 1
        if not entry.pending:
            self.unsettled.append(entry)
        entry.pending.append((logged, batch_size))

    def _size(self) -> int:
        if self.batch_size is None:
            self.batch_size = 1 if self.batch is None else extract_batch_size(self.batch)
        return self.batch_size

    def settle(self) -> None:
        """Looks at all that was logged and not looked at, in one go."""
        if not self.unsettled:
            return
        pending = [node for entry in self.unsettled for node, _ in entry.pending]
        if any(type(node) is not float and node.buffer is None for node in pending):
            realize([node for node in pending if type(node) is not float])
        for entry in self.unsettled:
            entry.settle()
        self.unsettled.clear()

    def gather(self, ranks: Ranks, on_step: bool) -> None:
        """Brings the values of all processes together that were logged with ``sync_dist``."""
        entries = [one for one in self.valid() if one.how.sync and one.metric is None]
        entries = [
            one
            for one in entries
            if (one.how.on_step and one.cache is not None if on_step else one.how.on_epoch)
        ]
        if not entries:
            return
        mine = {one.how.key: (one.total, one.count, one.cache) for one in entries}
        found = ranks.all(mine)
        for one in entries:
            rows = [theirs[one.how.key] for theirs in found if one.how.key in theirs]
            if on_step:
                one.cache = sum(row[2] for row in rows) / len(rows)
            else:
                one.of_all([row[0] for row in rows], [row[1] for row in rows])

    def valid(self) -> Iterator[Entry]:
        for entry in self.entries.values():
            if not entry.has_reset and self.dataloader_idx == entry.how.dataloader_idx:
                yield entry

    def reset(self, fx: str | None = None, metrics: bool | None = None) -> None:
        """Forgets the values logged in the hook ``fx``, or in all of them."""
        self.settle()
        for entry in self.entries.values():
            wanted = metrics is None or metrics == (entry.metric is not None)
            if wanted and fx in (None, entry.how.fx):
                entry.reset()

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps of values whose epoch is not over."""
        self.settle()
        return {
            key: (astuple(entry.how), entry.state())
            for key, entry in self.entries.items()
            if entry.metric is None
        }

    def restore(self, state: dict[str, Any]) -> None:
        for key, (how, values) in state.items():
            entry = self.entries[key] = Entry(How(*how))
            entry.restore(values)


def _number(node: Any) -> float:
    found = node.buffer if node.buffer is not None else value(node)
    if type(found) is not Buffer:
        return float(found)
    # Numbers of 32 bits and more are stored as they are; this is every step's loss.
    return float((found.stored if found.stored.itemsize > 2 else found.values).item())


def is_metric(logged: object) -> bool:
    """Whether it is a metric object, as torchmetrics has them, rather than a value."""
    return callable(getattr(logged, "compute", None)) and callable(getattr(logged, "reset", None))


def extract_batch_size(batch: Any) -> int:
    """How many samples a batch has: the first size of its tensors.

    Raises:
        MisconfigurationException: it holds no tensor and no text.
    """
    sizes = list(dict.fromkeys(_sizes(batch)))
    if not sizes:
        raise MisconfigurationException(
            "We could not infer the batch_size from the batch. Either simplify its structure or"
            " provide the batch_size as `self.log(..., batch_size=batch_size)`."
        )
    if len(sizes) > 1:
        warn_once(
            "Trying to infer the `batch_size` from an ambiguous collection. The batch size we"
            f" found is {sizes[0]}. To avoid any miscalculations, use"
            " `self.log(..., batch_size=batch_size)`."
        )
    return sizes[0]


def _sizes(data: Any) -> Iterator[int]:
    if isinstance(data, rl.Tensor):
        yield data.size(0) if data.ndim else 1
    elif isinstance(data, str | bytes):
        yield len(data)
    elif isinstance(data, Mapping):
        for one in data.values():
            yield from _sizes(one)
    elif isinstance(data, Iterable):
        for one in data:
            yield from _sizes(one)


Reduce = str | Callable[..., Any]
