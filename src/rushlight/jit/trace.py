"""``trace``: what a module or function records for an example."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from rushlight.autograd.mode import no_grad
from rushlight.base.errors import OperationError
from rushlight.export.call import array_for
from rushlight.export.program import ExportedProgram
from rushlight.export.trace import AUTOMATIC, TracerWarning, captured
from rushlight.func.tree import tensors
from rushlight.nn.module import Module
from rushlight.tensor.tensor import Tensor

from .function import ScriptFunction
from .module import ScriptModule, TopLevelTracedModule


class TracingCheckError(Exception):
    """A trace gives something else than what was traced."""


_mode = threading.local()


def is_tracing() -> bool:
    """Whether a trace is being made."""
    return getattr(_mode, "on", False)


@contextmanager
def _tracing() -> Iterator[None]:
    before = is_tracing()
    _mode.on = True
    try:
        yield
    finally:
        _mode.on = before


def trace(
    func: Any, example_inputs: Any = None, optimize: Any = None, check_trace: bool = True,
    check_inputs: Any = None, check_tolerance: float = 1e-5, strict: bool = True,
    _force_outplace: bool = False, _module_class: Any = None, _compilation_unit: Any = None,
    example_kwarg_inputs: Mapping[str, Any] | None = None, _store_inputs: bool = True,
) -> Any:  # fmt: skip
    """What a module or function records for an example, to be called and saved.

    Loops and conditions are gone: what the example did is done for all inputs, and a look at a
    value that depends on them is warned of. Sizes may differ where the model allows it: it is
    called with several. A traced module has the module's own parameters.

    Args:
        func: a module or function.
        example_inputs: a tensor, or a tuple of arguments.
        check_trace: compare the trace's results with those of ``func``.
        check_inputs: more examples to compare on.
        check_tolerance: how far the results may be apart.
        strict: refuse results in dictionaries and lists.
        example_kwarg_inputs: arguments by name, in the place of ``example_inputs``.
        optimize, _force_outplace, _module_class, _compilation_unit, _store_inputs: as PyTorch's,
            without effect.
    Raises:
        RuntimeError: both kinds of examples or none, or what cannot be kept; it names operation,
            layer and line.
        TracingCheckError: the results differ.
    Example:
        >>> import rushlight as rl
        >>> double = rl.jit.trace(lambda x: 2 * x, rl.ones(3))
        >>> double(rl.tensor([1.0, 2.0]))
        tensor([2., 4.])
    """
    if isinstance(func, ScriptModule) and hasattr(func, "program"):
        return func
    func = getattr(func, "_orig_mod", func)  # what rushlight.compile was given
    owner = getattr(func, "__self__", None)
    if isinstance(owner, Module) and func == owner.forward:
        func = owner
    args, kwargs = _arguments(example_inputs, example_kwarg_inputs)
    root = func if isinstance(func, Module) else None
    program = _traced(func, func if root is None else root.forward, args, kwargs, root, strict)
    made: Any = (
        ScriptFunction(func, program) if root is None else TopLevelTracedModule(program, root, {})
    )
    if check_trace:
        examples = [(args, kwargs)]
        examples += [_arguments(each, None) for each in check_inputs or ()]
        for given in examples:
            _check(func, made, *given, check_tolerance)
    return made


def trace_module(
    mod: Module, inputs: Mapping[str, Any], optimize: Any = None, check_trace: bool = True,
    check_inputs: Any = None, check_tolerance: float = 1e-5, strict: bool = True,
    _force_outplace: bool = False, _module_class: Any = None, _compilation_unit: Any = None,
    example_inputs_is_kwarg: bool = False, _store_inputs: bool = True,
) -> Any:  # fmt: skip
    """Traces several methods of a module.

    Args:
        inputs: example arguments by the methods' names.
        example_inputs_is_kwarg: whether they are arguments by name.
        optimize, check_inputs, _force_outplace, _module_class, _compilation_unit, _store_inputs: as
            PyTorch's, without effect.
    Returns:
        A module with these methods; it can be saved when ``forward`` is the only one.
    Raises:
        AttributeError: ``mod`` is no module, or has no such method.
    """
    if not isinstance(mod, Module):
        raise AttributeError("expected torch.nn.Module as the first argument")
    programs: dict[str, ExportedProgram] = {}
    for name, example in inputs.items():
        args, kwargs = _arguments(
            *((None, example) if example_inputs_is_kwarg else (example, None))
        )
        method = getattr(mod, name)
        call = mod if name == "forward" else method
        programs[name] = _traced(call, method, args, kwargs, mod, strict)
        if check_trace:
            _check(call, programs[name].module(), args, kwargs, check_tolerance)
    forward = programs.pop("forward", None)
    if forward is None:
        raise OperationError("trace_module", "inputs has no example for forward")
    return TopLevelTracedModule(forward, mod, programs)


def _arguments(
    example: Any, named: Mapping[str, Any] | None
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if (example is None) == (named is None):
        raise RuntimeError("One of example_inputs or example_kwarg_inputs must be specified.")
    if named is not None:
        return (), dict(named)
    if isinstance(example, Tensor | Mapping):
        return (example,), {}
    return tuple(example), {}


def _traced(
    call: Callable[..., Any], signature: Any, args: tuple[Any, ...], kwargs: dict[str, Any],
    root: Module | None, strict: bool,
) -> ExportedProgram:  # fmt: skip
    name = type(root).__name__ if root is not None else getattr(call, "__name__", "function")
    with _tracing():
        program = captured(
            call, args, kwargs, dynamic_shapes=AUTOMATIC, root=root, signature=signature,
            name=name, looking=True,
        )  # fmt: skip
    kind = program.result[0]
    if strict and kind in ("dict", "list"):
        raise RuntimeError(
            f"Encountering a {kind} at the output of the tracer might cause the trace to be"
            " incorrect, this is only valid if the container structure does not change based on"
            f" the module's inputs. Consider using a constant container instead (e.g. for `{kind}`,"
            f" use a `{'NamedTuple' if kind == 'dict' else 'tuple'}` instead). If you absolutely"
            " need this and know the side effects, pass strict=False to trace() to allow this"
            " behavior."
        )
    return program


def _check(
    call: Callable[..., Any], made: Callable[..., Any], args: tuple[Any, ...],
    kwargs: dict[str, Any], tolerance: float,
) -> None:  # fmt: skip
    """Compares a trace with what was traced, unless it draws random numbers or changes state."""
    program: ExportedProgram = made.program  # type: ignore[attr-defined]
    if program.changes:
        warnings.warn(
            "the trace draws random numbers or writes to the module, so it is not compared with"
            " it; call .eval() before it if that is not meant",
            TracerWarning,
            stacklevel=3,
        )
        return
    with no_grad():
        wanted = [array_for(x) for x in tensors(call(*args, **kwargs))]
        given = program.flat(args, kwargs)
        found = program.outputs_for([array_for(x) for x in given])
    for k, (a, b) in enumerate(zip(found, wanted, strict=True)):
        if not np.allclose(a, b, rtol=tolerance, atol=tolerance, equal_nan=True):
            raise TracingCheckError(
                f"Tracing failed sanity checks! Output {k} of the traced function is not that of"
                " the Python function: the largest difference is"
                f" {np.abs(a.astype(np.float64) - b).max():.3g}."
            )
