"""The network of a run folder, whichever command made it."""

from __future__ import annotations

from pathlib import Path

from omegaconf import OmegaConf

import rushlight as rl
from rushlight.experiments.trained import Trained
from rushlight.experiments.trained import trained as of_experiment
from rushlight.train.datasets import load
from rushlight.train.faults import RunFault
from rushlight.train.network import build_model, build_optimizer
from rushlight.train.place import BEST, LAST, shown
from rushlight.train.state import check_fit, read_checkpoint

from . import experiment


def trained(folder: Path, which: str = "best") -> Trained:
    """The network of a run, with the weights of its best or last checkpoint.

    Raises:
        RunFault: it is no run folder, or its checkpoint is missing or damaged.
    """
    if not folder.is_dir():
        raise RunFault(f"{shown(folder)} is not a folder")
    if not (folder / BEST).exists() and not (folder / LAST).exists() and experiment.is_one(folder):
        experiment.from_here()
        config = experiment.kept(folder)
        OmegaConf.resolve(config)
        return of_experiment(config, folder, which)
    return _of_digits(folder, which)


def _of_digits(folder: Path, which: str) -> Trained:
    """The network of a run without ``experiment=``."""
    path = folder / (LAST if which == "last" else BEST)
    checkpoint = read_checkpoint(path)
    data = load(checkpoint.settings.data)
    network = build_model(checkpoint.settings.model, data)
    check_fit(checkpoint.model, network.state_dict(), path)
    network.load_state_dict(checkpoint.model)
    network.eval()
    part = data.validation if len(data.validation) else data.train
    images, labels = rl.tensor(part.images[:256]), rl.tensor(part.labels[:256])
    return Trained(
        network, (images[:1],), [(images, labels)], rl.nn.functional.cross_entropy,
        lambda: build_optimizer(checkpoint.settings.optimizer, network),
        checkpoint.settings.trainer.batch_size, None, None, path,
    )  # fmt: skip
