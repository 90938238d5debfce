"""``export``: a module becomes a program."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from rushlight.autograd.mode import no_grad
from rushlight.base import site as sites
from rushlight.base.errors import ArgTypeError
from rushlight.graph.spec import Spec
from rushlight.nn.module import Module
from rushlight.tensor.tensor import Tensor

from .call import array_for, tensor_of
from .dims import Axes, Dim, axes_of
from .kept import state_of
from .program import Entry, ExportedProgram
from .recorded import Recorded, Recording
from .sizes import Sized, example_at, sized, spec_of
from .tree import Flat, put_together
from .varying import Sizes, Varying
from .watch import refusal


def export(
    mod: Module, args: tuple[Any, ...], kwargs: Mapping[str, Any] | None = None, *,
    dynamic_shapes: Any = None, strict: bool = False,
    preserve_module_call_signature: Sequence[str] = (), prefer_deferred_runtime_asserts_over_guards:
    bool = False,
) -> ExportedProgram:  # fmt: skip
    """A module's work on an example, as a program that needs none of its source.

    The module is called, and what it records is kept; loops and conditions of Python are gone. It
    is left as it was. Dimensions named in ``dynamic_shapes`` may have other sizes later: the module
    is called with several, and what changes is kept as a formula.

    Args:
        mod: in the mode (``train()`` or ``eval()``) that the program is to have.
        args, kwargs: example arguments: tensors and constants in tuples, lists, dictionaries.
        dynamic_shapes: for each argument, by name or in order, a dictionary from dimensions to
            :class:`Dim`, or a sequence with a Dim or None for each.
        strict, preserve_module_call_signature, prefer_deferred_runtime_asserts_over_guards: as
            PyTorch's, without effect.
    Raises:
        TypeError: ``mod`` is no module, ``args`` no tuple, or something is of a class that would
            have to be there where the program is loaded.
        RuntimeError: a look at values, a custom Function, or what depends on a size in a way that
            cannot be kept; it names operation, line and layer.
    Example:
        >>> import rushlight as rl
        >>> program = rl.export.export(rl.nn.Linear(2, 1), (rl.ones(3, 2),))
        >>> [(entry.name, entry.shape) for entry in program.inputs]
        [('input', (3, 2))]
        >>> program(rl.ones(3, 2)).shape
        torch.Size([3, 1])
    """
    mod = getattr(mod, "_orig_mod", mod)  # what rushlight.compile was given
    if not isinstance(mod, Module):
        raise ArgTypeError(
            "export", f"Expected `mod` to be an instance of `torch.nn.Module`, got {type(mod)}."
        )
    if not isinstance(args, tuple):
        raise ArgTypeError(
            "export", f"Expecting `args` to be a tuple of example positional inputs, got"
            f" {type(args)}",
        )  # fmt: skip
    return captured(
        mod, args, dict(kwargs or {}), dynamic_shapes=dynamic_shapes, root=mod,
        signature=mod.forward, name=type(mod).__name__,
    )  # fmt: skip


def captured(
    call: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], *,
    dynamic_shapes: Any = None, root: Any = None, signature: Any = None, name: str = "",
    state: dict[str, Tensor] | None = None, looking: bool = False,
) -> ExportedProgram:  # fmt: skip
    """The program of a call of a module or of any function.

    Args:
        dynamic_shapes: as of :func:`export`; ``AUTOMATIC`` for all dimensions that can be dynamic.
        root: the module in which layers have their names.
        signature: what arguments get their names from.
        state: tensors that the call reads and may write; those of ``root`` when None.
        looking: whether looks at values are warned of, and not refused.
    """
    arguments = _Arguments(args, kwargs, signature or call)
    sizing = _Sizing(call, arguments, root, state_of(root) if state is None else state)
    if dynamic_shapes is AUTOMATIC:
        axes, found = sizing.widened([{} for _ in arguments.tensors], sizing.candidates())
    else:
        asked = arguments.axes(dynamic_shapes)
        axes, found = sizing.widened(*_optional(asked))
    _tell_of_looks(found.recorded, looking)
    _tell_of_writes(found.recorded)
    program = _program(found, arguments, axes, root, name)
    program.set_goldens([sizing.arrays])
    return program


AUTOMATIC = object()
"""Asks for every dimension to be dynamic that can be."""


class _Sizing:
    """A call, recorded at any sizes, at each once."""

    def __init__(
        self, call: Callable[..., Any], arguments: _Arguments, root: Any, state: dict[str, Tensor]
    ) -> None:
        self.call, self.arguments, self.root, self.state = call, arguments, root, state
        self.arrays = [array_for(x) for x in arguments.tensors]
        self._known: dict[Any, Recorded] = {}

    def at(self, axes: list[Axes]) -> Sized:
        """What the call records when some dimensions are dynamic."""
        dims, example = _sizes(axes, self.arguments.tensors)
        return sized(lambda sizes: self._recorded(axes, sizes), dims, example)

    def _recorded(self, axes: list[Axes], sizes: Sizes) -> Recorded:
        arrays = [
            example_at(array, along, sizes) for array, along in zip(self.arrays, axes, strict=True)
        ]
        key = tuple([array.shape for array in arrays])
        if key not in self._known:
            given = [
                tensor_of(array, x.node.spec)
                for array, x in zip(arrays, self.arguments.tensors, strict=True)
            ]
            positional, named = self.arguments.filled(given)
            with no_grad():
                recording = Recording(given, self.arguments.names, self.state, self.root)
                self._known[key] = recording.of(lambda: self.call(*positional, **named))
        return self._known[key]

    def widened(
        self, axes: list[Axes], candidates: Iterable[list[Axes]]
    ) -> tuple[list[Axes], Sized]:
        """Dynamic dimensions with those candidates that go together, and what is recorded then."""
        found = self.at(axes)
        for candidate in candidates:
            wider = [{**a, **b} for a, b in zip(axes, candidate, strict=True)]
            try:
                found = self.at(wider)
            except Exception:  # the model does not run so, or in another way
                continue
            axes = wider
            if len({dim.name for along in axes for dim in along.values()}) == _MOST_DYNAMIC:
                break
        return axes, found

    def candidates(self) -> Iterator[list[Axes]]:
        """Dimensions that may be dynamic together: of the same place and size."""
        shapes = [array.shape for array in self.arrays]
        groups = {(axis, n) for shape in shapes for axis, n in enumerate(shape)}
        first = max(((shape[:1] or (0,))[0] for shape in shapes), default=0)
        for axis, size in sorted(groups):
            if axis == 0 or size > 1:
                name = "batch" if (axis, size) == (0, first) else f"size_{axis}_{size}"
                dim = Dim(name)
                yield [{axis: dim} if shape[axis : axis + 1] == (size,) else {} for shape in shapes]


_MOST_DYNAMIC = 3
"""Dynamic sizes that are looked for where nobody named them."""


def _optional(axes: list[Axes]) -> tuple[list[Axes], list[list[Axes]]]:
    """Dimensions that have to be dynamic, and each of those that may be."""
    names = {dim.name for along in axes for dim in along.values() if dim.optional}
    fixed = [{k: dim for k, dim in a.items() if dim.name not in names} for a in axes]
    chosen = [
        [{k: dim for k, dim in a.items() if dim.name == name} for a in axes]
        for name in sorted(names)
    ]
    return fixed, chosen


class _Arguments:
    """Example arguments taken apart."""

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any], signature: Any) -> None:
        names = _positional_names(signature, len(args))
        self.tensors: list[Tensor] = []
        self.names: list[str] = []
        self.forms = {
            name: self._taken(each, name)
            for name, each in [*zip(names, args, strict=True), *kwargs.items()]
        }
        self.positional = ["tuple", [self.forms[name] for name in names]]
        self.keywords = ["dict", [[name, self.forms[name]] for name in kwargs]]

    def _taken(self, tree: Any, name: str) -> Any:
        flat = Flat(tree, name, "the argument", len(self.tensors))
        self.tensors += flat.tensors
        self.names += flat.names
        return flat.form

    def axes(self, dynamic_shapes: Any) -> list[Axes]:
        """The dynamic dimensions of each tensor."""
        shapes = [x.shape for x in self.tensors]
        return axes_of(dynamic_shapes, self.forms, self.names, shapes)

    def filled(self, tensors: Sequence[Tensor]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Arguments with other tensors."""
        return put_together(self.positional, tensors), put_together(self.keywords, tensors)


def _positional_names(signature: Any, count: int) -> list[str]:
    try:
        parameters = list(inspect.signature(signature).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = [p.name for p in parameters if p.kind in kinds][:count]
    rest = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), "args")
    return names + [f"{rest}_{k}" for k in range(count - len(names))]


def _sizes(axes: Sequence[Axes], tensors: Sequence[Tensor]) -> tuple[list[Dim], dict[str, int]]:
    """The dynamic sizes, each once, and their values in the example."""
    dims: dict[str, Dim] = {}
    example: dict[str, int] = {}
    for along, tensor in zip(axes, tensors, strict=True):
        for axis, dim in along.items():
            dims.setdefault(dim.name, dim)
            example[dim.name] = tensor.shape[axis]
    return list(dims.values()), example


def _tell_of_looks(recorded: Recorded, looking: bool) -> None:
    for site, layer in dict.fromkeys(recorded.looked if looking else recorded.looked[:1]):
        if not looking:
            raise refusal(
                "export", "the model looks at a value that depends on its inputs",
                "What follows from it would be the example's for all inputs.",
                "Use torch.where for a condition, and shapes that do not depend on data.",
                site, layer,
            )  # fmt: skip
        warnings.warn(
            f"{sites.line(site)}: converting a tensor to a Python value might cause the trace to be"
            " incorrect: the value is that of the example for all inputs.",
            TracerWarning,
            stacklevel=4,
        )


def _tell_of_writes(recorded: Recorded) -> None:
    for name in recorded.written:
        warnings.warn(
            f"export: the model writes to its input {name} in place; the program computes the same"
            f" and leaves {name} as it is",
            stacklevel=4,
        )


class TracerWarning(Warning):
    """What a trace keeps of a model may not be what the model does."""


def _program(
    found: Sized, arguments: _Arguments, axes: Sequence[Axes], root: Any, name: str
) -> ExportedProgram:
    recorded = found.recorded
    dims, example = _sizes(axes, arguments.tensors)
    inputs = tuple(
        Entry(each, x.node.spec, _symbolic(x.shape, along))
        for each, x, along in zip(arguments.names, arguments.tensors, axes, strict=True)
    )
    parameters = dict(root.named_parameters()) if isinstance(root, Module) else {}
    persistent = root.state_dict() if isinstance(root, Module) else {}
    state = {key: _own(x, key in parameters) for key, x in recorded.state.items()}
    buffers = [key for key in state if key in persistent and key not in parameters]
    program = ExportedProgram(
        recorded.graph, found.attrs, found.numbers, inputs, (), state,
        tuple([key for key in state if key in parameters]), tuple(buffers), recorded.changes,
        recorded.layers, tuple(dims), example, arguments.positional, arguments.keywords,
        recorded.result, name=name,
    )  # fmt: skip
    program.outputs = tuple(_outputs(program, found))
    return program


def _own(tensor: Tensor, parameter: bool) -> Tensor:
    """The program's copy of a state."""
    copy = tensor_of(array_for(tensor), tensor.node.spec)
    return copy.requires_grad_() if parameter and tensor.requires_grad else copy


def _symbolic(shape: Sequence[int], axes: Axes) -> tuple[int | str, ...]:
    return tuple([axes[k].name if k in axes else n for k, n in enumerate(shape)])


def _outputs(program: ExportedProgram, found: Sized) -> list[Entry]:
    graph, recorded = program.graph, found.recorded
    entries = []
    for name, place, shape in zip(
        recorded.returned, graph.outputs[: len(recorded.returned)], found.results, strict=True
    ):
        spec: Spec = spec_of(graph, place)
        symbols = tuple([_symbol(n, f"{name}_{axis}") for axis, n in enumerate(shape)])
        entries.append(Entry(name, spec, symbols))
    return entries


def _symbol(size: int | Varying | None, free: str) -> int | str:
    if isinstance(size, Varying):
        return size.symbol or str(size)
    return free if size is None else size
