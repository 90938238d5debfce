"""Reading a checkpoint's pickle: with a handful of allowed names, or believing all of it."""

from __future__ import annotations

import pickle
import struct
from collections import Counter, OrderedDict
from collections.abc import Callable
from types import ModuleType
from typing import Any, BinaryIO

from rushlight.tensor.tensor import Tensor

from . import names, safe
from .storage import Storage, StorageSource

# What Python's unpickler raises for bytes that are no pickle, or only the beginning of one.
BROKEN = (
    AssertionError, AttributeError, EOFError, IndexError, KeyError, OverflowError, TypeError,
    ValueError, struct.error,
)  # fmt: skip


def damaged(error: Exception) -> pickle.UnpicklingError:
    """What to raise for an ``error`` among ``BROKEN``."""
    text = str(error).partition("\n")[0]
    return pickle.UnpicklingError(f"the pickle cannot be read ({type(error).__name__}: {text})")


def allowed(module: str, name: str) -> Any:
    """What a restricted pickle gets for ``module.name``; None when it may not have it."""
    if module in safe.BLOCKED_MODULES:
        return None
    found = names.STAND_INS.get((module, name)) or names.PLAIN.get((module, name))
    return safe.added(f"{module}.{name}") if found is None else found


class RestrictedUnpickler(pickle._Unpickler):
    """Makes tensors, containers and numbers, and refuses everything else before it happens.

    Python's unpickler in C cannot be restricted this far: whatever ``find_class`` allows, ``BUILD``
    may set attributes of, and ``APPEND`` calls methods of anything.

    Args:
        file: holds the pickle.
        storages: gives what persistent ids name; None when there can be none.

    Raises:
        UnpicklingError: the pickle asks for a global that is not allowed, does something to an
            object that its type does not allow, or is damaged.
    """

    def __init__(
        self, file: BinaryIO, storages: StorageSource | None = None, encoding: str = "utf-8"
    ) -> None:
        super().__init__(file, encoding=encoding)
        self._storages = storages
        self.granted: dict[int, Any] = {}  # by id; kept alive, so that the ids stay theirs

    def load(self) -> Any:
        try:
            return super().load()
        except BROKEN as error:
            raise damaged(error) from error

    def find_class(self, module: str, name: str) -> Any:
        if self.proto < 3:
            module, name = names.modern(module, name)
        found = allowed(module, name)
        if found is None:
            raise safe.refusal(module, name)
        self.granted[id(found)] = found
        return found

    def persistent_load(self, reference: Any) -> Storage:
        if self._storages is None:
            raise pickle.UnpicklingError("the pickle names a storage where there is none")
        return self._storages(reference)

    def load_reduce(self) -> None:
        arguments, function = self.stack.pop(), self.stack[-1]
        if id(function) not in self.granted or function is Tensor:  # only ever named, not called
            raise pickle.UnpicklingError(f"the pickle calls {function!r:.100}")
        self.stack[-1] = function(*arguments)

    def load_newobj(self) -> None:
        arguments, kind = self.stack.pop(), self.stack.pop()
        if not (kind is OrderedDict or kind is Counter or safe.is_added(kind)):
            raise pickle.UnpicklingError(f"the pickle makes a new {kind!r:.100}")
        self.append(kind.__new__(kind, *arguments))

    def load_build(self) -> None:
        kind = type(self.stack[-2])
        if kind is OrderedDict:  # a state_dict carries its _metadata as an attribute
            state = self.stack.pop()
            self.stack[-1].__dict__.update(state)
        elif safe.is_added(kind):
            pickle._Unpickler.load_build(self)
        else:
            raise pickle.UnpicklingError(f"the pickle sets the state of a {kind.__name__}")


def _only_into(opcode: bytes, depth: int | None, *kinds: type) -> Callable[[Any], None]:
    """The operation that puts items in a container, done to containers of these types alone.

    The container is ``depth`` items down the stack, or with None just below the mark.
    """
    put = pickle._Unpickler.dispatch[opcode[0]]

    def checked(unpickler: RestrictedUnpickler) -> None:
        below = unpickler.metastack[-1][-1] if depth is None else unpickler.stack[-depth]
        if type(below) not in kinds:
            raise pickle.UnpicklingError(f"the pickle puts items in a {type(below).__name__}")
        put(unpickler)

    return checked


def _refused(opcode: str) -> Callable[[Any], None]:
    def refuse(unpickler: RestrictedUnpickler) -> None:
        raise pickle.UnpicklingError(
            f"Weights only load failed. The pickle uses {opcode}, which is not allowed."
        )

    return refuse


# What tensors, containers and numbers are written with in protocols 2 to 5. Missing are the text
# operations of protocol 0, extension codes, instances of old-style classes and outside buffers.
_HARMLESS = {
    "PROTO", "FRAME", "STOP", "MARK", "POP", "POP_MARK", "DUP", "MEMOIZE", "BINPUT", "LONG_BINPUT",
    "BINGET", "LONG_BINGET", "NONE", "NEWTRUE", "NEWFALSE", "BININT", "BININT1", "BININT2", "LONG1",
    "LONG4", "BINFLOAT", "BINUNICODE", "SHORT_BINUNICODE", "BINSTRING", "SHORT_BINSTRING",
    "BINBYTES", "SHORT_BINBYTES", "EMPTY_TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "TUPLE",
    "EMPTY_LIST", "EMPTY_DICT", "EMPTY_SET", "FROZENSET", "GLOBAL", "STACK_GLOBAL", "BINPERSID",
}  # fmt: skip
_NAMES = {
    code[0]: name
    for name, code in vars(pickle).items()
    if name.isupper() and isinstance(code, bytes) and len(code) == 1
}
_DICTS = (dict, OrderedDict, Counter)


def _operations() -> dict[int, Callable[[Any], None]]:
    table = {
        code: operation if _NAMES[code] in _HARMLESS else _refused(_NAMES[code])
        for code, operation in pickle._Unpickler.dispatch.items()
    }
    guarded = {
        pickle.REDUCE: RestrictedUnpickler.load_reduce,
        pickle.NEWOBJ: RestrictedUnpickler.load_newobj,
        pickle.BUILD: RestrictedUnpickler.load_build,
        pickle.APPEND: _only_into(pickle.APPEND, 2, list),
        pickle.APPENDS: _only_into(pickle.APPENDS, None, list),
        pickle.ADDITEMS: _only_into(pickle.ADDITEMS, None, set),
        pickle.SETITEM: _only_into(pickle.SETITEM, 3, *_DICTS),
        pickle.SETITEMS: _only_into(pickle.SETITEMS, None, *_DICTS),
    }
    return table | {opcode[0]: operation for opcode, operation in guarded.items()}


RestrictedUnpickler.dispatch = _operations()


def trusting(pickle_module: ModuleType) -> type[pickle.Unpickler]:
    """An unpickler that believes the file, with rushlight's classes in place of PyTorch's."""

    class TrustingUnpickler(pickle_module.Unpickler):  # type: ignore[misc, name-defined]
        def __init__(self, file: BinaryIO, storages: StorageSource | None, **options: Any) -> None:
            super().__init__(file, **options)
            self._storages = storages

        def find_class(self, module: str, name: str) -> Any:
            if module == "torch" or module.startswith("torch."):
                return names.stand_in(module, name)
            return super().find_class(module, name)

        def persistent_load(self, reference: Any) -> Storage:
            if self._storages is None:
                raise pickle.UnpicklingError("the pickle names a storage where there is none")
            return self._storages(reference)

    return TrustingUnpickler
