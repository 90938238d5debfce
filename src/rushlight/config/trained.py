"""The network of a run folder."""

from __future__ import annotations

from pathlib import Path

from omegaconf import OmegaConf

from rushlight.experiments.trained import Trained
from rushlight.experiments.trained import trained as of_experiment
from rushlight.train.faults import RunFault
from rushlight.train.place import shown

from . import experiment


def trained(folder: Path, which: str = "best") -> Trained:
    """The network of a run, with the weights of its best or last checkpoint.

    Raises:
        RunFault: it is no run folder, or its checkpoint is missing or damaged.
    """
    if not folder.is_dir():
        raise RunFault(f"{shown(folder)} is not a folder")
    experiment.from_here()
    config = experiment.kept(folder)
    OmegaConf.resolve(config)
    return of_experiment(config, folder, which)
