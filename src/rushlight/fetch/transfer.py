"""One file over one connection after another, until all of its bytes are there."""

from __future__ import annotations

import http.client
import os
import shutil
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from .bar import Silent
from .bar import size as shown
from .checksum import BLOCK
from .fault import FetchError

TIMEOUT_SECONDS = 30
TRIES = 4  # in a row without a single byte
FIRST_PAUSE_SECONDS = 0.5  # doubled each time
SCHEMES = ("http", "https", "file")
WORTH_ANOTHER_TRY = {408, 425, 429, 500, 502, 503, 504}


class Refused(Exception):
    """The address does not deliver the file; the message says why."""


class _Broken(Exception):
    """The connection ended early. Another one may go on."""


def transfer(address: str, part: Path, size: int | None, show: Silent) -> None:
    """Writes to ``part`` what ``address`` holds; what is in ``part`` already is continued.

    Args:
        size: the bytes that the file has, where that is known; no more are taken.

    Raises:
        Refused: the address has no such file, or does not answer.
        OSError: the disk does not take it.
    """
    if urlsplit(address).scheme not in SCHEMES:
        raise Refused(f"the address does not begin with one of {', '.join(SCHEMES)}")
    tries, tag = 0, ""
    with open(part, "ab") as out:
        furthest = out.seek(0, os.SEEK_END)
        while True:
            try:
                with _asked(address, out.seek(0, os.SEEK_END), tag) as answer:
                    tag = tag or _tag(answer)
                    _receive(answer, out, size, show)
                out.flush()
                os.fsync(out.fileno())
                return
            except _Broken as error:
                tries = 1 if out.tell() > furthest else tries + 1
                furthest = max(furthest, out.tell())
                if tries >= TRIES:
                    raise Refused(str(error)) from error
                time.sleep(FIRST_PAUSE_SECONDS * 2 ** (tries - 1))


def _asked(address: str, start: int, tag: str) -> http.client.HTTPResponse:
    headers = {"User-Agent": "rushlight", "Accept-Encoding": "identity"}
    if start and not address.startswith("file"):
        headers["Range"] = f"bytes={start}-"
        if tag:
            headers["If-Range"] = tag  # the rest, or all of it when the file is another by now
    try:
        request = urllib.request.Request(address, headers=headers)
        answer: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)
        return answer
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416 and start:  # the beginning is as long as the file, or longer
            return _asked(address, 0, "")
        if error.code in WORTH_ANOTHER_TRY:
            raise _Broken(f"{error.code} {error.reason}") from error
        raise Refused(f"{error.code} {error.reason}") from error
    except TimeoutError as error:
        raise _Broken("no answer") from error
    except urllib.error.URLError as error:
        if isinstance(error.reason, TimeoutError):
            raise _Broken("no answer") from error
        raise Refused(str(error.reason)) from error  # no network, or nobody there
    except (http.client.HTTPException, ConnectionError) as error:
        raise _Broken(str(error) or type(error).__name__) from error
    except ValueError as error:
        raise Refused(str(error)) from error


def _tag(answer: http.client.HTTPResponse) -> str:
    """What tells this version of the file from others, in words that ``If-Range`` takes."""
    tag = answer.headers.get("ETag", "")
    return tag if tag.startswith('"') else answer.headers.get("Last-Modified", "")


def _receive(
    answer: http.client.HTTPResponse, out: BinaryIO, size: int | None, show: Silent
) -> None:
    start = _start(answer, out.tell())
    out.truncate(start)
    received = out.seek(start)
    length = answer.headers.get("Content-Length")
    total = start + int(length) if length and length.isdigit() else None
    _check_room(out, total, start)
    show.show(received, total or size)
    # One block more than the file has would show that the answer is another file.
    while (size is None or received <= size) and (block := _read(answer)):
        out.write(block)
        received += len(block)
        show.show(received, total or size)
    if total is not None and received < min(total, size or total):
        raise _Broken(f"the connection ended after {received} of {total} bytes")


def _start(answer: http.client.HTTPResponse, asked: int) -> int:
    """Where in the file the answer begins: many servers always send the whole."""
    if getattr(answer, "status", None) != http.client.PARTIAL_CONTENT:
        return 0
    span = answer.headers.get("Content-Range", "")  # "bytes 100-199/200"
    start = span.removeprefix("bytes ").partition("-")[0]
    if start != str(asked):
        raise Refused(f"asked for the bytes from {asked} on, it sent {span or 'others'}")
    return asked


def _check_room(out: BinaryIO, total: int | None, start: int) -> None:
    free = shutil.disk_usage(Path(out.name).parent).free
    if total is not None and total - start > free:
        raise FetchError(
            f"the disk is too full for {Path(out.name).parent}: {shown(total - start)} are to "
            f"come and {shown(free)} are free"
        )


def _read(answer: http.client.HTTPResponse) -> bytes:
    """What has come, at most a block: what is on the disk can be continued."""
    try:
        return answer.read1(BLOCK)
    except (OSError, http.client.HTTPException) as error:  # the network's failure, not the disk's
        raise _Broken(str(error) or type(error).__name__) from error
