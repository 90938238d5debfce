"""``rushlight train`` without ``experiment=``: settings of an image classifier as an experiment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from importlib.resources import files
from typing import Any

from omegaconf import DictConfig, OmegaConf

from rushlight.train.settings import Constant, Settings

from .experiment import PRIMARY
from .fill import fill
from .places import FILES

HERE = "rushlight.experiments.images"


def checked(config: DictConfig, where: Callable[[str], str]) -> DictConfig:
    """The experiment that a composed configuration of settings describes.

    Raises:
        RunFault: a setting is wrong; the sentence names it.
    """
    return as_experiment(fill(config, where))


def as_experiment(settings: Settings) -> DictConfig:
    """The same as a configuration whose entries name classes."""
    trainer = settings.trainer
    data = {"name": settings.data.name, "folder": getattr(settings.data, "folder", None)}
    model = asdict(settings.model)
    of_network = {"data": data["name"], "folder": data["folder"]}
    own: dict[str, Any] = {
        "seed": trainer.seed,
        "data": {"_target_": f"{HERE}.Images", **data, "batch_size": trainer.batch_size},
        "task": {
            "_target_": "rushlight.experiments.classifier.Classifier",
            "network": {"_target_": f"{HERE}.{model.pop('name')}", **model, **of_network},
            "optimizer": _partial("rushlight.optim", settings.optimizer),
            "scheduler": None
            if isinstance(settings.scheduler, Constant)
            else _partial("rushlight.optim.lr_scheduler", settings.scheduler),
            "label_smoothing": 0.0,
        },
        "trainer": {
            "max_epochs": trainer.epochs,
            "gradient_clip_val": trainer.clip,
            "devices": trainer.devices or "auto",
        },
        "checkpoint": {"monitor": "validation_accuracy", "mode": "max"},
        "last": {"every_n_train_steps": trainer.checkpoint_every_steps},
    }
    common = OmegaConf.load(str(files(FILES).joinpath(f"{PRIMARY}.yaml")))
    for key in ("defaults", "hydra"):
        del common[key]
    whole = OmegaConf.merge(common, own)
    assert isinstance(whole, DictConfig)
    return whole


def _partial(place: str, settings: Any) -> dict[str, Any]:
    """What makes an object of the class that settings are named after, given the rest."""
    values = asdict(settings)
    del values["name"]
    return {"_target_": f"{place}.{type(settings).__name__}", "_partial_": True, **values}
