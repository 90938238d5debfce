"""The driver: native code that runs a program's calls, one after the other, on several threads.

A *team* is the caller and its worker threads, each with a *seat* that holds its share of the work.
A call whose parallel axis has several pieces is shared out: the driver writes each seat's range,
opens the *gate*, and everybody takes pieces, first of their own range and then of others'. So a
thread meets the same part of the same memory again in the next call, while it is in its cache, and
one that comes late costs nothing. Nobody waits for a worker that did not enter: the caller closes
the gate when no piece is left and waits for those inside.

The gate is one 64-bit word: the number of the call, a bit that says open, and how many workers are
inside; a worker enters by counting itself in while the gate is open. A worker without work spins
for a while and then sleeps on the *bell*.

Functions of the module (all with C's calling convention)::

    ptr  rl_start(i64 threads, i64 spin)   a team; null when there is no memory. Spins in ns.
    i32  rl_scratch(ptr team, i64 bytes)   gives every seat scratch memory; 0 or C's error number
    i64  rl_run(ptr team, ptr calls, i64 count, ptr table)
    void rl_rouse(ptr team)                wakes workers that sleep: a program is near
    void rl_stop(ptr team)                 ends the workers, waits for them, frees everything

``calls`` is an array of ``{ptr code, ptr params, i64 extent, i64 grain, ptr fault}``. ``rl_run``
returns 0, or the number of a call + 1 if after that call the i32 at ``fault`` is not 0; the calls
behind it are not run. One thread at a time may use a team.
"""

from __future__ import annotations

from .atomic import fetch, pause, peek, put, swap_if
from .machine import Machine
from .team import CALL, CALL_SIZE, LINE, SEAT, SEAT_SIZE, SEATS, TEAM, load, part, seat
from .text import I32, I64, PTR, VOID, Function, Module, Type, Value, const, i64
from .wait import Waiting

NAMES = ("rl_start", "rl_scratch", "rl_run", "rl_stop", "rl_rouse")

OPEN = 1 << 16
INSIDE = OPEN - 1
ONE_CALL = 1 << 32
LOOK_AT_CLOCK = 31  # pauses between two looks, a power of two less 1
ALL = 2**31 - 1
ENOMEM = 12  # <errno.h>, the same everywhere
NULL = Value("null", PTR)


def driver(machine: Machine, portable: bool = False) -> str:
    """The text of the driver.

    Args:
        portable: do without what only this system has; for tests.
    """
    return str(_Driver(machine, portable).module)


class _Driver:
    """Writes the functions."""

    def __init__(self, machine: Machine, portable: bool) -> None:
        self.module = Module()
        self.machine = machine
        self.waiting = Waiting(self.module, machine, portable)
        self._work()
        self._worker()
        self._rouse()
        self._share()
        self._run()
        self._start()
        self._scratch()
        self._stop()

    # Taking part -----------------------------------------------------------------------------

    def _work(self) -> None:
        """Takes pieces of the open call, first from one's own seat, until there are none left."""
        f = self._private("work", VOID, ("team", PTR), ("own", I64))
        team, own = f.arguments["team"], f.arguments["own"]
        code, params, table = (load(f, team, name, PTR) for name in ("code", "params", "table"))
        threads, grain = (load(f, team, name, I64) for name in ("threads", "grain"))
        scratch = f.load(part(f, seat(f, team, own), SEAT["scratch"]), PTR)
        with f.loop(i64(0), threads) as k:
            number = f.add(own, k)
            past = f.compare("sge", number, threads)
            other = seat(f, team, f.select(past, f.sub(number, threads), number))
            following = part(f, other, SEAT["next"])
            limit = f.load(part(f, other, SEAT["limit"]), I64)
            f.jump("look")
            f.label("look")  # before taking: an empty seat's cache line stays where it is
            first = peek(f, following, I64, "monotonic")
            f.branch(f.compare("slt", first, limit), "take", "next")
            f.label("take")
            begin = fetch(f, "add", following, grain, "monotonic")
            f.branch(f.compare("slt", begin, limit), "run", "next")
            f.label("run")
            end = f.intrinsic("smin", f.add(begin, grain), limit)
            f.invoke(code.name, VOID, table, params, begin, end, scratch)
            f.jump("look")
            f.label("next")
        f.ret()

    def _worker(self) -> None:
        """A worker's life, given its seat."""
        f = self._private("worker", PTR, ("seat", PTR), inline=False)
        own = f.arguments["seat"]
        team = f.load(part(f, own, SEAT["team"]), PTR)
        number = f.load(part(f, own, SEAT["number"]), I64)
        gate, bell = part(f, team, TEAM["gate"]), part(f, team, TEAM["bell"])
        seen, since, pauses = (f.variable(i64(0)) for _ in range(3))
        f.jump("look")

        f.label("look")
        self._leave_if_stopped(f, team)
        found = peek(f, gate, I64, "monotonic")
        f.branch(_is_news(f, found, f.get(seen, I64)), "enter", "idle")

        f.label("enter")
        f.branch(swap_if(f, gate, found, f.add(found, i64(1))), "inside", "look")

        f.label("inside")
        f.set(seen, _call_of(f, found))
        f.invoke("work", VOID, team, number)
        before = fetch(f, "sub", gate, i64(1))
        last = f.compare("eq", f.binary("and", before, i64(INSIDE)), i64(1))
        waited = f.compare("ne", peek(f, part(f, team, TEAM["waiting"]), I32), const(0, I32))
        with f.when(f.binary("and", last, waited)):
            self._wake(f, team, gate, 1)
        f.set(since, i64(0))
        f.jump("look")

        self._idle(f, team, since, pauses)
        f.label("doze")
        ring = peek(f, bell, I32)
        fetch(f, "add", part(f, team, TEAM["asleep"]), const(1, I32))
        # Who opens the gate looks at `asleep` afterwards: one of the two sees the other.
        self._leave_if_stopped(f, team)
        f.branch(_is_news(f, peek(f, gate, I64), f.get(seen, I64)), "woken", "sleep")
        f.label("sleep")
        self._sleep(f, team, bell, ring)
        f.jump("woken")
        f.label("woken")
        f.set(since, i64(0))
        # Waking many takes long, so those who were woken wake two more each.
        many = f.compare("sgt", load(f, team, "threads", I64), i64(3))
        rung = f.compare("ne", peek(f, bell, I32), ring)
        with f.when(f.binary("and", many, rung)):
            self._wake(f, team, bell, 2)
        f.jump("look")

    def _leave_if_stopped(self, f: Function, team: Value) -> None:
        with f.when(f.compare("ne", peek(f, part(f, team, TEAM["stop"]), I32), const(0, I32))):
            f.ret(NULL)
            f.label(f.fresh("unreached"))

    # Handing out work ------------------------------------------------------------------------

    def _share(self) -> None:
        """Runs one call together with the workers; returns when it is finished."""
        f = self._private(
            "share", VOID, ("team", PTR), ("call", PTR), ("table", PTR), ("pieces", I64),
            inline=False,
        )  # fmt: skip
        team, call = f.arguments["team"], f.arguments["call"]
        gate = part(f, team, TEAM["gate"])
        for name, type in (("code", PTR), ("params", PTR), ("grain", I64)):
            f.store(f.load(part(f, call, CALL[name]), type), part(f, team, TEAM[name]))
        f.store(f.arguments["table"], part(f, team, TEAM["table"]))
        self._divide(f, team, call, f.arguments["pieces"])

        closed = peek(f, gate, I64, "monotonic")
        fetch(f, "xchg", gate, f.add(closed, i64(ONE_CALL + OPEN)))
        f.invoke("rl_rouse", VOID, team)
        f.invoke("work", VOID, team, i64(0))
        before = fetch(f, "sub", gate, i64(OPEN))
        with f.when(f.compare("ne", f.binary("and", before, i64(INSIDE)), i64(0))):
            f.invoke("join", VOID, team)
        f.ret()
        self._join()

    def _divide(self, f: Function, team: Value, call: Value, pieces: Value) -> None:
        """Writes each seat's range: as many pieces for each, one more for the first ones."""
        threads = load(f, team, "threads", I64)
        extent = f.load(part(f, call, CALL["extent"]), I64)
        grain = f.load(part(f, call, CALL["grain"]), I64)
        each, more = (f.binary(op, pieces, threads) for op in ("udiv", "urem"))
        begin = f.variable(i64(0))
        with f.loop(i64(0), threads) as k:
            extra = f.convert("zext", f.compare("slt", k, more), "i64")
            first = f.get(begin, I64)
            limit = f.add(first, f.mul(f.add(each, extra), grain))
            limit = f.intrinsic("smin", limit, extent)
            one = seat(f, team, k)
            f.store(limit, part(f, one, SEAT["limit"]))
            put(f, first, part(f, one, SEAT["next"]), "monotonic")
            f.set(begin, limit)

    def _join(self) -> None:
        """Waits until no worker is inside; the gate is closed."""
        f = self._private("join", VOID, ("team", PTR), inline=False)
        team = f.arguments["team"]
        gate, waiting = part(f, team, TEAM["gate"]), part(f, team, TEAM["waiting"])
        since, pauses = f.variable(i64(0)), f.variable(i64(0))
        f.jump("look")
        f.label("look")
        f.branch(_nobody_inside(f, peek(f, gate, I64, "acquire")), "out", "idle")
        self._idle(f, team, since, pauses)
        f.label("doze")
        fetch(f, "xchg", waiting, const(1, I32))
        f.jump("again")
        f.label("again")
        found = peek(f, gate, I64)
        f.branch(_nobody_inside(f, found), "woken", "sleep")
        f.label("sleep")
        self._sleep(f, team, gate, f.convert("trunc", found, "i32"))
        f.jump("again")
        f.label("woken")
        put(f, const(0, I32), waiting)
        f.jump("out")
        f.label("out")
        f.ret()

    def _run(self) -> None:
        arguments = (("team", PTR), ("calls", PTR), ("count", I64), ("table", PTR))
        f = self.module.function("rl_run", arguments, I64)
        team, table = f.arguments["team"], f.arguments["table"]
        threads = load(f, team, "threads", I64)
        scratch = f.load(part(f, seat(f, team, i64(0)), SEAT["scratch"]), PTR)
        with f.loop(i64(0), f.arguments["count"]) as number:
            call = f.at(f.arguments["calls"], f.mul(number, i64(CALL_SIZE)), "i8")
            extent = f.load(part(f, call, CALL["extent"]), I64)
            grain = f.load(part(f, call, CALL["grain"]), I64)
            f.branch(f.compare("sgt", extent, i64(0)), "some", "next")
            f.label("some")
            alone = f.compare("eq", threads, i64(1))
            # One piece, or a grain below 1: less 1 and without a sign that is a large number.
            whole = f.compare("uge", f.sub(grain, i64(1)), f.sub(extent, i64(1)))
            f.branch(f.binary("or", alone, whole), "direct", "shared")
            f.label("direct")
            code = f.load(part(f, call, CALL["code"]), PTR)
            params = f.load(part(f, call, CALL["params"]), PTR)
            f.invoke(code.name, VOID, table, params, i64(0), extent, scratch)
            f.jump("check")
            f.label("shared")
            pieces = f.binary("udiv", f.add(extent, f.sub(grain, i64(1))), grain)
            f.invoke("share", VOID, team, call, table, pieces)
            f.jump("check")
            f.label("check")
            fault = f.load(part(f, call, CALL["fault"]), PTR)
            f.branch(f.compare("eq", fault, NULL), "next", "ask")
            f.label("ask")
            f.branch(f.compare("eq", f.load(fault, I32), const(0, I32)), "next", "stopped")
            f.label("stopped")
            f.ret(f.add(number, i64(1)))
            f.label("next")
        f.ret(i64(0))

    # The team --------------------------------------------------------------------------------

    def _rouse(self) -> None:
        f = self.module.function("rl_rouse", (("team", PTR),))
        team = f.arguments["team"]
        asleep = part(f, team, TEAM["asleep"])
        with f.when(f.compare("ne", peek(f, asleep, I32), const(0, I32))):
            fetch(f, "xchg", asleep, const(0, I32))
            self._ring(f, team, 2)
        f.ret()

    def _start(self) -> None:
        f = self.module.function("rl_start", (("threads", I64), ("spin", I64)), PTR)
        wanted = f.arguments["threads"]
        size = f.add(f.mul(wanted, i64(SEAT_SIZE)), i64(SEATS))
        team = self._allocate(f, size, "none")
        f.call("memset", PTR, team, const(0, I32), size)
        f.store(f.arguments["spin"], part(f, team, TEAM["spin"]))
        self.waiting.prepare(f, part(f, team, TEAM["room"]))
        # Workers wait for a call, so nobody reads the number of threads before it is known.
        made = f.variable(i64(1))
        with f.loop(i64(0), wanted) as k:
            one = seat(f, team, k)
            f.store(team, part(f, one, SEAT["team"]))
            f.store(k, part(f, one, SEAT["number"]))
        with f.loop(i64(1), wanted) as k:
            one = seat(f, team, k)
            worker = Value("@worker", PTR)
            error = f.call("pthread_create", I32, part(f, one, SEAT["thread"]), NULL, worker, one)
            f.branch(f.compare("eq", error, const(0, I32)), "created", "enough")
            f.label("created")
            f.set(made, f.add(f.get(made, I64), i64(1)))
        f.jump("enough")
        f.label("enough")
        f.store(f.get(made, I64), part(f, team, TEAM["threads"]))
        f.ret(team)
        f.label("none")
        f.ret(NULL)

    def _scratch(self) -> None:
        f = self.module.function("rl_scratch", (("team", PTR), ("bytes", I64)), I32)
        team = f.arguments["team"]
        with f.loop(i64(0), load(f, team, "threads", I64)) as k:
            place = part(f, seat(f, team, k), SEAT["scratch"])
            f.call("free", VOID, f.load(place, PTR))
            f.store(NULL, place)
            f.store(self._allocate(f, f.arguments["bytes"], "none"), place)
        f.ret(const(0, I32))
        f.label("none")
        f.ret(const(ENOMEM, I32))

    def _stop(self) -> None:
        f = self.module.function("rl_stop", (("team", PTR),))
        team = f.arguments["team"]
        threads = load(f, team, "threads", I64)
        put(f, const(1, I32), part(f, team, TEAM["stop"]))
        self._ring(f, team, ALL)
        with f.loop(i64(1), threads) as k:
            thread = f.load(part(f, seat(f, team, k), SEAT["thread"]), PTR)
            f.call("pthread_join", I32, thread, NULL)
        with f.loop(i64(0), threads) as k:
            f.call("free", VOID, f.load(part(f, seat(f, team, k), SEAT["scratch"]), PTR))
        f.call("free", VOID, team)
        f.ret()

    def _allocate(self, f: Function, size: Value, none: str) -> Value:
        """Memory that begins on a cache line; goes to the label ``none`` when there is no more."""
        made, there = f.variable(NULL), f.fresh("there")
        error = f.call("posix_memalign", I32, made, i64(LINE), size)
        f.branch(f.compare("eq", error, const(0, I32)), there, none)
        f.label(there)
        return f.get(made, PTR)

    # Waiting ---------------------------------------------------------------------------------

    def _idle(self, f: Function, team: Value, since: Value, pauses: Value) -> None:
        """The label ``idle``: waits a moment, then goes to ``look``, or to ``doze`` after long."""
        f.label("idle")
        pause(f, self.machine)
        count = f.add(f.get(pauses, I64), i64(1))
        f.set(pauses, count)
        due = f.compare("eq", f.binary("and", count, i64(LOOK_AT_CLOCK)), i64(0))
        f.branch(due, "clock", "look")

        f.label("clock")
        now = self.waiting.now(f)
        unset = f.compare("eq", f.get(since, I64), i64(0))
        f.set(since, f.select(unset, now, f.get(since, I64)))
        idle = f.sub(now, f.get(since, I64))
        f.branch(f.compare("slt", idle, load(f, team, "spin", I64)), "look", "doze")

    def _ring(self, f: Function, team: Value, most: int) -> None:
        bell = part(f, team, TEAM["bell"])
        fetch(f, "add", bell, const(1, I32))
        self._wake(f, team, bell, most)

    def _wake(self, f: Function, team: Value, word: Value, most: int) -> None:
        self.waiting.wake(f, part(f, team, TEAM["room"]), word, most)

    def _sleep(self, f: Function, team: Value, word: Value, seen: Value) -> None:
        self.waiting.sleep(f, part(f, team, TEAM["room"]), word, seen)

    def _private(
        self, name: str, result: Type, *arguments: tuple[str, Type], inline: bool = True
    ) -> Function:
        attributes = "nounwind" if inline else "nounwind noinline"
        return self.module.function(name, arguments, result, attributes, "internal")


def _call_of(f: Function, gate: Value) -> Value:
    return f.binary("lshr", gate, i64(32))


def _nobody_inside(f: Function, gate: Value) -> Value:
    return f.compare("eq", f.binary("and", gate, i64(INSIDE)), i64(0))


def _is_news(f: Function, gate: Value, seen: Value) -> Value:
    """Whether the gate is open for another call than ``seen``."""
    is_open = f.compare("ne", f.binary("and", gate, i64(OPEN)), i64(0))
    return f.binary("and", is_open, f.compare("ne", _call_of(f, gate), seen))
