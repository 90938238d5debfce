"""Where batches come from: which loaders, how many batches of them, and from where on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rushlight.utils.data import DataLoader, RandomSampler, SequentialSampler

from .combined import CombinedLoader, length
from .datamodule import LightningDataModule
from .divided import divided, with_sampler
from .hooks import overridden
from .module import LightningModule
from .notes import MisconfigurationException, note, warn
from .seeding import random_states, restore_random_states

if TYPE_CHECKING:
    from .trainer import Trainer

STAGES = {
    "train": "training_step",
    "val": "validation_step",
    "test": "test_step",
    "predict": "predict_step",
}


class Feed:
    """The batches of one stage: ``"train"``, ``"val"``, ``"test"`` or ``"predict"``.

    Attributes:
        given: what the user passed to ``fit`` and its like; None asks the data module, then the
            model.
        loader: all loaders together, once :meth:`prepare` has made them.
        limits: how many batches of each loader are taken.
        seen: how many batches of each loader were evaluated, over all epochs: the x axis of what
            evaluation steps log.
    """

    def __init__(self, trainer: Trainer, stage: str, given: Any = None) -> None:
        self.trainer, self.stage, self.given = trainer, stage, given
        self.loader: CombinedLoader | None = None
        self.limits: list[int | float] = []
        self.loaded_in_epoch = float("-inf")
        self.iterator: Iterator[Any] | None = None
        self.fetched = 0
        self.ahead: Any = None
        self.before: dict[str, Any] | None = None
        self.seen: defaultdict[int, int] = defaultdict(int)
        self.start: dict[str, Any] | None = None
        self.resume: dict[str, Any] | None = None

    # Which loaders.

    @property
    def hook(self) -> str:
        return f"{self.stage}_dataloader"

    def owner(self) -> tuple[Any, type] | None:
        """Who defines the hook that makes the loaders; None if nobody does."""
        trainer = self.trainer
        for one, base in (
            (trainer.datamodule, LightningDataModule),
            (trainer.lightning_module, LightningModule),
        ):
            if one is not None and overridden(self.hook, one, base):
                return one, base
        return None

    def is_defined(self) -> bool:
        return self.given is not None or self.owner() is not None

    def prepare(self) -> None:
        """Makes the loaders, if they are not there or are to be made again this epoch."""
        trainer = self.trainer
        every = trainer.reload_dataloaders_every_n_epochs
        stale = every and trainer.current_epoch - self.loaded_in_epoch >= every
        limit = getattr(trainer, f"limit_{self.stage}_batches")
        step = STAGES[self.stage]
        needless = self.stage != "predict" and not overridden(
            step, trainer.lightning_module, LightningModule
        )
        if limit == 0 or needless or (self.loader is not None and not stale):
            return
        if self.loader is not None:
            self.seen.clear()
        self.loaded_in_epoch = trainer.current_epoch
        mode = "max_size_cycle" if self.stage == "train" else "sequential"
        made = self._request()
        self.loader = made if isinstance(made, CombinedLoader) else CombinedLoader(made, mode)
        self._check()
        if trainer.overfit_batches > 0 and trainer.fitting:
            self._without_shuffling()
        if trainer.world_size > 1 and trainer.use_distributed_sampler:
            self.loader.flattened = [divided(one, trainer, self) for one in self.loader.flattened]
        self.limits = [_limit(self.stage, length(one), limit) for one in self.loader.flattened]
        self.loader.limits = self.limits

    def _request(self) -> Any:
        if self.given is not None:
            return self.given
        owner = self.owner()
        if owner is None:
            raise MisconfigurationException(
                f"`{self.hook}` must be implemented to be used with the Trainer, or loaders passed."
            )
        return getattr(owner[0], self.hook)()

    def _check(self) -> None:
        assert self.loader is not None
        for one in self.loader.flattened:
            if not hasattr(one, "__iter__") and not hasattr(one, "__getitem__"):
                raise TypeError(
                    f"An invalid dataloader was passed to the Trainer for `{self.hook}`:"
                    f" {type(one).__name__} is not an iterable. Found {one}."
                )
        if self.stage == "train" and self.loader._mode == "sequential":
            raise ValueError(
                'training does not support the `CombinedLoader(mode="sequential")` mode.'
            )
        if self.stage == "predict" and self.loader._mode != "sequential":
            raise ValueError(
                '`trainer.predict()` only supports the `CombinedLoader(mode="sequential")` mode.'
            )

    def _without_shuffling(self) -> None:
        """Overfitting wants the same few batches each time."""
        assert self.loader is not None
        loaders = self.loader.flattened
        if not any(isinstance(getattr(one, "sampler", None), RandomSampler) for one in loaders):
            return
        warn(
            f"You requested to overfit but enabled {self.stage} dataloader shuffling. We are"
            f" turning off the {self.stage} dataloader shuffling for you."
        )
        self.loader.flattened = [_in_order(one) for one in loaders]

    # How many batches.

    @property
    def several(self) -> bool:
        """Whether steps are told which loader a batch is of."""
        return (
            self.loader is not None
            and self.loader._mode == "sequential"
            and len(self.loader.flattened) > 1
        )

    def size(self) -> int | float:
        """How many batches there are in an epoch; ``inf`` if nobody knows."""
        return self.loader.size() if self.loader is not None else 0

    def restrict(self, most: float | None) -> None:
        """Takes at most so many batches of each loader; None: as many as the Trainer says."""
        if self.loader is not None:
            self.loader.limits = [one if most is None else min(one, most) for one in self.limits]

    # The batches.

    def begin(self, epoch: int | None = None) -> None:
        """Begins a pass over the data, or goes on with the one that a checkpoint broke off."""
        assert self.loader is not None
        for one in self.loader.flattened:
            for sampler in (getattr(one, "sampler", None), getattr(one, "batch_sampler", None)):
                if epoch is not None and callable(getattr(sampler, "set_epoch", None)):
                    sampler.set_epoch(epoch)
        if self.resume is not None:
            self._go_on(self.resume)
            self.resume = None
            return
        if self.stage == "train":
            self.start = {"random": random_states(), "generators": self._generators()}
        self.iterator, self.fetched, self.ahead = iter(self.loader), 0, None

    def batches(self) -> Iterator[tuple[Any, int, int, bool]]:
        """(batch, its number, its loader's number, whether it is the last)."""
        assert self.iterator is not None
        size = self.size()
        if size == float("inf"):
            yield from self._looking_ahead()
            return
        for batch, index, number in self.iterator:
            self.fetched += 1
            yield batch, index, number, self.fetched >= size
            if self.fetched >= size:
                return

    def _looking_ahead(self) -> Iterator[tuple[Any, int, int, bool]]:
        """Fetches one batch more than it gives, to know which is the last."""
        assert self.iterator is not None
        if self.ahead is None:
            self.ahead = self._next()
        while self.ahead is not None:
            batch, index, number = self.ahead
            self.before = random_states()
            self.ahead = self._next()
            yield batch, index, number, self.ahead is None

    def _next(self) -> Any:
        assert self.iterator is not None
        found = next(self.iterator, None)
        self.fetched += found is not None
        return found

    # Where a pass stands, for checkpoints.

    def state(self) -> dict[str, Any] | None:
        """How the pass began, how many batches it has given, and what its loader says of it."""
        if self.start is None:
            return None
        one = self._stateful()
        inside = None if one is None else one.state_dict()
        before = None if self.ahead is None else self.before
        return {**self.start, "fetched": self.fetched, "before": before, "loader": inside}

    def _stateful(self) -> Any:
        """The loader, if it is a single one that can go on with a pass by itself."""
        assert self.loader is not None
        loaders = self.loader.flattened
        able = len(loaders) == 1 and all(
            callable(getattr(loaders[0], name, None)) for name in ("state_dict", "load_state_dict")
        )
        return loaders[0] if able and self.size() != float("inf") else None

    def _generators(self) -> list[Any]:
        return [one.get_state() for one in self.own_generators()]

    def own_generators(self) -> list[Any]:
        """Generators of loaders and samplers that are not the default one."""
        assert self.loader is not None
        found: dict[int, Any] = {}
        for one in self.loader.flattened:
            for place in (one, getattr(one, "sampler", None), getattr(one, "batch_sampler", None)):
                generator = getattr(place, "generator", None)
                if generator is not None:
                    found[id(generator)] = generator
        return list(found.values())

    def _go_on(self, state: dict[str, Any]) -> None:
        """Begins as the broken-off pass began, and takes what it had taken."""
        assert self.loader is not None
        inside, one = state.get("loader"), self._stateful()
        if inside is not None and one is not None:
            one.load_state_dict(inside)
            self.start = {name: state[name] for name in ("random", "generators")}
            self.fetched = state["fetched"]
            rest = enumerate(iter(one), self.fetched)
            self.iterator = ((batch, index, 0) for index, batch in rest)
            return
        if state["random"] is not None:
            restore_random_states(state["random"])
        for generator, before in zip(self.own_generators(), state["generators"]):
            generator.set_state(before)
        began = state["random"] or random_states()
        self.start = {"random": began, "generators": state["generators"]}
        self.iterator, self.fetched, self.ahead = iter(self.loader), 0, None
        before = state.get("before")
        while self.fetched < state["fetched"] - (before is not None):
            self._next()
        if before is not None:  # one more was looked at ahead of its time, and had drawn by then
            restore_random_states(before)
            self.before, self.ahead = before, self._next()


def _in_order(loader: Any) -> Any:
    if not isinstance(loader, DataLoader):
        return loader
    return with_sampler(loader, SequentialSampler(loader.dataset))  # type: ignore[arg-type]


def _limit(stage: str, size: int | float, limit: int | float) -> int | float:
    """How many of ``size`` batches ``limit_*_batches`` leaves.

    Raises:
        MisconfigurationException: a share that leaves none, or a share of nobody knows how many.
    """
    if limit == 0:
        return 0
    if isinstance(limit, int):
        return min(size, limit)
    if size == float("inf"):
        if limit == 1.0:
            return size
        raise MisconfigurationException(
            f"When using an `IterableDataset`, `Trainer(limit_{stage}_batches)` must be `1.0` or an"
            " int. An int specifies `num_{stage}_batches` to use."
        )
    taken = int(size * limit)
    if taken == 0 and limit > 0.0 and size > 0:
        least = 1.0 / size
        raise MisconfigurationException(
            f"You requested to check {limit} of the `{stage}_dataloader` but {limit} * {size} < 1."
            f" Please increase the `limit_{stage}_batches` argument. Try at least"
            f" `limit_{stage}_batches={least}`"
        )
    if size == 0:
        note(f"Total length of `{stage}_dataloader` is zero.")
    return taken
