"""A page in headless Chromium, driven over the DevTools protocol; a model in Node."""

from __future__ import annotations

import base64
import contextlib
import functools
import http.server
import itertools
import json
import os
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("chrome")
NODE = shutil.which("node")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
needs_node = pytest.mark.skipif(NODE is None, reason="node is not installed")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--remote-debugging-port=0", "--hide-scrollbars",
)  # fmt: skip
PATIENCE = 60.0


class Socket:
    """A WebSocket (RFC 6455) of text, without extensions."""

    def __init__(self, url: str) -> None:
        host, _, path = url.removeprefix("ws://").partition("/")
        name, port = host.split(":")
        self._socket = socket.create_connection((name, int(port)), timeout=PATIENCE)
        key = base64.b64encode(os.urandom(16)).decode()
        lines = (f"GET /{path} HTTP/1.1", f"Host: {host}", "Upgrade: websocket",
                 "Connection: Upgrade", f"Sec-WebSocket-Key: {key}",
                 "Sec-WebSocket-Version: 13", "", "")  # fmt: skip
        self._socket.sendall("\r\n".join(lines).encode())
        self._file = self._socket.makefile("rb")
        assert b"101" in self._file.readline()
        while self._file.readline() != b"\r\n":
            pass

    def send(self, text: str) -> None:
        data = text.encode()
        size = len(data)
        head = bytes([0x81])
        head += (
            bytes([0x80 | size]) if size < 126
            else bytes([0xFE]) + struct.pack(">H", size) if size < 1 << 16
            else bytes([0xFF]) + struct.pack(">Q", size)
        )  # fmt: skip
        self._socket.sendall(head + bytes(4) + data)  # a mask of zeros changes nothing

    def receive(self) -> str:
        whole = b""
        while True:
            first, size = self._file.read(2)
            if size == 126:
                (size,) = struct.unpack(">H", self._file.read(2))
            elif size == 127:
                (size,) = struct.unpack(">Q", self._file.read(8))
            whole += self._file.read(size)
            if first & 0x80:
                return whole.decode()

    def close(self) -> None:
        self._file.close()
        self._socket.close()


class Tab:
    """One page.

    Attributes:
        complaints: errors and warnings on the console, and exceptions nobody caught.
    """

    def __init__(self, socket: Socket) -> None:
        self._socket, self._numbers = socket, itertools.count(1)
        self.complaints: list[str] = []
        for domain in ("Page", "Runtime", "Log"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **params: Any) -> Any:
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            message = json.loads(self._socket.receive())
            self._note(message)
            if message.get("id") == number:
                assert "error" not in message, message["error"]
                return message["result"]

    def _note(self, message: dict[str, Any]) -> None:
        method, params = message.get("method"), message.get("params", {})
        if method == "Runtime.exceptionThrown":
            self.complaints.append(str(params["exceptionDetails"]))
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.complaints.append(str(params["entry"]))
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning"):
            self.complaints.append(str(params["args"]))

    def go(self, url: str) -> None:
        """Opens a page and waits until it has settled."""
        self.ask("Page.navigate", url=url)
        self.wait("document.querySelector('main')?.getAttribute('aria-busy') === 'false'")

    def value(self, script: str) -> Any:
        """What an expression of the page gives."""
        found = self.ask(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def wait(self, script: str) -> None:
        """Waits until an expression holds."""
        until = time.monotonic() + PATIENCE
        while not self.value(script):
            assert time.monotonic() < until, f"{script} never holds; {self.complaints}"
            time.sleep(0.03)

    def text(self, selector: str) -> str:
        return str(self.value(f"document.querySelector({json.dumps(selector)}).textContent"))

    def click(self, selector: str) -> None:
        """Clicks in the middle of an element, as a mouse does."""
        x, y, width, height = self.box(selector)
        self.stroke([(x + width / 2, y + height / 2)])

    def box(self, selector: str) -> tuple[float, ...]:
        """Where an element is, in the window; scrolls to it."""
        script = f"""(() => {{
            const it = document.querySelector({json.dumps(selector)});
            it.scrollIntoView({{block: "center"}});
            const box = it.getBoundingClientRect();
            return [box.x, box.y, box.width, box.height];
        }})()"""
        return tuple(self.value(script))

    def stroke(self, points: list[tuple[float, float]]) -> None:
        """Moves the pressed mouse along points."""
        for k, (x, y) in enumerate(points):
            self._mouse("mousePressed" if k == 0 else "mouseMoved", x, y)
        self._mouse("mouseReleased", *points[-1])

    def _mouse(self, kind: str, x: float, y: float) -> None:
        buttons = 0 if kind == "mouseReleased" else 1
        self.ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left",
                 buttons=buttons, clickCount=1)  # fmt: skip

    def look(self, width: int, height: int, dark: bool = False) -> None:
        """Another size of the window, another theme."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height,
                 deviceScaleFactor=1, mobile=False)  # fmt: skip
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.ask("Emulation.setEmulatedMedia", features=scheme)

    def picture(self, path: Path) -> None:
        """Writes what the page looks like, all of it."""
        shot = self.ask("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))


@contextlib.contextmanager
def chromium() -> Iterator[Tab]:
    """A browser with one tab."""
    assert CHROMIUM is not None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        command = [CHROMIUM, *FLAGS, f"--user-data-dir={folder}", "about:blank"]
        with open(os.devnull, "wb") as nowhere:
            process = subprocess.Popen(command, stdout=nowhere, stderr=nowhere)
        try:
            tab = Socket(_address(Path(folder) / "DevToolsActivePort"))
            try:
                yield Tab(tab)
            finally:
                tab.close()
        finally:
            process.terminate()
            process.wait()


def _address(file: Path) -> str:
    """Where the browser's tab listens, once it does."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with contextlib.suppress(OSError, IndexError, StopIteration):
            port = file.read_text().split()[0]
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/json", timeout=5) as answer:
                tabs = json.load(answer)
            return str(next(t for t in tabs if t["type"] == "page")["webSocketDebuggerUrl"])
        time.sleep(0.05)
    raise AssertionError("chromium did not start")


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: Any) -> None:
        pass


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """A folder behind a plain static server."""
    make = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), make) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def asked(folder: Path, script: str) -> object:
    """What a script gives that has the model."""
    url = (folder / "model.js").as_uri()
    text = f"""
const {{ load, description }} = await import({url!r});
const model = await load();
let result;
try {{ result = await (async () => {{ {script} }})(); }}
catch (error) {{ result = error.name + ": " + error.message; }}
console.log(JSON.stringify(result));
"""
    assert NODE is not None
    command = [NODE, "--input-type=module", "--eval", text]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)
