"""Running what was recorded: cut a graph, find or make its program, run it, note the values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from weakref import ref

from rushlight import ops
from rushlight.base.buffer import Buffer
from rushlight.base.config import config
from rushlight.base.errors import Fault
from rushlight.base.lock import Lock
from rushlight.graph.node import Node, Number

from . import tier
from .cut import Cut, shown
from .losses import Losses, differentiated_late, waiting
from .reference import ReferenceProgram
from .tier import compiled_program


@dataclass(slots=True)
class Kept:
    """A program, the inputs that it needs after those of a cut, and which outputs are losses."""

    program: Any
    more: list[Any]
    losses: Losses | None = None


class Programs:
    """Programs by graph key, the least recently made dropped first.

    Attributes:
        limit: how many steps the kept programs may have together.
        made: how many programs were made.
        ran: how many times any program ran.
    """

    def __init__(self, limit: int = 200_000) -> None:
        self.limit = limit
        self.made = 0
        self.ran = 0
        self._kept: dict[tuple[object, ...], Kept] = {}
        self._steps = 0

    def find(self, cut: Cut, comes_back: bool = False) -> Kept:
        """The program for a cut, made when it is the first of its kind.

        Args:
            comes_back: whether it is known that there will be more of its kind.
        """
        kept = self._kept.get(cut.key)
        if kept is None:
            kept = self._made(cut, comes_back)
            self.made += 1
            self._keep(cut.key, kept)
        elif kept.program.__class__ is not ReferenceProgram:
            if not tier.again():  # references are asked for now
                return Kept(ReferenceProgram(kept.program.graph), kept.more, kept.losses)
        elif tier.again():
            kept.program = compiled_program(kept.program.graph)
            self.made += 1
        return kept

    def _made(self, cut: Cut, comes_back: bool) -> Kept:
        for inspect in inspectors:
            inspect(cut)
        more: list[Any] = []
        if cut.derives:
            derived = cut.derived()
            graph, more = derived.graph, derived.more
        else:
            graph = cut.graph()
        at_once = comes_back or tier.draws(graph)
        program = ReferenceProgram(graph) if tier.first(at_once) else compiled_program(graph)
        losses = Losses(cut)
        return Kept(program, more, losses if losses.places else None)

    def has(self, cut: Cut) -> bool:
        """Whether there is a program for a cut."""
        return cut.key in self._kept

    def _keep(self, key: tuple[object, ...], kept: Kept) -> None:
        self._kept[key] = kept
        self._steps += kept.program.size
        while self._steps > self.limit and self._kept:
            oldest = next(iter(self._kept))
            self._steps -= self._kept.pop(oldest).program.size


programs = Programs()
_lock = Lock()


_differentiated: list[ref[Node]] = []
_awaited: list[Awaited] = []
_MOST_ROOTS = 64


def differentiated(roots: Sequence[Node]) -> None:
    """Notes what was just differentiated: losses, which the next step's program computes too."""
    if waiting:
        differentiated_late(roots)
    _differentiated.extend(map(ref, roots))
    if len(_differentiated) > _MOST_ROOTS:  # a loop that steps its parameters by hand
        _differentiated[:] = [root for root in _differentiated if root() is not None][-_MOST_ROOTS:]


def realize_step(results: Sequence[Node]) -> None:
    """Gives an optimizer step's results their values, and the losses that led to it theirs.

    A loss is not on the way from the gradients to the step, but who holds it will look at it.

    Args:
        results: parts of the steps' nodes, which no gradient flows through.
    """
    losses = [node for node in (reference() for reference in _differentiated) if node is not None]
    _differentiated.clear()
    steps = dict.fromkeys([part.inputs[0] for part in results])
    realize([*steps, *losses], comes_back=True)
    for part in results:
        if part.buffer is None:  # it has one when another step in the same program reads it
            several: Any = part.inputs[0].buffer
            part.buffer = several[part.attrs[0]]
            part.inputs = ()


@dataclass(slots=True)
class Awaited:
    """Gradients that are worked out when a graph is cut.

    That can be done only as long as all that they are gradients of is pending, so whichever graph
    takes any of it takes them along.

    Attributes:
        node: of the gradients, if it is still there.
        behind: the ids of the nodes that it is worked out from; it keeps these alive.
    """

    node: ref[Node]
    behind: frozenset[int]

    def met_by(self, cut: Cut) -> Node | None:
        """The node if it has to be in a graph and is not."""
        node = self.node()
        if node is None or node in cut or self.behind.isdisjoint(map(id, cut.nodes)):
            return None
        return node

    def waits(self, cut: Cut) -> bool:
        """Whether they still wait after a graph was run."""
        node = self.node()
        return node is not None and node not in cut


def await_gradients(node: Node, behind: Iterable[Node]) -> None:
    """Notes a node of gradients, and what these are worked out from."""
    _awaited.append(Awaited(ref(node), frozenset(map(id, behind))))


def realize(nodes: Iterable[Node], *, comes_back: bool = False) -> None:
    """Gives every node of ``nodes`` its value.

    Args:
        comes_back: whether the same is sure to be wanted again, of other values.
    Raises:
        Fault: an operation refuses its values, such as an index out of range; it names the line
            that recorded the operation.
    """
    with _lock:
        wanted = [node for node in map(_behind, nodes) if node.buffer is None]
        if wanted:
            if _rouse is not None:
                _rouse()
            cut = _cut(wanted) if _observer is None else _observer.cut(_cut, wanted)
            # After a backward this is training, where the same comes again and again.
            try:
                _run(cut, comes_back or bool(_differentiated))
            except Fault:  # a loss that was refused is no part of later steps
                refused = set(cut.nodes)
                _differentiated[:] = [x for x in _differentiated if x() not in refused]
                raise
            if _awaited:
                _awaited[:] = [each for each in _awaited if each.waits(cut)]


def _cut(wanted: list[Node]) -> Cut:
    """The graph of what is wanted, and of gradients that have to be worked out along with it."""
    cut = Cut(wanted)
    while together := [node for each in _awaited if (node := each.met_by(cut))]:
        wanted += together
        del together
        cut = Cut(wanted)
    return cut


def _behind(node: Node) -> Node:
    """The node whose value a transparent one shows, if that is there already; else itself."""
    found = shown(node)
    return node if found.buffer is None else found


watchers: list[Callable[[Cut, bool], None]] = []
"""Called with each cut before it is run, and whether there is a program for it already."""


class Observer(Protocol):
    """Somebody who sees each stage of computing, as a profiler does."""

    def cut(self, cut: Callable[[list[Node]], Cut], wanted: list[Node]) -> Cut:
        """What ``cut`` makes of ``wanted``."""

    def find(self, programs: Programs, cut: Cut, comes_back: bool) -> Kept:
        """What ``programs`` have for a cut."""

    def program(self, program: Any) -> Any:
        """What is run in a program's place."""


_observer: Observer | None = None


def observe(observer: Observer | None) -> None:
    """Has somebody see each stage of computing from now on; None ends it."""
    global _observer
    _observer = observer


def observed() -> bool:
    """Whether somebody sees each stage of computing."""
    return _observer is not None


inspectors: list[Callable[[Cut], None]] = []
"""Called with each cut that is the first of its kind."""


lookers: list[Callable[[Sequence[Node]], None]] = []
"""Called with the nodes whenever somebody looks at a value, or has some computed."""


# Of the program that ran last, since the next is likely to be its like. Waking a thread takes as
# long as cutting the graph of a small training step, so it goes on beside that.
_rouse: Callable[[], None] | None = None


def _run(cut: Cut, comes_back: bool) -> None:
    global _rouse
    for look in lookers:
        look(cut.outputs)
    for watcher in watchers:
        watcher(cut, programs.has(cut))
    if _observer is None:
        kept = programs.find(cut, comes_back)
        program = kept.program
    else:
        kept = _observer.find(programs, cut, comes_back)
        program = _observer.program(kept.program)
    inputs: list[Any] = [leaf.buffer for leaf in cut.leaves]
    if kept.more:
        inputs += kept.more
    results: list[Any]
    programs.ran += 1
    _rouse = kept.program.rouse
    try:
        if config.nancheck:
            results = _checked(cut, program, inputs)
        else:
            results = program.run(inputs, cut.unseen)
    except Fault as fault:
        if (step := getattr(fault, "step", None)) is not None:
            fault.site = cut.site(step) or fault.site
        raise
    if kept.losses is not None:
        kept.program = kept.losses.look(kept.program, cut, inputs, results)
    for node, buffer in zip(cut.outputs, results, strict=True):
        node.buffer = buffer
        if not node.requires_grad or (node.released and node.op is not ops.part):
            node.inputs = ()  # a part keeps what it is a part of: grad_fn has that one's name


def _checked(cut: Cut, program: Any, inputs: list[Any]) -> list[Any]:
    """The results of a program after a look for NaN in them; no input is written over."""
    from .nancheck import check

    results: list[Any] = program.run(inputs)
    check(cut.graph(), inputs, results)
    return results


def value(node: Node) -> Buffer | Number | tuple[Buffer, ...]:
    """The value of a node, computed now if it has not been."""
    for look in lookers:
        look((node,))
    node = _behind(node)
    if node.buffer is None:
        realize((node,))
    assert node.buffer is not None
    return node.buffer
