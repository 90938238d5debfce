"""The recorded program as gradients see it: its operations, what they keep, and hooks on both."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from rushlight.base.errors import GradError
from rushlight.base.hooks import RemovableHandle
from rushlight.tensor.grad_fn import GradFn, edge_of
from rushlight.tensor.tensor import Tensor

from . import saved, walk

__all__ = [
    "GradientEdge", "Node", "allow_mutation_on_saved_tensors", "disable_saved_tensors_hooks",
    "get_gradient_edge", "increment_version", "register_multi_grad_hook", "save_on_cpu",
    "saved_tensors_hooks",
]  # fmt: skip

Node = GradFn
"""An operation of the recorded program: what ``grad_fn`` is."""


class GradientEdge(NamedTuple):
    """Where the gradient of a tensor arrives: an operation, and which of its results it is of."""

    node: GradFn
    output_nr: int
    ownership_token: Any = None


def get_gradient_edge(tensor: Tensor) -> GradientEdge:
    """Where the gradient of a tensor arrives.

    Raises:
        RuntimeError: the tensor does not require gradients.
    """
    if not tensor.requires_grad:
        raise GradError(
            "get_gradient_edge",
            "It is not possible to get the gradient edge for a Tensor that does not require"
            " gradients",
        )
    node, place = edge_of(tensor.node)
    assert node is not None
    return GradientEdge(node, place)


# What is saved ----------------------------------------------------------------------------------


class saved_tensors_hooks:
    """Keeps, for gradients, what ``pack_hook`` makes of a value instead of the value.

    What a gradient rule reads is decided by the operation: often less than PyTorch keeps. The
    hook is called with the tensor, with gradients turned off, as soon as the operation is
    recorded; looking at the value computes it. What it returns is handed to ``unpack_hook`` when
    the gradient is worked out, which must return a tensor. Tensors among what the hook returns
    are computed along with the value, which is then not kept.

    Args:
        pack_hook: makes anything of a tensor.
        unpack_hook: makes a tensor of that.
    Raises:
        RuntimeError: on entering, inside of :func:`disable_saved_tensors_hooks`; while recording,
            when ``pack_hook`` changes the tensor.
        TypeError: in ``backward``, when ``unpack_hook`` returns no tensor.
    Example:
        >>> import rushlight as rl
        >>> x = rl.tensor([1.0, 2.0], requires_grad=True)
        >>> with rl.autograd.graph.saved_tensors_hooks(lambda t: t.half(), lambda h: h.float()):
        ...     y = (x * x).sum()
        >>> y.backward()
        >>> x.grad
        tensor([2., 4.])
    """

    def __init__(
        self, pack_hook: Callable[[Tensor], Any], unpack_hook: Callable[[Any], Tensor]
    ) -> None:
        self.pack_hook = pack_hook
        self.unpack_hook = unpack_hook

    def __enter__(self) -> None:
        saved.push(self.pack_hook, self.unpack_hook)

    def __exit__(self, *error: object) -> None:
        saved.pop()


class save_on_cpu(saved_tensors_hooks):
    """Keeps what gradients read in the processor's memory, where everything is anyway.

    Args:
        pin_memory, device_type: of another device's values, of which there are none.
    """

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        super().__init__(
            lambda tensor: (tensor.device, tensor.cpu()), lambda packed: packed[1].to(packed[0])
        )


@contextmanager
def disable_saved_tensors_hooks(error_message: str) -> Iterator[None]:
    """Refuses :class:`saved_tensors_hooks` in a block.

    Raises:
        RuntimeError: with that message, for hooks that are on or are turned on.
    """
    hooks = saved.hooks
    if hooks.pairs:
        raise GradError("disable_saved_tensors_hooks", error_message)
    before, hooks.refusal = hooks.refusal, error_message
    try:
        yield
    finally:
        hooks.refusal = before


class _Mutations:
    """What :func:`allow_mutation_on_saved_tensors` gives: there is nothing to keep."""

    def clear(self) -> None:
        """Forgets what was kept."""


@contextmanager
def allow_mutation_on_saved_tensors() -> Iterator[_Mutations]:
    """A block in which tensors that gradients read may be written in place: they always may."""
    yield _Mutations()


def increment_version(tensor: Tensor | Iterable[Tensor]) -> None:
    """Counts a write to a tensor, or to each of several, without writing."""
    for each in [tensor] if isinstance(tensor, Tensor) else tensor:
        each.place.storage.version += 1


# Several tensors at once ------------------------------------------------------------------------


class _Gathering:
    """Gradients of several tensors, of one walk at a time."""

    def __init__(self, count: int, fn: Callable[[Any], None], mode: str) -> None:
        self.count, self.fn, self.mode = count, fn, mode
        self.found: dict[int, Tensor] = {}

    def arrived(self, place: int, gradient: Tensor) -> None:
        first = not self.found
        self.found[place] = gradient
        if first:
            walk.ended.append(self.finish)
            if self.mode == "any":
                self.fn(gradient)

    def finish(self) -> None:
        """At the end of a walk."""
        found, self.found = self.found, {}
        if self.mode == "all":
            self.fn([found.get(place) for place in range(self.count)])


class _Handles:
    """Takes several hooks away together."""

    def __init__(self, handles: Sequence[RemovableHandle]) -> None:
        self.handles = tuple(handles)

    def remove(self) -> None:
        """Takes the hooks away."""
        for handle in self.handles:
            handle.remove()

    def __enter__(self) -> _Handles:
        return self

    def __exit__(self, *error: object) -> None:
        self.remove()


def register_multi_grad_hook(
    tensors: Sequence[Tensor], fn: Callable[[Any], None], *, mode: str = "all"
) -> _Handles:
    """Calls ``fn`` once in each backward that reaches any of ``tensors``.

    Args:
        mode: ``"all"`` hands over a list of the gradients at the end, None for what was not
            reached; ``"any"`` the first gradient at once.
    Raises:
        ValueError: there is no such mode.
    Example:
        >>> import rushlight as rl
        >>> a, b = (rl.ones(1, requires_grad=True) for _ in range(2))
        >>> handle = rl.autograd.graph.register_multi_grad_hook([a, b], print)
        >>> (2 * a).sum().backward()
        [tensor([2.]), None]
    """
    if mode not in ("all", "any"):
        raise ValueError(f"Expects mode to be one of ('all', 'any') but got {mode}")
    gathering = _Gathering(len(tensors), fn, mode)
    return _Handles(
        [
            tensor.register_hook(lambda gradient, k=k: gathering.arrived(k, gradient))
            for k, tensor in enumerate(tensors)
        ]
    )
