"""A server in a process of its own, asked over sockets."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

HERE = Path(__file__).parent
PATIENCE = 60.0  # seconds for what takes one on a machine that is free


class Server:
    """``rushlight serve`` with toy models; ends with the block."""

    def __init__(self, *words, script=HERE / "toy_server.py", **environment):
        env = {**os.environ, "RUSHLIGHT_TIER": "reference", **environment}
        self.process = subprocess.Popen(
            [sys.executable, str(script), *map(str, words), "--port", "0"],
            stderr=subprocess.PIPE, text=True, env=env,
        )  # fmt: skip
        self.log = []
        self._news = threading.Condition()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        for line in self.process.stderr:
            told = json.loads(line) if line.startswith("{") else {"event": "text", "text": line}
            with self._news:
                self.log.append(told)
                self._news.notify_all()

    def __enter__(self):
        self.host, _, port = self.wait("ready")["address"].removeprefix("http://").partition(":")
        self.port = int(port)
        return self

    def __exit__(self, *error):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stderr.close()

    def wait(self, event, **fields):
        """The first line of the log that has these fields."""
        until = time.monotonic() + PATIENCE
        with self._news:
            while True:
                for told in self.log:
                    if {**told, "event": event, **fields} == told:
                        return told
                left = until - time.monotonic()
                assert left > 0 and (self.process.poll() is None or left > PATIENCE - 1), self.log
                self._news.wait(min(left, 0.5))

    def connection(self):
        return http.client.HTTPConnection(self.host, self.port, timeout=PATIENCE)

    def ask(self, method, path, body=None, headers=(), connection=None):
        """Status, headers and body."""
        asked = connection or self.connection()
        body = json.dumps(body) if isinstance(body, dict) else body
        asked.request(method, path, body, dict(headers))
        reply = asked.getresponse()
        content = reply.read()
        if connection is None:
            asked.close()
        return reply.status, reply.headers, content

    def infer(self, name="m", data=(1, 2, 3, 4), connection=None):
        body = {"inputs": [{"name": "x", "shape": [1, 4], "datatype": "FP32", "data": list(data)}]}
        status, _, content = self.ask(
            "POST", f"/v2/models/{name}/infer", body, connection=connection
        )
        return status, json.loads(content)

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


class Clients:
    """Threads that ask again and again, each over a connection of its own."""

    def __init__(self, server, count, **asked):
        self.server, self.asked, self.found, self.faults = server, asked, [], []
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._go, daemon=True) for _ in range(count)]

    def _go(self):
        with contextlib.closing(self.server.connection()) as connection:
            while not self._end.is_set():
                try:
                    self.found.append(self.server.infer(connection=connection, **self.asked))
                except Exception as error:
                    self.faults.append(error)
                    return

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error):
        self._end.set()
        for thread in self._threads:
            thread.join(PATIENCE)
