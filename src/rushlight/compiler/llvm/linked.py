"""Several modules as one, for a machine that need not be this one; what leaves is an object file.

Kernels are written as modules of their own, so that each can be kept by its text. What leaves as a
file is one module: LLVM sees all of it, a function that nobody calls is gone, and no name but
those wanted can meet a name of the program that it is linked into.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping
from typing import Any

from rushlight.base.errors import InternalError

from .machine import Machine, new_target, passes_of, using_llvm
from .sharing import has_masks, with_shared_masks
from .unfused import has_fused, without_fused
from .unrounded import rounds, without_rounding
from .wide import needs_wide, wide_module


def linked(texts: Mapping[str, str], machine: Machine, wanted: Collection[str]) -> bytes:
    """One object file of several modules.

    Args:
        texts: modules by the name of the one function (or constant) that others call.
        wanted: the names that the file shows.
    Raises:
        InternalError: LLVM refuses a text, or the machine.
    """
    with using_llvm():
        module, target, _ = _one(texts, machine, wanted)
        return target.emit_object(module)  # type: ignore[no-any-return]


def outside(texts: Mapping[str, str], machine: Machine, wanted: Collection[str]) -> list[str]:
    """Functions that the text of the modules calls and does not hold; LLVM's own are left out."""
    with using_llvm():
        module, _, _ = _one(texts, machine, wanted)
        names = [f.name for f in module.functions if f.is_declaration]
        return [name for name in names if not name.startswith("llvm.")]


def _one(texts: Mapping[str, str], machine: Machine, wanted: Collection[str]) -> Any:
    llvm = _every_target()
    try:
        target = new_target(machine, 2)
        head = f'target datalayout = "{target.target_data}"\ntarget triple = "{machine.triple}"\n'
        whole = llvm.parse_assembly(head)
        for name, text in texts.items():
            module = llvm.parse_assembly(head + _known(text, machine))
            module.verify()
            _hide(module, {name, *wanted})
            whole.link_in(module)
        _hide(whole, wanted)
        if needs_wide(texts.values(), machine):  # LLVM calls it by its name
            whole.link_in(llvm.parse_assembly(f"{head}{wide_module()}"))
        whole.verify()
    except RuntimeError as error:
        raise InternalError(f"LLVM refuses a module for {machine.triple}: {error}") from error
    passes, builder = passes_of(target, 2)
    passes.add_always_inliner_pass()
    if not has_masks(machine):
        passes.add_merge_functions_pass()  # what several modules have of shared accesses
    passes.add_global_dead_code_eliminate_pass()
    passes.run(whole, builder)
    return whole, target, llvm


def _known(text: str, machine: Machine) -> str:
    """A module's text in terms of what a machine has, so that no library of C is called."""
    if not has_fused(machine):
        text = without_fused(text)
    if not has_masks(machine):
        text = with_shared_masks(text)
    return text if rounds(machine) else without_rounding(text)


def _hide(module: Any, shown: Collection[str]) -> None:
    """Keeps all names but some to the module."""
    for each in (*module.functions, *module.global_variables):
        if not each.is_declaration and each.name not in shown:
            each.linkage = "internal"


@functools.cache
def _every_target() -> Any:
    import llvmlite.binding as llvm

    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    return llvm
