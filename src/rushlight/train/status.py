"""What a Trainer is doing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class TrainerFn(StrEnum):
    """Which of its functions was called."""

    FITTING = "fit"
    VALIDATING = "validate"
    TESTING = "test"
    PREDICTING = "predict"


class RunningStage(StrEnum):
    """Which loop runs."""

    TRAINING = "train"
    SANITY_CHECKING = "sanity_check"
    VALIDATING = "validate"
    TESTING = "test"
    PREDICTING = "predict"

    @property
    def evaluating(self) -> bool:
        return self in (self.VALIDATING, self.TESTING, self.SANITY_CHECKING)


class TrainerStatus(StrEnum):
    """How it stands."""

    INITIALIZING = "initializing"
    RUNNING = "running"
    FINISHED = "finished"
    INTERRUPTED = "interrupted"


@dataclass
class TrainerState:
    """Function, stage and status of a Trainer."""

    status: TrainerStatus = TrainerStatus.INITIALIZING
    fn: TrainerFn | None = None
    stage: RunningStage | None = None

    @property
    def finished(self) -> bool:
        return self.status is TrainerStatus.FINISHED

    @property
    def stopped(self) -> bool:
        return self.status in (TrainerStatus.FINISHED, TrainerStatus.INTERRUPTED)


class Stages:
    """``trainer.training`` and its like: whether a stage runs, and setting which one does."""

    state: TrainerState

    def _is(self, stage: RunningStage) -> bool:
        return self.state.stage is stage

    def _become(self, stage: RunningStage, on: bool) -> None:
        if on:
            self.state.stage = stage
        elif self.state.stage is stage:
            self.state.stage = None

    @property
    def fitting(self) -> bool:
        """Whether ``fit`` runs, in whichever stage."""
        return self.state.fn is TrainerFn.FITTING

    @property
    def training(self) -> bool:
        return self._is(RunningStage.TRAINING)

    @training.setter
    def training(self, on: bool) -> None:
        self._become(RunningStage.TRAINING, on)

    @property
    def testing(self) -> bool:
        return self._is(RunningStage.TESTING)

    @testing.setter
    def testing(self, on: bool) -> None:
        self._become(RunningStage.TESTING, on)

    @property
    def predicting(self) -> bool:
        return self._is(RunningStage.PREDICTING)

    @predicting.setter
    def predicting(self, on: bool) -> None:
        self._become(RunningStage.PREDICTING, on)

    @property
    def validating(self) -> bool:
        return self._is(RunningStage.VALIDATING)

    @validating.setter
    def validating(self, on: bool) -> None:
        self._become(RunningStage.VALIDATING, on)

    @property
    def sanity_checking(self) -> bool:
        return self._is(RunningStage.SANITY_CHECKING)

    @sanity_checking.setter
    def sanity_checking(self, on: bool) -> None:
        self._become(RunningStage.SANITY_CHECKING, on)

    @property
    def evaluating(self) -> bool:
        return self.state.stage is not None and self.state.stage.evaluating
