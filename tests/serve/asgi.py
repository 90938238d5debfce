"""Asking an application without sockets, so that nothing lies between a test and what it sends."""

from __future__ import annotations

import asyncio
import json
import weakref
from dataclasses import dataclass


@dataclass
class Reply:
    status: int
    headers: dict
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def error(self):
        assert set(self.json) == {"error"}, self.body
        return self.json["error"]


class Client:
    """Asks an ASGI application, in a loop of its own."""

    def __init__(self, app):
        self.app, self.loop = app, asyncio.new_event_loop()
        weakref.finalize(self, self.loop.close)

    def get(self, path, **headers):
        return self.ask("GET", path, b"", headers)

    def post(self, path, body=b"", **headers):
        return self.ask("POST", path, encoded(body), headers)

    def ask(self, method, path, body=b"", headers=()):
        return self.loop.run_until_complete(self.request(method, path, [body], dict(headers)))

    def together(self, asked):
        """Replies to (path, body) posted at the same time."""

        async def every():
            return await asyncio.gather(
                *(self.request("POST", path, [encoded(body)], {}) for path, body in asked)
            )

        return self.loop.run_until_complete(every())

    async def request(self, method, path, pieces, headers):
        named = {name.replace("_", "-").lower(): str(value) for name, value in headers.items()}
        path, _, query = path.partition("?")
        scope = {
            "type": "http", "http_version": "1.1", "method": method, "scheme": "http",
            "path": path, "raw_path": path.encode(), "query_string": query.encode(),
            "headers": [(k.encode("latin-1"), v.encode("latin-1")) for k, v in named.items()],
            "server": ("test", 80), "client": ("127.0.0.1", 1), "asgi": {"version": "3.0"},
            "root_path": "",
        }  # fmt: skip
        waiting = [
            {"type": "http.request", "body": piece, "more_body": k + 1 < len(pieces)}
            for k, piece in enumerate(pieces)
        ]
        sent = []

        async def receive():
            return waiting.pop(0) if waiting else {"type": "http.disconnect"}

        async def send(message):
            sent.append(message)

        await self.app(scope, receive, send)
        start = sent[0]
        headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in start["headers"]}
        return Reply(start["status"], headers, b"".join(one.get("body", b"") for one in sent[1:]))


def encoded(body):
    return body if isinstance(body, bytes) else json.dumps(body).encode()


def tensor(name, data, shape, datatype="FP32", **more):
    return {"name": name, "shape": list(shape), "datatype": datatype, "data": data, **more}


def asking(*tensors, **more):
    """The body of an inference request."""
    return {"inputs": list(tensors), **more}
