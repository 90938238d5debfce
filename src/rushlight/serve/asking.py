"""From the body of a request to the body of its answer."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from .answer import HEADER_LENGTH, written
from .body import Question, question
from .intake import Intake
from .line import Closed, Ticket
from .metrics import Metrics
from .refused import Refused
from .repository import Repository, Served
from .settings import Settings

LARGE = 64 << 10  # bytes that are read or written beside the loop, which others wait for


class Asking:
    """Answers inference requests, and tells the metrics and the log of each."""

    def __init__(self, repository: Repository, settings: Settings, metrics: Metrics) -> None:
        self.repository, self.settings, self.metrics = repository, settings, metrics
        self.intake = Intake(settings)

    async def infer(
        self, request: Any, name: str, version: str | None = None
    ) -> tuple[bytes, dict[str, str]]:
        """The body of the answer and its headers.

        Raises:
            Refused: there is no answer; the status and the message say why.
        """
        start = time.perf_counter()
        told = request.scope["told"]
        known, status, served = ("", ""), 200, None
        try:
            served = self.repository.find(name, version)
            known = told["model"], told["version"] = served.name, served.version
            return await self._answer(request, served, version, told)
        except Refused as refused:
            status = refused.status
            self.metrics.failure(*known, refused.reason)
            raise
        finally:
            self.metrics.request(*known, status, time.perf_counter() - start)

    async def _answer(
        self, request: Any, served: Served, version: str | None, told: dict[str, Any]
    ) -> tuple[bytes, dict[str, str]]:
        with self.intake.body(request.headers) as body:
            data = await body.read(request.receive)
            asked = await self._read(data, request.headers.get(HEADER_LENGTH), served)
            told["id"] = None if asked.id is None else asked.id[:100]
            served, ticket = self._joined(served, version, asked)
            told["version"] = served.version
            arrays = await ticket.future
            told["rows"], told["batch"] = ticket.rows, ticket.batch
            arguments = served.name, served.version, asked, served.signature.outputs, arrays
            if sum(array.nbytes for array in arrays) < LARGE:
                return written(*arguments)
            return await asyncio.to_thread(written, *arguments)

    async def _read(self, data: bytes, length: str | None, served: Served) -> Question:
        arguments = data, length, served.signature, self.settings.max_elements
        if len(data) < LARGE:
            return question(*arguments)
        return await asyncio.to_thread(question, *arguments)

    def _joined(
        self, served: Served, version: str | None, asked: Question
    ) -> tuple[Served, Ticket]:
        """A place in the line of the version, or of the one that has replaced it meanwhile."""
        while True:
            try:
                return served, served.line.join(asked.arrays)
            except Closed:
                served = self._successor(served, version)
                served.signature.check([array.shape for array in asked.arrays])

    def _successor(self, served: Served, version: str | None) -> Served:
        following = self.repository.find(served.name, version)
        if following.signature.inputs != served.signature.inputs or (
            following.signature.outputs != served.signature.outputs
        ):
            raise Refused(
                503, "the model was replaced by one of another form; ask again", "replaced", 1
            )
        return following
