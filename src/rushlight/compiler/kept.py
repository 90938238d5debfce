"""Machine code that is kept: in memory, and on disk from one process to the next.

A module of code is found by its key, which must say everything its text depends on, apart from
the machine, LLVM and rushlight itself, which every name on disk says besides.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable

from rushlight.base.lock import Lock

from .folder import Folder, default, digest
from .llvm.machine import Loaded, Machine, assemble
from .llvm.together import assemble_all
from .stamp import stamp

Wanted = tuple[str, Callable[[], str], int]
"""A module's key, who writes its text, and how much LLVM optimises it."""

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
        self._at_hand: dict[tuple[str, Machine, int], bytes] = {}

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

    def make(self, wanted: Iterable[Wanted], machine: Machine, threads: int) -> None:
        """Has object code at hand for several modules, which are then asked for one by one.

        What is kept nowhere is made side by side.

        Args:
            wanted: for each module its key, who writes its text, and the level.
        """
        folder = self._folder or default()
        missing: dict[tuple[str, Machine, int], Callable[[], str]] = {}
        with self._lock:
            for key, text, level in wanted:
                place = (key, machine, level)
                if place in self._loaded or place in self._at_hand or place in missing:
                    continue
                if (code := folder.read(_name(*place))) is None:
                    missing[place] = text
                else:
                    self._at_hand[place] = code
                    self.read += 1
            jobs = [(text, level) for (_, _, level), text in missing.items()]
            for place, code in zip(missing, assemble_all(jobs, machine, threads), strict=True):
                self._at_hand[place] = self._made(place, code)

    def _made(self, place: tuple[str, Machine, int], code: bytes) -> bytes:
        self.assembled += 1
        (self._folder or default()).write(_name(*place), code)
        return code

    def has(self, key: str, machine: Machine, level: int = 2) -> bool:
        """Whether a module is kept, in memory or on disk."""
        folder = self._folder or default()
        known = (key, machine, level) in self._loaded
        return known or folder.read(_name(key, machine, level)) is not None

    def _load(self, place: tuple[str, Machine, int], text: Callable[[], str]) -> Loaded:
        key, machine, level = place
        code = self._at_hand.pop(place, None)
        if code is None:
            code = (self._folder or default()).read(_name(key, machine, level))
            if code is not None:
                self.read += 1
            else:
                code = self._made(place, assemble(text(), machine, level))
        return Loaded(code)

    def _drop(self) -> None:
        while len(self._loaded) > 1 and (len(self._loaded) > self.most or self._size > self.limit):
            _, oldest = self._loaded.popitem(last=False)
            self._size -= oldest.size

    def forget(self) -> None:
        """Lets go of everything in memory; what is on disk stays."""
        with self._lock:
            self._loaded.clear()
            self._at_hand.clear()
            self._size = 0


kept = Kept()
code_for = kept.code_for


def _name(key: str, machine: Machine, level: int) -> str:
    return digest(stamp(), repr(machine).encode(), bytes([level]), key.encode()).hex()
