"""``freeze`` and ``optimize_for_inference``: programs whose parameters are constants."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .module import LoadedModule, ScriptModule


def freeze(
    mod: Any, preserved_attrs: list[str] | None = None, optimize_numerics: bool = True
) -> LoadedModule:
    """The program of a script module with its parameters as constants of this moment.

    Args:
        mod: in evaluation mode.
        preserved_attrs, optimize_numerics: as PyTorch's, without effect.
    Raises:
        RuntimeError: it is no script module, or in training mode.
    """
    if not isinstance(mod, ScriptModule):
        raise RuntimeError(
            "Freezing expects a ScriptModule as input. Please use torch.jit.script or"
            " torch.jit.trace to script your 'nn.Module'."
        )
    if mod.training:
        raise RuntimeError(
            "Freezing is currently only implemented for modules in eval mode. Please call .eval()"
            " on your module before freezing."
        )
    program = mod.example_program()
    state = {name: tensor.detach() for name, tensor in program.state.items()}
    frozen = LoadedModule(replace(program, state=state, parameter_names=(), buffer_names=()))
    frozen.eval()
    return frozen


def optimize_for_inference(mod: Any, other_methods: list[str] | None = None) -> LoadedModule:
    """A frozen program: the compiler works out what depends on constants alone.

    Args:
        mod: a script module in evaluation mode, frozen or not.
        other_methods: as PyTorch's, without effect.
    Raises:
        RuntimeError: as :func:`freeze`.
    """
    frozen = freeze(mod.eval() if isinstance(mod, ScriptModule) else mod)
    return frozen


def run_frozen_optimizations(
    mod: Any, optimize_numerics: bool = True, preserved_methods: list[str] | None = None
) -> None:
    """Does nothing: programs are optimised when they are compiled.

    Args:
        mod, optimize_numerics, preserved_methods: as PyTorch's, without effect.
    """
