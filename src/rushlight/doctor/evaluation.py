"""Dropout and batch norm in training mode where a model is evaluated.

Under ``no_grad`` that is nearly always a forgotten ``model.eval()``. What such a layer makes may
also feed a loss that is differentiated, as a generator's images do, or nobody looks at it, as when
running averages are computed anew. So it is told when the value is computed, and not where a
gradient flows in the same graph.
"""

from __future__ import annotations

from typing import Any, NamedTuple
from weakref import ref

from rushlight import ops
from rushlight.base.findings import doctor
from rushlight.execute.cut import Cut
from rushlight.execute.realize import watchers
from rushlight.graph.node import Node

CODE = "training-mode"


class Suspect(NamedTuple):
    """A value that a layer made in training mode under ``no_grad``."""

    layer: str
    made: ref[Node]

    @property
    def place(self) -> Any:
        """The line that recorded it, as the doctor notes it."""
        return (CODE, *(self.made().site or ()))  # type: ignore[union-attr]


_suspects: list[Suspect] = []
_meant: set[Any] = set()
"""Lines whose values fed something that was differentiated."""


def suspect(layer: str, node: Node) -> None:
    """Notes what a layer made in training mode while no gradients are recorded."""
    found = Suspect(layer, ref(node))
    if doctor.seeks(CODE) and found.place not in doctor.told and found.place not in _meant:
        _suspects.append(found)
        if _judge not in watchers:
            watchers.append(_judge)


def _judge(cut: Cut, known: bool) -> None:
    """Looks for suspects in a graph that is about to be run."""
    there = [each for each in _suspects if (node := each.made()) is not None and node in cut]
    _suspects[:] = [x for x in _suspects if x.made() is not None and x not in there]
    if not _suspects and watchers[-1] is _judge:  # nobody else's turn is lost
        watchers.pop()
    if not there:
        return
    if cut.derives or any(node.requires_grad and node.op is not ops.leaf for node in cut.nodes):
        _meant.update(each.place for each in there)
        return
    for each in there:
        _tell(each)


def _tell(found: Suspect) -> None:
    node = found.made()
    assert node is not None
    effect = (
        "Elements are dropped at random"
        if found.layer == "dropout"
        else "It takes each batch's own mean and variance"
    )
    doctor.found(
        CODE,
        found.layer,
        f"the result {node.shape} was computed in training mode under no_grad.",
        rule=f"{effect}, so this is not what the trained model gives.",
        hint="Call model.eval() before evaluating, and model.train() after; F.dropout wants"
        " training=self.training."
        if found.layer == "dropout"
        else "Call model.eval() before evaluating, and model.train() after.",
        site=node.site,
    )
