"""Checkpoints of a Trainer: what is in them, and how a run takes it back."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import replace
from enum import Enum
from pathlib import Path, PurePath
from typing import IO, TYPE_CHECKING, Any

import numpy as np

import rushlight as rl
from rushlight.execute import tier

from .calls import EXACT, Moment
from .container import read_tree, write_tree
from .faults import RunFault
from .hparams import AttributeDict
from .notes import MisconfigurationException, warn, warn_once
from .progress import Progress
from .seeding import random_states

if TYPE_CHECKING:
    from .trainer import Trainer

Tree = dict[str, Any]

VERSION = "2.6.6"
"""The release of Lightning whose names and meanings the entries have."""


# Files.


def read_checkpoint(source: str | Path | IO[bytes]) -> Tree:
    """Reads a checkpoint of ours, or one that Lightning wrote. Reading it runs nothing.

    Raises:
        FileNotFoundError: there is no such file.
        RunFault: it is damaged, or no checkpoint.
    """
    if not isinstance(source, str | Path):
        return rl.load(source, weights_only=True)
    path = Path(source)
    if not path.exists():
        raise FileNotFoundError(f"Checkpoint file not found: {path}")
    with open(path, "rb") as file:
        head = file.read(9)
    if head[8:] != b"{":  # ours is a safetensors file: a length, and then JSON
        found = rl.load(path, weights_only=True)
        if not isinstance(found, dict):
            raise RunFault(f"{path} holds a {type(found).__name__}, not a checkpoint")
        return found
    return read_tree(path)


def write_checkpoint(path: str | Path, tree: Tree) -> None:
    """Writes a checkpoint in one step; a killed process leaves the file that was there before."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    made = {name: _stored(value, name) for name, value in tree.items()}
    write_tree(path, {name: one for name, one in made.items() if one is not LEFT_OUT})


def _stored(value: Any, name: str) -> Any:
    """``value`` as a tree of what a checkpoint can hold; what it cannot is left out, and told."""
    if isinstance(value, rl.Tensor) or value is None:
        return value
    if isinstance(value, Enum):
        return _stored(value.value, name)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return rl.tensor(value)
    if isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, Mapping):
        made = {key: _stored(one, f"{name}.{key}") for key, one in value.items()}
        kept = {key: one for key, one in made.items() if one is not LEFT_OUT}
        return type(value)(kept) if type(value).__name__ == "Counter" else kept
    if isinstance(value, list | tuple | set | frozenset):
        listed = [_stored(one, f"{name}[{i}]") for i, one in enumerate(value)]
        kept_ones = [one for one in listed if one is not LEFT_OUT]
        return tuple(kept_ones) if isinstance(value, tuple) else kept_ones
    warn_once(
        f"{name} is a {type(value).__name__}, which a checkpoint does not hold: it is left out."
    )
    return LEFT_OUT


LEFT_OUT = object()


# Of a run.


def save(trainer: Trainer, path: str | Path, weights_only: bool | None) -> None:
    """Writes a checkpoint of the run; of several processes the first does, and the others wait."""
    tree = dump(trainer, weights_only)
    if trainer.world_size > 1:  # each draws, and stands in its data, as nobody else does
        tree["rushlight"]["ranks"] = trainer.ranks.all(tree["rushlight"])
    if trainer.is_global_zero:
        write_checkpoint(path, tree)
    trainer.ranks.barrier()


def dump(trainer: Trainer, weights_only: bool | None = None) -> Tree:
    """What a checkpoint of the run holds; Lightning's entries, and one of our own."""
    model, data = trainer.lightning_module, trainer.datamodule
    tree: Tree = {
        "epoch": trainer.current_epoch,
        "global_step": trainer.global_step,
        "pytorch-lightning_version": VERSION,
        "state_dict": dict(model.state_dict()),
        "rushlight": _position(trainer, bool(weights_only)),
    }
    if not weights_only:
        states = ((one.state_key, one.state_dict()) for one in trainer.callbacks)
        tree["callbacks"] = {key: state for key, state in states if state}
        tree["optimizer_states"] = [one.state_dict() for one in trainer.optimizers]
        tree["lr_schedulers"] = [one.scheduler.state_dict() for one in trainer.lr_scheduler_configs]
    for owner in (model, data):
        if owner is not None and owner.hparams:
            if getattr(owner, "_hparams_name", None) is not None:
                tree[owner.CHECKPOINT_HYPER_PARAMS_NAME] = owner._hparams_name
            tree[owner.CHECKPOINT_HYPER_PARAMS_KEY] = dict(owner.hparams)
    if data is not None and (state := data.state_dict()):
        tree[type(data).__qualname__] = state
    if not weights_only:
        for callback in trainer.callbacks:
            callback.on_save_checkpoint(trainer, model, tree)
    model.on_save_checkpoint(tree)
    return tree


def _position(trainer: Trainer, weights_only: bool) -> Tree:
    """Where the run stands, to the batch and the hook."""
    at, calls = trainer.progress, trainer.calls
    position: Tree = {
        "tier": tier.chosen(),
        "weights_only": weights_only,
        "run": trainer.run_id,
    }
    if weights_only:
        return {**position, "progress": at.state()}
    moment = calls.now
    exact = moment is not None and moment.hook in EXACT and trainer.fitting
    feed = trainer.train_feed.state() if trainer.train_feed is not None else None
    progress = replace(at, should_stop=trainer.should_stop)
    journal = trainer.journal.state()
    if not exact:
        moment = None
        if at.in_hand:  # in the midst of a batch: it is done again
            progress.batch, progress.total_batches = at.batch - 1, at.total_batches - 1
            progress.in_hand = progress.is_last_batch = False
            feed = {**feed, "fetched": feed["fetched"] - 1, "loader": None} if feed else None
        elif trainer.fitting and trainer.validating:  # in the midst of a validation: so is it
            moment = Moment("validate", -1)
    ended = moment is not None and moment.hook == "on_train_epoch_end"
    return {
        **position,
        "progress": progress.state(),
        "moment": _moment(trainer, moment),
        "feed": feed if at.batch and not ended else None,
        "seen": dict(trainer.val_feed.seen),
        "journal": journal,
        "random": random_states(),
        "gradients": _gradients(trainer),
        "frozen": [
            name
            for name, one in trainer.lightning_module.named_parameters()
            if not one.requires_grad
        ],
    }


def _moment(trainer: Trainer, moment: Moment | None) -> Tree | None:
    """The hook in which the checkpoint is written, with what the calls that are left need."""
    if moment is None:
        return None
    args: Any = ()
    if moment.args and trainer.calls.left():
        stored = tuple(_stored(arg, f"an argument of {moment.hook}") for arg in moment.args)
        args = None if LEFT_OUT in stored else stored
    return {"hook": moment.hook, "index": moment.index, "args": args}


def _gradients(trainer: Trainer) -> Tree:
    """Gradients that steps to come add to."""
    model = trainer.lightning_module
    if model.automatic_optimization and not trainer.should_accumulate():
        return {}
    return {name: one.grad for name, one in model.named_parameters() if one.grad is not None}


def restore_model(trainer: Trainer, tree: Tree) -> None:
    """Puts weights and the states of callbacks and data back."""
    model, data = trainer.lightning_module, trainer.datamodule
    model.on_load_checkpoint(tree)
    model.load_state_dict(tree["state_dict"], strict=model.strict_loading)
    if data is not None and type(data).__qualname__ in tree:
        data.load_state_dict(tree[type(data).__qualname__])
    states = tree.get("callbacks")
    if states is None:
        return
    if lost := states.keys() - {one.state_key for one in trainer.callbacks}:
        warn(
            "Be aware that when using `ckpt_path`, callbacks used to create the checkpoint need to"
            " be provided during `Trainer` instantiation. Please add the following callbacks:"
            f" {sorted(map(str, lost))}."
        )
    for callback in trainer.callbacks:
        callback.on_load_checkpoint(trainer, model, tree)
    for callback in trainer.callbacks:
        if state := states.get(callback.state_key):
            callback.load_state_dict(state)


def restore_training(trainer: Trainer, tree: Tree) -> None:
    """Puts everything else back that ``fit`` needs.

    Raises:
        KeyError: the checkpoint holds weights alone.
        MisconfigurationException: it is beyond ``max_epochs``.
    """
    position = tree.get("rushlight") or _from_lightning(tree)
    if "optimizer_states" not in tree or "lr_schedulers" not in tree:
        raise KeyError(
            "Trying to restore optimizer state but checkpoint contains only the model. This is"
            " probably due to `ModelCheckpoint.save_weights_only` being set to `True`."
        )
    trainer.progress.__dict__.update(position["progress"])
    trainer.run_id = position.get("run", trainer.run_id)
    trainer.resumed_at = trainer.progress.global_step
    trainer.should_stop = trainer.progress.should_stop
    most = trainer.max_epochs
    if most not in (-1, None) and trainer.current_epoch > most:
        raise MisconfigurationException(
            f"You restored a checkpoint with current_epoch={trainer.current_epoch}, but you have"
            f" set Trainer(max_epochs={most})."
        )
    for optimizer, state in zip(trainer.optimizers, tree["optimizer_states"]):
        optimizer.load_state_dict(state)
    for config, state in zip(trainer.lr_scheduler_configs, tree["lr_schedulers"]):
        config.scheduler.load_state_dict(state)
    _restore_position(trainer, _own(trainer, position))


def _own(trainer: Trainer, position: Tree) -> Tree:
    """The position of this process among those that wrote the checkpoint."""
    positions = position.get("ranks", [position])
    if len(positions) == trainer.world_size:
        return positions[trainer.global_rank]
    warn(
        f"The checkpoint was written by {len(positions)} processes and is read by"
        f" {trainer.world_size}: an epoch in hand is gone through anew, in another order."
    )
    return {**position, "random": None, "feed": None, "gradients": {}}


def _restore_position(trainer: Trainer, position: Tree) -> None:
    moment = position["moment"]
    if moment is not None:
        trainer.calls.resumed = Moment(moment["hook"], moment["index"], moment["args"])
    assert trainer.train_feed is not None
    trainer.train_feed.resume = position["feed"]
    trainer.val_feed.seen.update(position["seen"])
    if position["journal"] is not None:
        trainer.journal.restore(position["journal"])
    trainer.random_to_restore = position["random"]
    parameters = dict(trainer.lightning_module.named_parameters())
    if position["frozen"] is not None:
        for name, parameter in parameters.items():
            parameter.requires_grad_(name not in position["frozen"])
    for name, gradient in position["gradients"].items():
        parameters[name].grad = gradient.clone()


def _from_lightning(tree: Tree) -> Tree:
    """Our position in a checkpoint of Lightning's, which knows neither data nor random states."""
    progress, hook = Progress.from_lightning(tree["loops"], tree["global_step"])
    ends = hook == "on_train_epoch_end" or progress.is_last_batch or not progress.batch
    if not ends:
        warn(
            "You're resuming from a checkpoint that ended before the epoch ended and that does not"
            " hold the data's position: if it is shuffled, the rest is of another order."
        )
    return {
        "progress": progress.state(),
        "moment": None if hook is None else {"hook": hook, "index": 10**6, "args": None},
        "feed": None if ends else {"random": None, "generators": [], "fetched": progress.batch},
        "seen": {},
        "journal": None,
        "random": None,
        "gradients": {},
        "frozen": None,
    }


def tier_of(tree: Tree | None) -> str:
    """The tier that a run has to be computed in from its first step to its last.

    Raises:
        MisconfigurationException: another one is forced than the run began in.
    """
    forced = tier.chosen()
    wanted = "compiled" if forced == "auto" else forced
    begun = (tree or {}).get("rushlight", {}).get("tier", wanted)
    if forced not in ("auto", begun):
        raise MisconfigurationException(
            f"this run began in the {begun} tier, but RUSHLIGHT_TIER is {forced}; the two agree to"
            " rounding only, so it cannot go on to the same numbers"
        )
    return begun


# Of a model alone.


def load_model(cls: type, source: Any, hparams_file: Any, strict: bool | None, kwargs: Tree) -> Any:
    """Makes a model of a checkpoint: see :meth:`LightningModule.load_from_checkpoint`."""
    tree = read_checkpoint(source)
    model = _made(cls, tree, hparams_file, kwargs)
    model.configure_model()
    model.on_load_checkpoint(tree)
    strict = model.strict_loading if strict is None else strict
    model.load_state_dict(tree["state_dict"], strict=strict)
    return model


def load_data(cls: type, source: Any, hparams_file: Any, kwargs: Tree) -> Any:
    """Makes a data module of a checkpoint."""
    tree = read_checkpoint(source)
    data = _made(cls, tree, hparams_file, kwargs)
    if cls.__qualname__ in tree:
        data.load_state_dict(tree[cls.__qualname__])
    return data


def _made(cls: Any, tree: Tree, hparams_file: Any, kwargs: Tree) -> Any:
    """An object of ``cls`` with the hyperparameters of a checkpoint, or of a file."""
    hparams = dict(tree.get(cls.CHECKPOINT_HYPER_PARAMS_KEY) or {})
    if hparams_file is not None:
        import yaml

        hparams = yaml.safe_load(Path(hparams_file).read_text()) or {}
    name = tree.get(cls.CHECKPOINT_HYPER_PARAMS_NAME, "kwargs")
    parameters = inspect.signature(cls.__init__).parameters
    if name not in ("kwargs", None) and name in parameters:
        given = {name: AttributeDict({**hparams, **kwargs.pop(name, {})}), **kwargs}
    else:
        given = {**hparams, **kwargs}
    takes_all = any(one.kind is one.VAR_KEYWORD for one in parameters.values())
    return cls(**{key: one for key, one in given.items() if takes_all or key in parameters})
