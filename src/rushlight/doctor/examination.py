"""The first steps of an optimizer, looked at: which gradients arrive, and what they are made of.

Mistakes with gradients show in a few steps, so each optimizer is examined while it is new and never
again. Its first steps are all looked at, with what ``backward`` collects in between; later ones at
growing distances, to see whether a gradient is still missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from weakref import WeakSet, ref

from rushlight import ops
from rushlight.autograd.walk import collecting
from rushlight.base.findings import doctor
from rushlight.graph.node import Node
from rushlight.tensor.tensor import Tensor

from .naming import named

FIRST = 4
"""Steps that are all looked at."""

LATER = (7, 12, 20, 40, 70, 100)
"""Steps that are looked at after those. A branch of a model may be unused for an epoch."""


class Leaf:
    """What is known of one leaf that gradients arrive at.

    Attributes:
        stepped: the gradient that the last step used.
        grown: the gradient with more added to what a step has used already.
        backwards: numbers of the backward calls that reached it.
        value: as it was when the first of these did.
    """

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = ref(tensor)
        self.stepped: ref[Node] | None = None
        self.grown: ref[Node] | None = None
        self.backwards: list[int] = []
        self.value = ref(tensor.node)

    def collected(self, tensor: Tensor, number: int) -> None:
        """Notes that a backward call has added to ``grad``."""
        self.backwards.append(number)
        node = tensor._grad._node  # type: ignore[union-attr]
        before = node.inputs[0] if node.op is ops.add and node.inputs else None
        used = [known() for known in (self.stepped, self.grown) if known is not None]
        grows = before is not None and any(before is each for each in used)
        self.grown = ref(node) if grows else None


_leaves: dict[int, Leaf] = {}
_held: dict[int, ref[Tensor]] = {}
"""Every parameter that an optimizer was ever given, by id."""
_examinations: WeakSet[Examination] = WeakSet()
_backwards = 0


def _leaf(tensor: Tensor) -> Leaf:
    found = _leaves.get(id(tensor))
    if found is None or found.tensor() is not tensor:
        found = _leaves[id(tensor)] = Leaf(tensor)
    return found


def _collected(tensors: Iterable[Tensor]) -> None:
    """Called after each backward, with the tensors that it has added gradients to."""
    global _backwards
    if not any(each.early for each in _examinations):
        collecting.remove(_collected)
        _leaves.clear()
        return
    _backwards += 1
    for tensor in tensors:
        _leaf(tensor).collected(tensor, _backwards)


def examine(optimizer: str, params: Iterable[Tensor], parameter: type) -> Examination | None:
    """Notes parameters that an optimizer is given; what is to be seen of it from now on.

    Args:
        optimizer, parameter: see :class:`Examination`.
    """
    for param in params:
        number = id(param)
        _held[number] = ref(param, lambda _, number=number: _held.pop(number, None))  # type: ignore[misc]
    return None if doctor.mode == "off" else Examination(optimizer, parameter)


class Examination:
    """What is seen of one optimizer.

    Args:
        optimizer: its class's name, for findings.
        parameter: the class of what modules train; other tensors that have gradients may have them
            for another reason.
    """

    def __init__(self, optimizer: str, parameter: type) -> None:
        self.optimizer, self.parameter = optimizer, parameter
        self.steps = 0
        self.due = 1
        self.missing: list[ref[Tensor]] | None = None
        _examinations.add(self)
        if _collected not in collecting:
            collecting.append(_collected)

    @property
    def early(self) -> bool:
        """Whether all steps are looked at."""
        return self.steps < FIRST

    def step(self, params: Sequence[Tensor], closure: bool) -> bool:
        """Looks at a step that is about to be taken.

        Args:
            closure: whether gradients are still to be computed.
        Returns:
            Whether there will be more to see.
        Raises:
            DoctorWarning: something is wrong, and the doctor is strict.
        """
        self.steps += 1
        if self.steps < self.due:
            return True
        self.due = self.steps + 1 if self.early else _next(self.steps)
        if self.steps <= FIRST:
            self._never_zeroed(params)
            for param in params:
                if param._grad is not None:
                    _leaf(param).stepped = ref(param._grad.node)
        if not closure:
            self._no_gradient(params)
        if self.steps == FIRST:
            self._unheld(params)
        return self.due > self.steps

    def _never_zeroed(self, params: Sequence[Tensor]) -> None:
        grown = [p for p in params if p._grad is not None and _is_grown(p)]
        if grown:
            doctor.found(
                "never-zeroed",
                self.optimizer,
                f"step {self.steps} uses gradients that a step before has used already, of"
                f" {named(grown)}.",
                rule="backward() adds to grad, and nothing has cleared it in between, so every step"
                " goes along the sum of all gradients so far.",
                hint="Call optimizer.zero_grad() before backward(), or after step().",
            )

    def _no_gradient(self, params: Sequence[Tensor]) -> None:
        """Keeps those parameters that have had no gradient at any step that was looked at."""
        without = [p for p in params if p._grad is None and p.requires_grad]
        if self.missing is None:
            missing = without
        else:
            before = {id(param) for each in self.missing if (param := each()) is not None}
            missing = [p for p in without if id(p) in before]
        self.missing = list(map(ref, missing))
        if missing and self.steps == LATER[-1] and len(missing) < len(params):
            self._tell_of_missing(missing)

    def _tell_of_missing(self, missing: list[Tensor]) -> None:
        doctor.found(
            "no-gradient",
            self.optimizer,
            f"no gradient has arrived in {self.steps} steps at {named(missing)}.",
            rule="The loss does not depend on them: they are not used in forward(), or cut off, by"
            " detach(), .data, no_grad(), argmax or a conversion to NumPy.",
            hint="Use them, or call requires_grad_(False) on them.",
        )

    def _unheld(self, params: Sequence[Tensor]) -> None:
        own = {number for p in params if isinstance(p, self.parameter) for number in _numbers(p)}
        found = []
        for leaf in _leaves.values():
            tensor = leaf.tensor()
            if tensor is None or not isinstance(tensor, self.parameter) or not own:
                continue
            known = _held.get(id(tensor))
            kept = leaf.value() is tensor.node  # nobody has changed it by hand
            if known is None and kept and len(own.intersection(leaf.backwards)) >= FIRST - 1:
                found.append(tensor)
        if found:
            doctor.found(
                "unheld-parameter",
                self.optimizer,
                f"gradients arrive at {named(found)}, which no optimizer holds.",
                rule="They are part of the loss and never change, and their gradients grow.",
                hint="Give them to an optimizer, or call requires_grad_(False) on them.",
            )


def _is_grown(param: Tensor) -> bool:
    leaf = _leaves.get(id(param))
    return leaf is not None and leaf.tensor() is param and leaf.grown is not None


def _numbers(param: Tensor) -> list[int]:
    leaf = _leaves.get(id(param))
    return leaf.backwards if leaf is not None and leaf.tensor() is param else []


def _next(step: int) -> int:
    """The next step that is looked at; 0 after the last."""
    return next((each for each in LATER if each > step), 0)
