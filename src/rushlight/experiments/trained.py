"""What a finished run left: its network, with its data, to be used elsewhere."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import rushlight as rl
from rushlight import nn
from rushlight.nn import functional as F
from rushlight.train.checkpoint import read_checkpoint
from rushlight.train.faults import RunFault
from rushlight.train.lightning import LightningDataModule, LightningModule
from rushlight.train.place import BEST_CHECKPOINT, LAST_CHECKPOINT, RESULT, shown

from .characters import Writer
from .classifier import Classifier
from .run import prepare
from .series import Forecaster

MOST_BATCHES = 4
"""Batches that are kept: to learn the ranges of values from, and to tell what is lost."""


@dataclass
class Trained:
    """A network with the weights of a checkpoint, in evaluation mode.

    Attributes:
        network: the task's ``network``, or the task where it has none.
        inputs: arguments for one sample, the first that validates.
        batches: some batches of samples that validate, with what is wanted of them.
        loss: of what the network returns and what is wanted; None where it is another kind.
        optimizer: makes that of a run.
        batch_size: of training.
        task, data: of the experiment; None for a run of the older kind.
        checkpoint: the file that the weights are from.
    """

    network: nn.Module
    inputs: tuple[Any, ...]
    batches: list[Any]
    loss: Callable[[rl.Tensor, rl.Tensor], rl.Tensor] | None
    optimizer: Callable[[], Any]
    batch_size: int
    task: LightningModule | None
    data: LightningDataModule | None
    checkpoint: Path


def trained(config: Mapping[str, Any], folder: Path, which: str = "best") -> Trained:
    """The network of an experiment's run.

    Args:
        config: the run's, composed and resolved.
        which: ``"best"`` or ``"last"``; the best where nothing was monitored is the last.
    Raises:
        RunFault: a checkpoint is missing, damaged or of another network.
    """
    path = checkpoint_of(folder, which)
    random = rl.get_rng_state()
    experiment = prepare(config, folder)
    task = experiment.task
    tree = read_checkpoint(path)
    try:
        task.on_load_checkpoint(tree)
        task.load_state_dict(tree["state_dict"], strict=task.strict_loading)
    except (RuntimeError, KeyError) as error:
        first = str(error).splitlines()[-1].strip()
        raise RunFault(f"{shown(path)} does not fit the run's network: {first}") from error
    task.eval()
    experiment.data.prepare_data()
    experiment.data.setup("fit")
    batches = list(islice(experiment.data.val_dataloader(), MOST_BATCHES))
    rl.set_rng_state(random)  # an experiment seeds everything, and a loader draws
    inputs = batches[0][0] if isinstance(batches[0], tuple | list) else batches[0]
    return Trained(
        getattr(task, "network", task), (first_of(inputs),), batches, _loss_of(task),
        lambda: _first(task.configure_optimizers()),
        int(getattr(experiment.data, "batch_size", 32)), task, experiment.data, path,
    )  # fmt: skip


def _loss_of(task: LightningModule) -> Callable[[rl.Tensor, rl.Tensor], rl.Tensor] | None:
    """What a task's training step computes of its network's results."""
    if isinstance(task, Classifier):
        return partial(F.cross_entropy, label_smoothing=task.label_smoothing)
    if isinstance(task, Writer):
        return lambda scores, ids: F.cross_entropy(scores.flatten(0, 1), ids.flatten())
    return F.mse_loss if isinstance(task, Forecaster) else None


def _first(optimizers: Any) -> Any:
    """The one optimizer of what a task configures."""
    while isinstance(optimizers, tuple | list):
        optimizers = optimizers[0]
    return optimizers["optimizer"] if isinstance(optimizers, dict) else optimizers


def checkpoint_of(folder: Path, which: str) -> Path:
    """The file of a run's best or last checkpoint.

    Raises:
        RunFault: there is none.
    """
    names = [LAST_CHECKPOINT] if which == "last" else [_best(folder), LAST_CHECKPOINT]
    found = next((folder / name for name in names if name and (folder / name).exists()), None)
    if found is None:
        raise RunFault(f"{shown(folder)} has no {names[0] or BEST_CHECKPOINT}")
    return found


def _best(folder: Path) -> str:
    """The name of the best checkpoint, as the run told it."""
    try:
        told = json.loads((folder / RESULT).read_text())["checkpoint"]
    except (OSError, ValueError, KeyError, TypeError):  # it was interrupted
        return BEST_CHECKPOINT
    return Path(str(told)).name


def first_of(tree: Any, count: int = 1) -> Any:
    """The first samples of a batch."""
    if isinstance(tree, rl.Tensor):
        return tree[:count]
    if isinstance(tree, dict):
        return {key: first_of(each, count) for key, each in tree.items()}
    if isinstance(tree, tuple | list):
        return type(tree)(first_of(each, count) for each in tree)
    return tree
