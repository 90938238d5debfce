"""Purity: whether the user's code did nothing but compute, found by watching it run.

A replay leaves the user's Python code out. So while a function is recorded every call that its code
makes is seen, and what could have been anything but arithmetic, such as a call that nobody knows to
be free of effects, refuses the replay.
"""

from __future__ import annotations

import dis
import functools
import os
import types
from typing import Any

import numpy as np

from rushlight.base import site as sites

from .refusal import Refusal

_WRITES = frozenset({
    "DELETE_ATTR", "DELETE_GLOBAL", "DELETE_NAME", "DELETE_SUBSCR", "IMPORT_NAME",
    "LOAD_BUILD_CLASS", "STORE_ATTR", "STORE_GLOBAL", "STORE_NAME", "STORE_SLICE",
    "STORE_SUBSCR",
})  # fmt: skip
_PURE_BUILTINS = frozenset({
    "abs", "all", "any", "callable", "chr", "divmod", "format", "getattr", "hasattr", "isinstance",
    "issubclass", "len", "max", "min", "ord", "pow", "repr", "round", "sorted", "sum",
})  # fmt: skip
_PURE_MODULES = frozenset({"math", "cmath", "_operator", "operator"})
_PURE_TYPES = (str, bytes, tuple, int, float, complex, bool, range, slice, frozenset)
_CONTAINERS = (list, dict, set)
_READING = frozenset({
    "copy", "count", "get", "index", "items", "keys", "values", "__contains__", "__getitem__",
})  # fmt: skip
_PURE_FILES = ("abc.py", "<frozen abc>", "contextlib.py", "dataclasses.py", "enum.py",
               "functools.py", "typing.py")  # fmt: skip
_NUMPY = os.path.dirname(np.__file__) + os.sep
_EFFECTS = frozenset({"backward", "manual_seed", "seed", "set_rng_state", "set_state"})


class Purity:
    """What :func:`sys.setprofile` calls while a function is recorded.

    Args:
        fn: the function; what it is closed over is known.

    Attributes:
        refusal: the first thing that refuses a replay, or None.
        globals: the global names that code used: dictionaries by id, and names.
        changed: containers that code changed, which must be its own.
    """

    def __init__(self, fn: Any) -> None:
        self.refusal: Refusal | None = None
        self.globals: dict[tuple[int, str], tuple[dict[str, Any], str]] = {}
        self.changed: list[Any] = []
        self._known: set[types.CodeType] = set()
        own = getattr(fn, "__code__", None)
        self._inner: set[types.CodeType] = set() if own is None else {own}

    def refuse(self, why: str, frame: types.FrameType | None = None) -> None:
        """Notes why there can be no replay; the first reason counts."""
        if self.refusal is None:
            while frame is not None and _kind_of(frame) != "user":
                frame = frame.f_back
            site = (frame.f_code, frame.f_lasti) if frame is not None else sites.current(2)
            self.refusal = Refusal(why, site)

    def __call__(self, frame: types.FrameType, event: str, arg: Any) -> None:
        if self.refusal is not None:
            return
        if event == "call":
            self._called(frame)
        elif event == "c_call" and _kind_of(frame) == "user":
            self._builtin(frame, arg)

    def _called(self, frame: types.FrameType) -> None:
        code = frame.f_code
        kind, caller = _kind_of(frame), frame.f_back
        if kind == "user":
            self._entered(frame, code)
        elif caller is not None and _kind_of(caller) == "user":
            name = code.co_name
            if kind == "rushlight" and name in _EFFECTS:
                self.refuse(f"calls {name}()", caller)
            elif kind == "standard" and not code.co_filename.endswith(_PURE_FILES):
                self.refuse(f"calls {name}() of Python's library", caller)

    def _entered(self, frame: types.FrameType, code: types.CodeType) -> None:
        if code in self._known:
            return
        self._known.add(code)
        free = [name for name in code.co_freevars if name != "__class__"]
        if free and code not in self._inner:
            self.refuse(f"calls {code.co_name}(), which is closed over {', '.join(free)}", frame)
        self._inner.update(each for each in code.co_consts if isinstance(each, types.CodeType))
        for at, name, argument in _instructions(code):
            if name in _WRITES or (name == "YIELD_VALUE" and code not in self._inner):
                what = name.lower().replace("_", " ")
                if self.refusal is None:
                    self.refusal = Refusal(f"has Python code with effects ({what})", (code, at))
            elif name in ("LOAD_GLOBAL", "LOAD_NAME"):
                self._global(frame.f_globals, argument, code)

    def _global(self, names: dict[str, Any], name: str, code: types.CodeType) -> None:
        if name not in names:
            return  # a builtin
        self.globals[id(names), name] = names, name
        value = names[name]
        if isinstance(value, types.ModuleType) and not value.__name__.startswith("rushlight"):
            for each in code.co_names:  # config.SCALE
                if each in vars(value):
                    self.globals[id(vars(value)), each] = vars(value), each

    def _builtin(self, frame: types.FrameType, function: Any) -> None:
        owner = getattr(function, "__self__", None)
        name = getattr(function, "__name__", repr(function))
        if isinstance(owner, types.ModuleType) or owner is None:
            home = getattr(function, "__module__", None) or getattr(owner, "__name__", "")
            known = name in _PURE_BUILTINS if home == "builtins" else home in _PURE_MODULES
            owned = getattr(function, "__objclass__", None)
            if not known and not (owned is not None and owned in _PURE_TYPES):
                self.refuse(f"calls {name}()", frame)
        elif isinstance(owner, _CONTAINERS):
            if name not in _READING:
                self.changed.append(owner)
        elif isinstance(owner, type):  # a class method, as dict.fromkeys
            if owner not in _PURE_TYPES and owner not in _CONTAINERS:
                self.refuse(f"calls {name}() of {owner.__name__}", frame)
        elif not isinstance(owner, _PURE_TYPES):
            self.refuse(f"calls {name}() of a {type(owner).__name__}", frame)


def _kind_of(frame: types.FrameType) -> str:
    """Whose code runs in a frame: ``user``, ``rushlight`` or ``standard``."""
    filename = frame.f_code.co_filename
    if filename.startswith("<") and not filename.startswith("<frozen "):
        # Made at run time, as dataclasses do.
        name = str(frame.f_globals.get("__name__", ""))
        ours = name.partition(".")[0] == "rushlight" or name.startswith("namedtuple_")
        return "rushlight" if ours else "user"
    return _kind(filename)


@functools.cache
def _kind(filename: str) -> str:
    """Whose a source file is."""
    if filename.startswith(sites._PACKAGE):
        return "rushlight"
    return "standard" if sites.is_ours(filename) or filename.startswith(_NUMPY) else "user"


@functools.cache
def _instructions(code: types.CodeType) -> list[tuple[int, str, Any]]:
    return [(each.offset, each.opname, each.argval) for each in dis.get_instructions(code)]
