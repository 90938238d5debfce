"""In which dtype a run computes."""

from __future__ import annotations

import contextlib
from typing import Any

import rushlight as rl
from rushlight import nn

from .notes import warn
from .trees import over_tensors

ALIASES = {
    "16": "16-mixed",
    "bf16": "bf16-mixed",
    "32": "32-true",
    "64": "64-true",
}
WHOLE = {"64-true": rl.float64, "bf16-true": rl.bfloat16, "16-true": rl.float16}
NOTHING = contextlib.nullcontext()
KNOWN = ("32-true", "64-true", "bf16-mixed", "bf16-true", "16-mixed", "16-true")


class Precision:
    """How a Trainer's ``precision`` treats model, batches and steps.

    ``"bf16-mixed"`` runs steps in :func:`rushlight.amp.autocast`; the ``-true`` ones convert model
    and batches.

    Raises:
        ValueError: there is no such precision.
    """

    def __init__(self, asked: str | int | None) -> None:
        name = str(asked) if asked is not None else "32-true"
        self.name = ALIASES.get(name, name)
        if self.name not in KNOWN:
            raise ValueError(
                f"Precision {asked!r} is invalid. Allowed precision values: {', '.join(KNOWN)}, and"
                f" {', '.join(ALIASES)}."
            )
        if self.name == "16-mixed":
            warn(
                "You passed `Trainer(accelerator='cpu', precision='16-mixed')` but AMP with fp16 is"
                " not supported on CPU. Using `precision='bf16-mixed'` instead."
            )
            self.name = "bf16-mixed"
        self.dtype = WHOLE.get(self.name)

    @property
    def plain(self) -> bool:
        """Whether nothing is to be done."""
        return self.name == "32-true"

    def convert_model(self, model: nn.Module) -> None:
        if self.dtype is not None:
            model.to(self.dtype)

    def convert_batch(self, batch: Any) -> Any:
        if self.dtype is None:
            return batch
        return over_tensors(batch, lambda one: one.to(self.dtype) if _real(one) else one)

    def step_context(self) -> contextlib.AbstractContextManager[Any]:
        """What a step is to be run in."""
        if self.name == "bf16-mixed":
            from rushlight import amp

            return amp.autocast("cpu", dtype=rl.bfloat16)
        if self.dtype is not None:
            return _default_dtype(self.dtype)
        return NOTHING


@contextlib.contextmanager
def _default_dtype(dtype: Any) -> Any:
    before = rl.get_default_dtype()
    rl.set_default_dtype(dtype)
    try:
        yield
    finally:
        rl.set_default_dtype(before)


def _real(tensor: rl.Tensor) -> bool:
    return tensor.is_floating_point()
