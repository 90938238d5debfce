"""Where a run stands, and the checkpoints that hold it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import rushlight as rl
from rushlight import nn, optim

from .container import read_tree, write_tree
from .faults import RunFault
from .settings import Settings, settings_from

FORMAT = 1


@dataclass
class State:
    """How far a run is: whole epochs, steps of the present one, and its sums so far.

    Attributes:
        tier: what computes all steps of the run, since two tiers agree to rounding only.
    """

    epoch: int = 0
    step: int = 0
    seen: int = 0
    right: int = 0
    loss_sum: float = 0.0
    seconds: float = 0.0
    rows: list[dict[str, float]] = field(default_factory=list)
    tier: str = ""

    def finish_epoch(self, row: dict[str, float]) -> None:
        """Files the epoch's row of metrics and starts the next epoch's sums."""
        self.rows.append(row)
        self.epoch, self.step = self.epoch + 1, 0
        self.seen, self.right, self.loss_sum, self.seconds = 0, 0, 0.0, 0.0

    def best_epoch(self) -> int:
        """The epoch, counted from 1, of the best validation accuracy; the lower loss decides
        between equals, then the earlier epoch."""
        return int(
            max(
                self.rows,
                key=lambda row: (row["validation_accuracy"], -row["validation_loss"]),
            )["epoch"]
        )


@dataclass
class Checkpoint:
    """What a checkpoint file holds. ``overrides`` are the words that the run was started with."""

    settings: Settings
    overrides: list[str]
    state: State
    model: dict[str, rl.Tensor]
    optimizer: dict[str, Any]
    scheduler: dict[str, Any] | None
    random: rl.Tensor


def write_checkpoint(
    path: Path,
    settings: Settings,
    overrides: list[str],
    state: State,
    model: nn.Module,
    optimizer: optim.Optimizer,
    scheduler: Any,
) -> None:
    """Writes all that the run needs to go on to the same bits.

    Raises:
        OSError: the file could not be written; the one before it is still there.
    """
    write_tree(
        path,
        {
            "format": FORMAT,
            "rushlight": rl.__version__,
            "settings": asdict(settings),
            "overrides": overrides,
            "state": asdict(state),
            "model": dict(model.state_dict()),
            "optimizer": optimizer.state_dict(),
            "scheduler": scheduler.state_dict() if scheduler else None,
            "random": rl.get_rng_state(),
        },
    )


def read_checkpoint(path: Path) -> Checkpoint:
    """Reads what :func:`write_checkpoint` wrote.

    Raises:
        RunFault: the file is missing, cut short, damaged, another program's or another version's.
    """
    tree = read_tree(path)
    if tree.get("format") != FORMAT:
        raise RunFault(
            f"{path} has checkpoint format {tree.get('format')}; this rushlight reads {FORMAT}"
        )
    try:
        return Checkpoint(
            settings_from(tree["settings"]),
            list(tree["overrides"]),
            State(**tree["state"]),
            tree["model"],
            tree["optimizer"],
            tree["scheduler"],
            tree["random"],
        )
    except KeyError as error:
        raise RunFault(f"{path} has no entry {error}") from error
    except TypeError as error:
        raise RunFault(f"{path} has entries of another version of rushlight: {error}") from error


def restore(
    checkpoint: Checkpoint,
    path: Path,
    model: nn.Module,
    optimizer: optim.Optimizer,
    scheduler: Any,
) -> State:
    """Puts a checkpoint's values into a run's objects, and says where the run stands.

    Raises:
        RunFault: the checkpoint is of another model, optimizer or scheduler. Nothing was changed
            in the model.
    """
    check_fit(checkpoint.model, model.state_dict(), path)
    if (checkpoint.scheduler is None) != (scheduler is None):
        raise RunFault(f"{path} does not fit the scheduler: one has a state, the other has none")
    model.load_state_dict(checkpoint.model)
    try:
        optimizer.load_state_dict(checkpoint.optimizer)
        if scheduler:
            scheduler.load_state_dict(checkpoint.scheduler)
        rl.set_rng_state(checkpoint.random)
    except (ValueError, KeyError, TypeError, RuntimeError) as error:
        first = str(error).splitlines()[0]
        raise RunFault(f"{path} does not fit the optimizer: {first}") from error
    return checkpoint.state


def check_fit(stored: Mapping[str, rl.Tensor], wanted: Mapping[str, rl.Tensor], path: Path) -> None:
    """Checks that two states have the same names and shapes.

    Raises:
        RunFault: they have not; the sentence names the first difference.
    """
    for name, tensor in wanted.items():
        if name not in stored:
            raise RunFault(f"{path} does not fit the model: it has no {name}")
        if stored[name].shape != tensor.shape:
            raise RunFault(
                f"{path} does not fit the model: {name} is {tuple(stored[name].shape)} in the "
                f"file and {tuple(tensor.shape)} in the model"
            )
    if extra := sorted(set(stored) - set(wanted)):
        raise RunFault(f"{path} does not fit the model: the model has no {extra[0]}")
