"""What every request passes: who may ask, the log of it, and no tracebacks on the way out."""

from __future__ import annotations

import hmac
import json
import time
from typing import Any

from .intake import ClientGone
from .journal import Journal
from .refused import Refused
from .settings import Settings

# What anybody may ask: whether the server lives, the empty page, and what can be asked at all.
OPEN = frozenset({"/", "/v2/health/live", "/v2/health/ready", "/docs", "/redoc", "/openapi.json"})
HUNG_UP = 499  # what is written into logs for a client that did not wait
SAFE = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}
_SAFE = [(name.encode(), value.encode()) for name, value in SAFE.items()]


class Gate:
    """ASGI middleware around the whole application."""

    def __init__(self, app: Any, settings: Settings, journal: Journal) -> None:
        self.app, self.settings, self.journal = app, settings, journal
        self._token = settings.token.encode()

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        passage = Passage(scope, send)
        try:
            self.check(scope)
            await self.app(scope, receive, passage.send)
        except Refused as refused:
            await passage.refuse(refused)
        except ClientGone:
            passage.status = HUNG_UP
        except Exception as error:
            self.journal.fault("fault", error, path=scope["path"])
            await passage.refuse(Refused(500, "the server failed; its log says more", "fault"))
        finally:
            if self.journal.requests:
                self.journal.write("request", **passage.told())

    def check(self, scope: dict[str, Any]) -> None:
        """Turns away who may not ask.

        Raises:
            Refused: no token or a wrong one (401); a web page of somebody else's, or a name that
                this server is not known by (403).
        """
        headers = dict(scope["headers"])
        host = headers.get(b"host", b"").decode("latin-1")
        if self.settings.hosts and _name(host) not in self.settings.hosts:
            raise Refused(403, "this server is not known by that name (Host)", "foreign")
        origin = headers.get(b"origin")
        if origin is not None and origin.decode("latin-1").partition("://")[2] != host:
            raise Refused(403, "web pages from elsewhere may not ask this server", "foreign")
        if self._token and scope["path"] not in OPEN:
            kind, _, given = headers.get(b"authorization", b"").partition(b" ")
            right = hmac.compare_digest(given.strip(), self._token)
            if kind.lower() != b"bearer" or not right:
                raise Refused(
                    401, "this server asks for a token: Authorization: Bearer ...", "token"
                )


class Passage:
    """One request on its way through: what was sent back, and what the log will say."""

    def __init__(self, scope: dict[str, Any], send: Any) -> None:
        self._scope, self._send = scope, send
        self._start = time.perf_counter()
        self.status, self.bytes = 0, 0
        scope["told"] = {}  # the routes add what they know: model, version, rows, batch

    async def send(self, message: dict[str, Any]) -> None:
        """Passes an answer on, with the headers that every answer has."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message = {**message, "headers": [*message.get("headers", ()), *_SAFE]}
        else:
            self.bytes += len(message.get("body", b""))
        await self._send(message)

    async def refuse(self, refused: Refused) -> None:
        """Answers with an error of the protocol's form, if nothing has been answered yet."""
        if self.status:
            return
        self._scope["told"].setdefault("reason", refused.reason)
        body = json.dumps({"error": refused.message}).encode()
        headers = {
            "content-type": "application/json",
            "content-length": str(len(body)),
            **{name.lower(): value for name, value in refused.headers.items()},
        }
        coded = [(name.encode(), value.encode()) for name, value in headers.items()]
        start = {"type": "http.response.start", "status": refused.status, "headers": coded}
        await self.send(start)
        await self.send({"type": "http.response.body", "body": body})

    def told(self) -> dict[str, Any]:
        """A line of the log. The query is left out: people put secrets there."""
        client = self._scope.get("client")
        return {
            "method": self._scope["method"],
            "path": self._scope["path"][:200],
            "status": self.status,
            "ms": round((time.perf_counter() - self._start) * 1e3, 3),
            "bytes": self.bytes,
            "client": client[0] if client else None,
            **self._scope["told"],
        }


def _name(host: str) -> str:
    """The name in a Host header, without the port."""
    host = host.lower()
    return host.partition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]
