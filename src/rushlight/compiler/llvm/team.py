"""How the driver's team of threads lies in memory."""

from __future__ import annotations

from .text import Function, Type, Value, i64
from .wait import ROOM

# What different threads write is on different cache lines, of 128 bytes because
# some processors fetch them in pairs.
LINE = 128
TEAM = {
    "threads": 0, "spin": 8,  # constant
    # What is handed over lies beside the word that says so, and comes along with it.
    "gate": LINE, "code": LINE + 8, "table": LINE + 16, "params": LINE + 24, "grain": LINE + 32,
    "bell": 2 * LINE, "asleep": 2 * LINE + 4, "stop": 2 * LINE + 8,
    "waiting": 3 * LINE,  # whether the caller sleeps until the last worker is out
    "room": 4 * LINE,  # of waiting without futexes
}  # fmt: skip
SEATS = 4 * LINE + ROOM
SEAT = {"next": 0, "limit": 8, "scratch": LINE, "team": LINE + 8, "number": LINE + 16,
        "thread": LINE + 24}  # fmt: skip
SEAT_SIZE = 2 * LINE
CALL = {"code": 0, "params": 8, "extent": 16, "grain": 24, "fault": 32}
CALL_SIZE = 40


def part(f: Function, base: Value, offset: int) -> Value:
    """The address of a field."""
    return f.at(base, offset, "i8")


def load(f: Function, team: Value, name: str, type: Type) -> Value:
    """A field of a team."""
    return f.load(part(f, team, TEAM[name]), type)


def seat(f: Function, team: Value, number: Value) -> Value:
    """The address of a thread's seat; the caller's is 0."""
    return f.at(part(f, team, SEATS), f.mul(number, i64(SEAT_SIZE)), "i8")
