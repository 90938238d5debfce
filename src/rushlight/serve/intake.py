"""Taking in the bodies of requests, no more of them than there is room for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .refused import Refused, shortened
from .settings import Settings


class ClientGone(Exception):
    """The client went away before its request was complete; nobody is left to answer."""


class Intake:
    """Reads bodies within the limits of the settings.

    Bytes are counted from when they are announced, or arrive, until the request is answered, so the
    memory that bodies take has a bound whatever the number of clients.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings, self.held = settings, 0

    @contextmanager
    def body(self, headers: Any) -> Iterator[Body]:
        """The body of a request, whose bytes count while the block runs."""
        encoding = headers.get("content-encoding", "identity")
        if encoding.lower() != "identity":
            raise Refused(
                415, f"Content-Encoding {shortened(encoding)} is not taken; send it plain"
            )
        body = Body(self, _announced(headers.get("content-length")))
        try:
            body.count(body.announced or 0)
            yield body
        finally:
            self.held -= body.counted


class Body:
    """One body: what it announced, and how many of its bytes are counted."""

    def __init__(self, intake: Intake, announced: int | None) -> None:
        self.intake, self.announced, self.counted = intake, announced, 0

    def count(self, size: int) -> None:
        """Counts a body as having ``size`` bytes.

        Raises:
            Refused: that is too much for one request (413), or for all of them together (429).
        """
        settings, more = self.intake.settings, max(0, size - self.counted)
        if size > settings.max_body:
            raise Refused(413, f"the body is larger than {settings.max_body} bytes", "too-large")
        if self.intake.held + more > settings.max_held:
            raise Refused(429, "too many requests are on their way; try again", "held-full", 1)
        self.intake.held += more
        self.counted += more

    async def read(self, receive: Any) -> bytes:
        """All of it.

        Raises:
            Refused: too large (413), too slow (408), or not as long as announced (400).
            ClientGone: the client has hung up.
        """
        pieces, size = [], 0
        try:
            async with asyncio.timeout(self.intake.settings.body_timeout):
                more = True
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise ClientGone
                    piece, more = message.get("body", b""), message.get("more_body", False)
                    size += len(piece)
                    self.count(size)
                    pieces.append(piece)
        except TimeoutError:
            raise Refused(408, "the body did not arrive in time", "slow") from None
        if self.announced is not None and size != self.announced:
            raise Refused(
                400, f"the body has {size} bytes and Content-Length says {self.announced}"
            )
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _announced(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Refused(400, f"Content-Length must be a number of bytes, not {shortened(text)}")
    return int(text)
