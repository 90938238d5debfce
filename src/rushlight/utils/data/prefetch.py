"""A pass over the data of a DataLoader that has workers load batches ahead of time."""

from __future__ import annotations

import multiprocessing
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any

from rushlight.utils.data.crew import Crew, Member
from rushlight.utils.data.iteration import _BaseDataLoaderIter
from rushlight.utils.data.outcome import STREAM_END, Failure
from rushlight.utils.data.wire import Packed, unpack
from rushlight.utils.data.worker import Epoch

if TYPE_CHECKING:
    from rushlight.utils.data.dataloader import DataLoader


class _MultiProcessingDataLoaderIter(_BaseDataLoaderIter):
    """Deals tasks to workers, and returns their batches in the order of the sampler.

    Tasks are numbered and dealt in turn; the next one is dealt when a batch is returned. When a
    batch is dealt, and to whom, never depends on which worker was faster, so nor do the batches of
    streams that end at different times. (With ``in_order=False`` it may.)
    """

    def __init__(self, loader: DataLoader[Any]) -> None:
        super().__init__(loader)
        self._dealt = 0
        self._crew = _hire(loader)
        self._reset(loader)

    def _reset(self, loader: DataLoader[Any]) -> None:
        super()._reset(loader)
        if self._crew.dismissed:
            self._crew = _hire(loader)
        self._timeout = loader.timeout
        self._in_order = loader.in_order
        self._persistent = loader.persistent_workers
        self._ahead = max(1, (loader.prefetch_factor or 0) * loader.num_workers)
        self._turns = cycle(self._crew.members)
        self._tasks: dict[int, Member] = {}  # of this pass, by number: not returned yet
        self._answers: dict[int, Packed] = {}
        for member in self._crew.members:
            member.ended = False
            self._crew.begin(member, Epoch(self._base_seed))
        for _ in range(self._ahead):
            self._deal()

    def _deal(self) -> None:
        """Gives the next task to the next worker, if there is a task and a worker for it."""
        member = self._next_member()
        if member is None:
            return
        try:
            indices = next(self._sampler_iter)
        except StopIteration:
            return
        number, self._dealt = self._dealt, self._dealt + 1
        self._crew.assign(member, number, indices)
        self._tasks[number] = member

    def _next_member(self) -> Member | None:
        members = self._crew.members
        share = self._ahead // max(1, sum(not member.ended for member in members))
        for member in islice(self._turns, len(members)):
            # Out of order, a slow worker must not gather the tasks that others could do.
            if not member.ended and (self._in_order or len(member.tasks) < max(1, share)):
                return member
        return None

    def _next_data(self) -> Any:
        while self._tasks and not self._crew.dismissed:
            number = self._await_answer()
            member = self._tasks.pop(number)
            try:
                data = unpack(self._answers.pop(number))
                member.ended = data is STREAM_END
            finally:  # one batch that cannot be read is no reason to lose the rest
                self._deal()
            if isinstance(data, Failure):
                data.reraise()
            if data is not STREAM_END:
                return data
        if not self._persistent:
            self._crew.dismiss()
        raise StopIteration

    def _await_answer(self) -> int:
        """The number of the task whose answer is to be returned next."""
        while True:
            if not self._in_order and self._answers:
                return next(iter(self._answers))
            first = next(iter(self._tasks))
            if first in self._answers:
                return first
            for number, packed in self._crew.answers(self._timeout):
                if number in self._tasks:  # and not of a pass that was broken off
                    self._answers[number] = packed


def _hire(loader: DataLoader[Any]) -> Crew:
    context = loader.multiprocessing_context or multiprocessing.get_context()
    return Crew(context, loader._recipe, loader.worker_init_fn, loader.num_workers)
