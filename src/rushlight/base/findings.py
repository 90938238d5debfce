"""What the training doctor finds: mistakes that run, and train badly.

Whoever records or runs something can find one, so what is said of them, and how, is here. How they
are silenced is :mod:`rushlight.doctor`.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from typing import Any

from . import site as sites
from .errors import ArgValueError, Fault

CODES = {
    "softmax-before-loss": "cross_entropy takes scores and applies log_softmax itself; its input is"
    " already a softmax, a log_softmax or a sigmoid",
    "sigmoid-before-loss": "a loss with logits applies the sigmoid itself; its input is already a"
    " sigmoid, a softmax or a log_softmax",
    "probabilities-not-logs": "nll_loss and kl_div take logarithms of probabilities; their input is"
    " a softmax or a sigmoid",
    "broadcast-target": "a prediction (n, 1) and a target (n,) are compared each with each, n * n"
    " times",
    "float-class-labels": "cross_entropy takes class indices as int64; a floating-point target is"
    " probabilities, and this one holds none",
    "never-zeroed": "gradients add up from step to step, because nothing clears them",
    "unheld-parameter": "a parameter gets gradients, and no optimizer holds it",
    "no-gradient": "an optimizer holds a parameter that never gets a gradient",
    "training-mode": "dropout or batch norm was evaluated in training mode under no_grad",
    "not-finite": "a loss is nan or infinite; the operation that first made one is named",
}
"""Every mistake by the code that silences it, in a sentence."""

MODES = ("warn", "strict", "off")


class DoctorWarning(Fault, UserWarning):
    """A mistake that the training doctor found; an exception where it is strict.

    Attributes:
        code: what silences it.
        within: the layer, where that is known from elsewhere than the call.
    """

    within = ""

    def __init__(self, operation: str, problem: str, *, code: str = "", **more: Any) -> None:
        self.code = code
        super().__init__(operation, problem, **more)

    def __str__(self) -> str:
        lines = [super().__str__(), f'If it is meant: rushlight.doctor.silence("{self.code}")']
        if self.within:
            lines.insert(1, self.within)
        return "\n  ".join(lines)


class Doctor:
    """What is looked for, and what has been told.

    Attributes:
        mode: ``"warn"``, ``"strict"`` (a finding is raised) or ``"off"``.
        silenced: codes of which nothing is said.
        told: the places at which a code was told, each once.
        since: how many times that was forgotten.
    """

    def __init__(self, mode: str = "warn", silenced: frozenset[str] = frozenset()) -> None:
        self.mode = mode
        self.silenced = silenced
        self.told: set[tuple[str, object, int]] = set()
        self.since = 0

    def forget(self) -> None:
        """Tells again of what was told."""
        self.told.clear()
        self.since += 1

    def seeks(self, code: str) -> bool:
        """Whether anything would be said of a mistake."""
        return self.mode != "off" and code not in self.silenced

    def found(
        self,
        code: str,
        operation: str,
        problem: str,
        *,
        rule: str = "",
        hint: str = "",
        site: sites.Site | None = None,
        layer: str = "",
    ) -> None:
        """Tells of a mistake, once for each place; the arguments are those of a ``Fault``.

        Args:
            layer: where in a model it is, where that is known from elsewhere.

        Raises:
            DoctorWarning: the mode is ``"strict"``.
        """
        if not self.seeks(code):
            return
        finding = DoctorWarning(operation, problem, code=code, rule=rule, hint=hint, site=site)
        finding.within = layer
        if self.mode == "strict":
            raise finding
        place = (code, *finding.site)
        if place in self.told:
            return
        self.told.add(place)
        line = sites.line(finding.site)
        warnings.warn_explicit(finding, DoctorWarning, line.file, line.number)


def read(environ: Mapping[str, str]) -> Doctor:
    """The doctor that ``RUSHLIGHT_DOCTOR`` asks for: a mode, or codes to silence.

    Raises:
        ValueError: a word that is neither.
    """
    given = environ.get("RUSHLIGHT_DOCTOR", "").replace(",", " ").split()
    words = ["off" if word == "0" else word for word in given]
    modes = [word for word in words if word in MODES]
    silenced = frozenset(words) - frozenset(modes)
    check(silenced, "RUSHLIGHT_DOCTOR", ", or one of off, warn and strict")
    return Doctor(modes[-1] if modes else "warn", silenced)


def check(codes: frozenset[str], where: str, others: str = "") -> None:
    """Refuses words that are no codes.

    Raises:
        ValueError: naming the codes there are.
    """
    for code in sorted(codes - CODES.keys()):
        raise ArgValueError(
            where,
            f"{code!r} means nothing here",
            rule=f"Mistakes are called {', '.join(CODES)}{others}.",
        )


doctor = read(os.environ)
