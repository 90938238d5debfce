"""What a run can be told. Each class is one choice of one group; a file of settings fills it.

No field has a default here: the values are in the configuration files, where a reader looks for
them, and the limits are here, next to the types. A field's limits are ``low`` and ``high`` (both
allowed), ``above`` and ``below`` (neither allowed), the ``length`` of a list, or ``one_of`` some
names; those of a list hold for each of its items.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, is_dataclass
from difflib import get_close_matches
from typing import Any

ACTIVATIONS = {
    "relu": "ReLU",
    "leaky_relu": "LeakyReLU",
    "elu": "ELU",
    "selu": "SELU",
    "gelu": "GELU",
    "silu": "SiLU",
    "mish": "Mish",
    "softplus": "Softplus",
    "sigmoid": "Sigmoid",
    "tanh": "Tanh",
}


@dataclass
class Model:
    """A network that reads images of shape (N, C, H, W) and writes one score for each class."""

    name: str


@dataclass
class Linear(Model):
    """One linear layer on the pixels: multinomial logistic regression."""


@dataclass
class MLP(Model):
    """Linear layers with an activation after each but the last."""

    hidden: list[int] = field(metadata={"low": 1})
    activation: str = field(metadata={"one_of": tuple(ACTIVATIONS)})
    dropout: float = field(metadata={"low": 0.0, "below": 1.0})


@dataclass
class CNN(Model):
    """Pairs of convolution and pooling, then two linear layers."""

    channels: list[int] = field(metadata={"low": 1})
    kernel_size: int = field(metadata={"low": 1})
    hidden: int = field(metadata={"low": 1})
    activation: str = field(metadata={"one_of": tuple(ACTIVATIONS)})
    batch_norm: bool
    dropout: float = field(metadata={"low": 0.0, "below": 1.0})


@dataclass
class LSTM(Model):
    """Reads the image row by row with LSTM layers, and decides after the last row."""

    hidden: int = field(metadata={"low": 1})
    layers: int = field(metadata={"low": 1})
    dropout: float = field(metadata={"low": 0.0, "below": 1.0})


@dataclass(unsafe_hash=True)
class Data:
    """Images that are in the package."""

    name: str


@dataclass(unsafe_hash=True)
class Downloaded(Data):
    """Images that are downloaded once. No ``folder`` means one in the user's cache."""

    folder: str | None


@dataclass
class Optimizer:
    """The fields after ``name`` are the arguments of the class of ``rushlight.optim``."""

    name: str
    lr: float = field(metadata={"above": 0.0})


@dataclass
class SGD(Optimizer):
    momentum: float = field(metadata={"low": 0.0})
    dampening: float = field(metadata={"low": 0.0, "high": 1.0})
    weight_decay: float = field(metadata={"low": 0.0})
    nesterov: bool


@dataclass
class Adam(Optimizer):
    betas: list[float] = field(metadata={"low": 0.0, "below": 1.0, "length": 2})
    eps: float = field(metadata={"low": 0.0})
    weight_decay: float = field(metadata={"low": 0.0})
    amsgrad: bool


@dataclass
class AdamW(Adam):
    pass


@dataclass
class RMSprop(Optimizer):
    alpha: float = field(metadata={"low": 0.0, "below": 1.0})
    eps: float = field(metadata={"low": 0.0})
    weight_decay: float = field(metadata={"low": 0.0})
    momentum: float = field(metadata={"low": 0.0})
    centered: bool


@dataclass
class Adagrad(Optimizer):
    lr_decay: float = field(metadata={"low": 0.0})
    weight_decay: float = field(metadata={"low": 0.0})
    eps: float = field(metadata={"low": 0.0})


@dataclass
class Scheduler:
    """The fields after ``name`` are the arguments of the class of ``optim.lr_scheduler``."""

    name: str


@dataclass
class Constant(Scheduler):
    """The learning rate stays as the optimizer has it."""


@dataclass
class StepLR(Scheduler):
    step_size: int = field(metadata={"low": 1})
    gamma: float = field(metadata={"above": 0.0})


@dataclass
class MultiStepLR(Scheduler):
    milestones: list[int] = field(metadata={"low": 0})
    gamma: float = field(metadata={"above": 0.0})


@dataclass
class ExponentialLR(Scheduler):
    gamma: float = field(metadata={"above": 0.0})


@dataclass
class CosineAnnealingLR(Scheduler):
    T_max: int = field(metadata={"low": 1})
    eta_min: float = field(metadata={"low": 0.0})


@dataclass
class OneCycleLR(Scheduler):
    """Steps with every batch; its length is the run's, so it is not a setting."""

    max_lr: float = field(metadata={"above": 0.0})
    pct_start: float = field(metadata={"low": 0.0, "high": 1.0})
    anneal_strategy: str = field(metadata={"one_of": ("cos", "linear")})
    cycle_momentum: bool
    div_factor: float = field(metadata={"above": 0.0})
    final_div_factor: float = field(metadata={"above": 0.0})


@dataclass
class ReduceLROnPlateau(Scheduler):
    """Watches the validation loss."""

    factor: float = field(metadata={"above": 0.0, "below": 1.0})
    patience: int = field(metadata={"low": 0})
    threshold: float = field(metadata={"low": 0.0})
    min_lr: float = field(metadata={"low": 0.0})


@dataclass
class Trainer:
    """How long, in what steps, and what is kept on the way."""

    epochs: int = field(metadata={"low": 1})
    batch_size: int = field(metadata={"low": 1})
    # The generator is seeded with 64 bits.
    seed: int = field(metadata={"low": 0, "high": 2**63 - 1})
    clip: float | None = field(metadata={"above": 0.0})
    checkpoint_every_steps: int = field(metadata={"low": 0})
    # Processes that train together; None leaves it to who starts them, such as mpiexec.
    devices: int | None = field(metadata={"low": 1})


@dataclass
class Settings:
    """A whole run."""

    model: Model
    data: Data
    optimizer: Optimizer
    scheduler: Scheduler
    trainer: Trainer


CHOICES: dict[str, dict[str, type]] = {
    "model": {"linear": Linear, "mlp": MLP, "cnn": CNN, "lstm": LSTM},
    "data": {
        "digits": Data,
        "mnist": Downloaded,
        "fashion_mnist": Downloaded,
        "cifar10": Downloaded,
    },
    "optimizer": {
        "sgd": SGD,
        "adam": Adam,
        "adamw": AdamW,
        "rmsprop": RMSprop,
        "adagrad": Adagrad,
    },
    "scheduler": {
        "none": Constant,
        "step": StepLR,
        "multistep": MultiStepLR,
        "exponential": ExponentialLR,
        "cosine": CosineAnnealingLR,
        "onecycle": OneCycleLR,
        "plateau": ReduceLROnPlateau,
    },
    "trainer": {"default": Trainer},
}
"""Each group's choices: the name that a user types, and the class that it fills."""


def limits_broken(settings: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every value outside its limits, as its dotted key and what it must be."""
    for item in fields(settings):
        key, value = prefix + item.name, getattr(settings, item.name)
        if is_dataclass(value):
            yield from limits_broken(value, key + ".")
        elif value is not None:
            for rule in _rules_broken(value, item.metadata):
                yield key, f"must be {rule}, not {_shown(value)}"


def _rules_broken(value: Any, limits: Any) -> Iterator[str]:
    if isinstance(value, list):
        if "length" in limits and len(value) != limits["length"]:
            yield f"a list of {limits['length']}"
        values, each = value, "a list of numbers "
    else:
        values, each = [value], ""
    # Written so that NaN, which compares false with everything, breaks every limit.
    if "one_of" in limits and value not in limits["one_of"]:
        near = get_close_matches(str(value), limits["one_of"], n=1)
        yield "one of " + ", ".join(limits["one_of"]) + (f" (perhaps {near[0]})" if near else "")
    if "low" in limits and not all(item >= limits["low"] for item in values):
        yield f"{each}at least {limits['low']:g}"
    if "high" in limits and not all(item <= limits["high"] for item in values):
        yield f"{each}at most {limits['high']:g}"
    if "above" in limits and not all(item > limits["above"] for item in values):
        yield f"{each}above {limits['above']:g}"
    if "below" in limits and not all(item < limits["below"] for item in values):
        yield f"{each}below {limits['below']:g}"
    if not all(item == item and abs(item) != float("inf") for item in values if _number(item)):
        yield f"{each}finite"


def _number(value: Any) -> bool:
    return isinstance(value, int | float)


def _shown(value: Any) -> str:
    return str(value) if isinstance(value, str) else repr(value)
