"""HTTP/1.1 with a bound on how large the head of a request is, and on how long it takes."""

from __future__ import annotations

import json
from typing import Any

from rushlight.base.extras import load

load("httptools", "serve", "the server")
protocols: Any = load("uvicorn.protocols.http.httptools_impl", "serve", "the server")

MOST_HEAD = 64 << 10  # bytes of the first line and the headers
HEAD_SECONDS = 20.0


class Wire(protocols.HttpToolsProtocol):  # type: ignore[misc]
    """One connection. uvicorn's own has no bound, so a client that never ends its headers would
    hold a connection, and memory, for ever."""

    def connection_made(self, transport: Any) -> None:
        """A client has connected, and has some time to say what it wants."""
        super().connection_made(transport)
        self._size, self._begun, self._timer = 0, False, None
        self._expect()

    def connection_lost(self, error: Exception | None) -> None:
        """It has gone."""
        self._expected()
        super().connection_lost(error)

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self._size, self._begun = 0, True
        self._expect()

    def on_headers_complete(self) -> None:
        """The empty line after the headers."""
        self._begun = False
        self._expected()
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Bytes, which may be parts of several requests."""
        super().data_received(data)
        if self._begun:
            self._size += len(data)
            if self._size > MOST_HEAD and not self.transport.is_closing():
                self.send_400_response("The head of the request is too large.")

    def send_400_response(self, msg: str) -> None:
        """Answers what is not HTTP, in the form of the protocol's other errors, and hangs up."""
        body = json.dumps({"error": msg}).encode()
        head = (
            "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()

    def _expect(self) -> None:
        self._expected()
        self._timer = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _expected(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
