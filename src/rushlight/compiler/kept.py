"""Machine code that is kept: in memory, and on disk from one process to the next.

A module of code is found by its key, which must say everything its text depends on, apart from
the machine, LLVM and rushlight itself, which every name on disk says besides.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from rushlight.base.lock import Lock

from .folder import Folder, default, digest
from .llvm.machine import Loaded, Machine, assemble
from .stamp import stamp

MOST = 4096
LIMIT = 256 << 20


class Kept:
    """Loaded code by key.

    Args:
        folder: where on disk; None is the user's own place.
        most, limit: how many modules stay in memory, and how many bytes of them. Those used least
            recently go first; who holds one keeps it all the same.

    Attributes:
        assembled, read: how many modules LLVM made, and how many came from disk.
    """

    def __init__(self, folder: Folder | None = None, most: int = MOST, limit: int = LIMIT) -> None:
        self._folder = folder
        self.most = most
        self.limit = limit
        self.assembled = 0
        self.read = 0
        self._lock = Lock()
        self._loaded: OrderedDict[tuple[str, Machine, int], Loaded] = OrderedDict()
        self._size = 0

    def code_for(
        self, key: str, text: Callable[[], str], machine: Machine, level: int = 2
    ) -> Loaded:
        """The code of a module, made only if it is kept nowhere.

        Args:
            key: names the module; whatever changes its text changes the key.
            text: writes the module's text.
            machine: what the code is for, which must be this machine.
            level: how much LLVM optimises, 0 to 3.
        """
        place = (key, machine, level)
        with self._lock:
            loaded = self._loaded.get(place)
            if loaded is None:
                loaded = self._loaded[place] = self._load(place, text)
                self._size += loaded.size
                self._drop()
            else:
                self._loaded.move_to_end(place)
            return loaded

    def has(self, key: str, machine: Machine, level: int = 2) -> bool:
        """Whether a module is kept, in memory or on disk."""
        folder = self._folder or default()
        known = (key, machine, level) in self._loaded
        return known or folder.read(_name(key, machine, level)) is not None

    def _load(self, place: tuple[str, Machine, int], text: Callable[[], str]) -> Loaded:
        key, machine, level = place
        folder = self._folder or default()
        name = _name(key, machine, level)
        code = folder.read(name)
        if code is not None:
            self.read += 1
        else:
            code = assemble(text(), machine, level)
            self.assembled += 1
            folder.write(name, code)
        return Loaded(code)

    def _drop(self) -> None:
        while len(self._loaded) > 1 and (len(self._loaded) > self.most or self._size > self.limit):
            _, oldest = self._loaded.popitem(last=False)
            self._size -= oldest.size

    def forget(self) -> None:
        """Lets go of everything in memory; what is on disk stays."""
        with self._lock:
            self._loaded.clear()
            self._size = 0


kept = Kept()
code_for = kept.code_for


def _name(key: str, machine: Machine, level: int) -> str:
    return digest(stamp(), repr(machine).encode(), bytes([level]), key.encode()).hex()
