"""A server on this machine that stands in for the public home of some files."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DEAD = "http://127.0.0.1:9/"  # the discard port: nothing listens


class Home:
    """Sends ``files`` by the last part of their path, and notes what it was asked for.

    ``cuts`` says after how many bytes it hangs up, one number an answer; ``failures`` which codes
    it answers first; ``ranges`` whether it can begin in the middle; ``lie_about_length`` how many
    bytes more than there are it announces.
    """

    def __init__(self, files: dict[str, bytes | None] | None = None) -> None:
        self.files = dict(files or {})
        self.asked: list[str] = []
        self.spans: list[str | None] = []
        self.cuts: list[int] = []
        self.failures: list[int] = []
        self.ranges = True
        self.tag = '"one"'
        self.lie_about_length = 0
        home = self

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                home.answer(self)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}/"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def answer(self, to: BaseHTTPRequestHandler) -> None:
        name = to.path.partition("?")[0].rpartition("/")[2]
        span = to.headers.get("Range")
        self.asked.append(name)
        self.spans.append(span)
        data = self.files.get(name)
        if self.failures:
            return to.send_error(self.failures.pop(0))
        if data is None:
            return to.send_error(404)
        start = self.start(span, to.headers.get("If-Range"))
        if start and start >= len(data):
            return to.send_error(416)
        to.send_response(206 if start else 200)
        if start:
            to.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        if self.tag:
            to.send_header("ETag", self.tag)
        to.send_header("Content-Length", str(len(data) - start + self.lie_about_length))
        to.end_headers()
        rest = data[start:]
        to.wfile.write(rest[: self.cuts.pop(0)] if self.cuts else rest)
        return None

    def start(self, span: str | None, only_if: str | None) -> int:
        if not span or not self.ranges or (only_if and only_if != self.tag):
            return 0
        return int(span.removeprefix("bytes=").rstrip("-"))

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def __enter__(self) -> "Home":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
