"""``rushlight.compile``: a function whose work is recorded once for each kind of call."""

from __future__ import annotations

import functools
import gc
import sys
import threading
import types
import warnings
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rushlight.base.errors import OperationError
from rushlight.execute import pending
from rushlight.execute.realize import lookers
from rushlight.graph.node import Node

from ..generator import Generator
from ..tensor import Tensor
from .fingerprint import Fingerprint, modes
from .purity import Purity
from .recipe import Draw, Recipe
from .refusal import Refusal

MOST = 64
"""Recipes that a function keeps; the oldest go first."""

MOST_REFUSALS = 8
"""Calls that cannot be replayed, beyond which nothing is tried any more."""

_NEW: Any = object()
_recording = threading.RLock()
_inside = threading.local()


def compile(
    model: Callable[..., Any] | None = None, *, fullgraph: bool = False,
    dynamic: bool | None = None, backend: Any = "inductor", mode: str | None = None,
    options: dict[str, Any] | None = None, disable: bool = False,
) -> Any:  # fmt: skip
    """A function or module that records its work once, and then replays it without its Python code.

    Everything that runs is compiled here, with no asking; what this saves is recording. The first
    call of a kind runs as always. Later ones make the same nodes on the tensors that are there
    then: arguments, and parameters and buffers with their values of that moment. Calls are of one
    kind when shapes, dtypes, ``requires_grad``, Python arguments, the modules' attributes
    (``training`` among them), the globals that are used, and the gradient mode are the same.
    Random numbers are drawn anew. Gradients flow as ever.

    What cannot be replayed runs as it is, with one warning that says why and where: code that looks
    at values (``item``, ``if x.sum() > 0``), that changes tensors or Python objects which existed
    before (``backward``, ``optimizer.step``, statistics of a batch norm in training), that prints
    or reads clocks. A training step needs no ``compile``; put it around the model.

    A loop of 200 operations is called in a tenth of the time. A module of a few layers gains
    nothing: finding out that nothing has changed takes as long as recording it.

    Args:
        model: a module or function; used as a decorator with options when None.
        fullgraph: raise instead of running as it is.
        disable: do nothing.
        dynamic, backend, mode, options: as PyTorch's, without effect.
    Raises:
        RuntimeError: both ``mode`` and ``options`` are given; or with ``fullgraph`` at the first
            call of what cannot be replayed.
    Example:
        >>> import rushlight as rl
        >>> @rl.compile
        ... def double(x):
        ...     return 2 * x
        >>> double(rl.ones(2)), double(rl.zeros(2))
        (tensor([2., 2.]), tensor([0., 0.]))
    """
    if mode is not None and options is not None:
        raise OperationError(
            "compile",
            "Either mode or options can be specified, but both can't be specified at the same"
            " time.",
        )
    if model is None:
        return functools.partial(
            compile, fullgraph=fullgraph, dynamic=dynamic, backend=backend, mode=mode,
            options=options, disable=disable,
        )  # fmt: skip
    return model if disable else Compiled(model, fullgraph)


class Compiled:
    """What :func:`compile` returns: called like the function, with the attributes of the module."""

    def __init__(self, model: Callable[..., Any], fullgraph: bool) -> None:
        own = self.__dict__
        if isinstance(model, types.FunctionType):
            own.update({name: getattr(model, name) for name in functools.WRAPPER_ASSIGNMENTS})
        own["_orig_mod"] = model
        own["_fullgraph"] = fullgraph
        own["_refusals"] = 0
        own["_recipes"] = {}
        own["_roots"] = {}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        model = self._orig_mod
        if self._refusals > MOST_REFUSALS or getattr(_inside, "on", False):
            return model(*args, **kwargs)
        print_of = Fingerprint()
        try:
            key = self._key(print_of, args, kwargs)
        except Refusal as refusal:
            self._refused(refusal)
            return model(*args, **kwargs)
        recipe = self._recipes.get(key, _NEW)
        if recipe is _NEW:
            return self._recorded(key, args, kwargs)
        if recipe is None:  # calls of this kind were refused
            return model(*args, **kwargs)
        return recipe(print_of.tensors)

    def _key(self, print_of: Fingerprint, args: Any, kwargs: Any) -> Hashable:
        model = self._orig_mod
        cells = getattr(model, "__closure__", None) or ()
        held = [model, args, kwargs, [cell.cell_contents for cell in cells if _filled(cell)]]
        held.append((getattr(model, "__defaults__", None), getattr(model, "__kwdefaults__", None)))
        used = [names.get(name, ...) for names, name in self._roots.values()]
        return modes(), print_of(held), print_of(used)

    def _recorded(self, key: Hashable, args: Any, kwargs: Any) -> Any:
        """Calls the function and notes how its result was made."""
        model = self._orig_mod
        purity = Purity(model)
        others = {x._node for x in [held() for held in pending._live] if x is not None}
        with _recording, _watched(purity) as (draws, written):
            result = model(*args, **kwargs)
        try:
            if purity.refusal is not None:
                raise purity.refusal
            if self._key(Fingerprint(), args, kwargs) != key:
                raise Refusal("changes what its work depends on")
            if not purity.globals.keys() <= self._roots.keys():  # older recipes did not ask these
                self.__dict__["_roots"] = {**self._roots, **purity.globals}
                self._recipes.clear()
            print_of = Fingerprint()
            key = self._key(print_of, args, kwargs)
            _check(print_of, purity, written)
            recipe: Recipe | None = Recipe(result, print_of.tensors, draws, others)
        except Refusal as refusal:
            self._refused(refusal)
            recipe = None
        while len(self._recipes) >= MOST:
            del self._recipes[next(iter(self._recipes))]
        self._recipes[key] = recipe
        return result

    def _refused(self, refusal: Refusal) -> None:
        """Says that a call runs as it is: once, but with ``fullgraph`` always, as an error."""
        name = getattr(self._orig_mod, "__name__", type(self._orig_mod).__name__)
        if self._fullgraph:
            raise OperationError("compile", f"{name} cannot be replayed: {refusal}")
        if not self._refusals:
            warnings.warn(f"compile: {name} runs as it is, because {refusal}", stacklevel=4)
        self.__dict__["_refusals"] += 1

    # Everything else is the module's ---------------------------------------------------------

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_orig_mod"], name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._orig_mod, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._orig_mod, name)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else types.MethodType(self, instance)

    def __repr__(self) -> str:
        return f"compiled {self._orig_mod!r}"


def _filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018 - asks whether there is anything
    except ValueError:
        return False
    return True


def _check(print_of: Fingerprint, purity: Purity, written: list[Tensor]) -> None:
    """Refuses changes of what existed before."""
    before = {id(x) for x in print_of.tensors}
    storages = {id(x._place.storage) for x in print_of.tensors if x._place is not None}
    for x in written:
        if id(x) in before or (x._place is not None and id(x._place.storage) in storages):
            raise Refusal("changes a tensor that existed before")
    if any(id(each) in print_of.seen for each in purity.changed):
        raise Refusal("changes a list or dictionary that existed before")


@contextmanager
def _watched(purity: Purity) -> Iterator[tuple[list[Draw], list[Tensor]]]:
    """Watches this thread while it records: draws, writes, looks at values, calls."""
    draws: list[Draw] = []
    written: list[Tensor] = []
    thread = threading.get_ident()
    take, write = Generator.take, Tensor._write

    def noted_take(self: Generator, blocks: int) -> Any:
        found = take(self, blocks)
        if threading.get_ident() == thread:
            draws.append((self, blocks, *found))
        return found

    def noted_write(self: Tensor, *given: Any, **named: Any) -> Tensor:
        if threading.get_ident() == thread:
            written.append(self)
        return write(self, *given, **named)

    def look(nodes: Sequence[Node]) -> None:
        if threading.get_ident() == thread:
            purity.refuse("looks at a value", sys._getframe(1))

    before = sys.getprofile()
    Generator.take, Tensor._write = noted_take, noted_write  # type: ignore[method-assign]
    lookers.append(look)
    _inside.on = True
    # What others have run at each collection of garbage is no part of the function.
    collects = gc.isenabled()
    gc.disable()
    sys.setprofile(purity)
    try:
        yield draws, written
    finally:
        sys.setprofile(before)
        if collects:
            gc.enable()
        _inside.on = False
        lookers.remove(look)
        Generator.take, Tensor._write = take, write  # type: ignore[method-assign]
