"""Reading what a pickle would do, doing none of it."""

from __future__ import annotations

import pickle
from typing import Any, BinaryIO

from . import names
from .storage import StorageType
from .unpickle import BROKEN, damaged


class _Nothing:
    """Stands for every object of a surveyed pickle; takes whatever is done to it."""

    def __new__(cls, *arguments: Any, **named: Any) -> _Nothing:
        return super().__new__(cls)

    def __init__(self, *arguments: Any, **named: Any) -> None:
        pass

    def __call__(self, *arguments: Any, **named: Any) -> _Nothing:
        return self

    def __setstate__(self, state: Any) -> None:
        pass

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    append = extend = add = update = __call__


class Survey(pickle._Unpickler):
    """Notes the globals and the persistent ids of a pickle, and leaves the file just after it.

    Attributes:
        globals: ``(module, name)`` in the order they come.
        references: the persistent ids in the order they come.
    """

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file, encoding="latin1")
        self.globals: dict[tuple[str, str], None] = {}
        self.references: list[Any] = []

    @classmethod
    def of(cls, file: BinaryIO) -> Survey:
        """The survey of the next pickle in ``file``.

        Raises:
            UnpicklingError: it is damaged.
        """
        survey = cls(file)
        try:
            survey.load()
        except (*BROKEN, MemoryError) as error:  # a bytearray takes the size it is told
            raise damaged(error) from error
        return survey

    def find_class(self, module: str, name: str) -> Any:
        module, name = names.modern(module, name) if self.proto < 3 else (module, name)
        self.globals[module, name] = None
        kind = names.STAND_INS.get((module, name))
        return kind if isinstance(kind, StorageType) else _Nothing

    def get_extension(self, code: int) -> None:
        self.append(_Nothing)

    def persistent_load(self, reference: Any) -> Any:
        self.references.append(reference)
        return _Nothing
