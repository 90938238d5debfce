"""Downloads and archives, from a server on this machine and from archives made to do harm."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import os
import shutil
import stat
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from home import DEAD, Home
from rushlight import fetch
from rushlight.fetch import FetchError, archive, bar, transfer

DATA = bytes(range(256)) * 512  # 128 kB
SHA256 = hashlib.sha256(DATA).hexdigest()
MD5 = hashlib.md5(DATA).hexdigest()


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    monkeypatch.setattr(transfer, "FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(transfer, "BLOCK", 1000)
    with Home({"a.bin": DATA}) as one:
        yield one


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


# Downloads.


def test_a_file_is_downloaded_once(tmp_path: Path, home: Home) -> None:
    for _ in range(2):
        path = fetch.download(home.address + "x/a.bin?v=1", tmp_path / "new" / "one", sha256=SHA256)
        assert path == tmp_path / "new" / "one" / "a.bin" and path.read_bytes() == DATA
    assert home.asked == ["a.bin"]
    assert names(tmp_path) == ["new", "new/one", "new/one/a.bin"]


def test_names_and_checksums(tmp_path: Path, home: Home) -> None:
    url = home.address + "a.bin"
    assert fetch.download(url, tmp_path, "b.bin", md5=MD5).name == "b.bin"
    assert fetch.download(url, str(tmp_path), sha256=SHA256[:8], md5=MD5.upper()).is_file()
    assert fetch.intact(tmp_path / "b.bin", md5=MD5, sha256=SHA256)
    assert fetch.intact(tmp_path / "b.bin") and fetch.intact(tmp_path / "b.bin", sha256=SHA256[:8])
    assert not fetch.intact(tmp_path / "b.bin", md5=MD5[::-1])
    assert not fetch.intact(tmp_path) and not fetch.intact(tmp_path / "c.bin")
    with pytest.raises(ValueError, match="without a file name"):
        fetch.download(home.address, tmp_path)
    with pytest.raises(ValueError, match="without a file name"):
        fetch.download(home.address + "a/%2e%2e", tmp_path)
    with pytest.raises(ValueError, match="at least one"):
        fetch.download([], tmp_path)


@pytest.mark.parametrize("checked", [True, False])
def test_a_cut_connection_is_continued(tmp_path: Path, home: Home, checked: bool) -> None:
    home.cuts = [5000, 0, 70_000]
    sha256 = SHA256 if checked else None
    path = fetch.download(home.address + "a.bin", tmp_path, sha256=sha256, progress=False)
    assert path.read_bytes() == DATA and names(tmp_path) == ["a.bin"]
    assert home.spans == [None, "bytes=5000-", "bytes=5000-", "bytes=75000-"]


def test_a_server_without_ranges_sends_all_again(tmp_path: Path, home: Home) -> None:
    home.ranges, home.cuts = False, [5000, 9000]
    path = fetch.download(home.address + "a.bin", tmp_path, progress=False)
    assert path.read_bytes() == DATA and len(home.asked) == 3


def test_a_file_that_changes_meanwhile_is_begun_again(tmp_path: Path, home: Home) -> None:
    home.cuts = [5000]
    answer, other = home.answer, DATA[::-1]

    def changed(to: BaseHTTPRequestHandler) -> None:
        if home.asked:
            home.tag, home.files["a.bin"] = '"two"', other
        answer(to)

    home.answer = changed  # type: ignore[method-assign]
    path = fetch.download(home.address + "a.bin", tmp_path, progress=False)
    assert path.read_bytes() == other and home.spans == [None, "bytes=5000-"]


@pytest.mark.parametrize(
    "left, spans",
    [
        (DATA[:1234], ["bytes=1234-"]),
        (b"wrong beginning", ["bytes=15-", None]),
        (DATA, [f"bytes={len(DATA)}-", None]),
        (DATA + b"more", [f"bytes={len(DATA) + 4}-", None]),
    ],
)
def test_a_later_call_continues_what_a_checksum_vouches_for(
    tmp_path: Path, home: Home, left: bytes, spans: list[str | None]
) -> None:
    (tmp_path / ".a.bin.part").write_bytes(left)
    path = fetch.download(home.address + "a.bin", tmp_path, sha256=SHA256, progress=False)
    assert path.read_bytes() == DATA and names(tmp_path) == ["a.bin"] and home.spans == spans


def test_without_a_checksum_a_later_call_begins_again(tmp_path: Path, home: Home) -> None:
    (tmp_path / ".a.bin.part").write_bytes(b"something")
    assert fetch.download(home.address + "a.bin", tmp_path).read_bytes() == DATA
    assert home.spans == [None]


def test_a_busy_server_is_asked_again(tmp_path: Path, home: Home) -> None:
    home.failures = [503, 429]
    assert fetch.download(home.address + "a.bin", tmp_path).read_bytes() == DATA


def test_a_server_that_only_cuts_is_given_up(tmp_path: Path, home: Home) -> None:
    home.cuts, home.ranges = [10, 5] * 9, False
    with pytest.raises(FetchError, match=r"connection ended after 5 of 131072 bytes"):
        fetch.download(home.address + "a.bin", tmp_path, progress=False)
    assert len(home.asked) == transfer.TRIES and names(tmp_path) == []


def test_what_came_of_a_file_with_a_checksum_stays_for_the_next_call(
    tmp_path: Path, home: Home
) -> None:
    home.cuts = [1000, 0, 0, 0]
    with pytest.raises(FetchError, match="connection ended"):
        fetch.download(home.address + "a.bin", tmp_path, md5=MD5, progress=False)
    assert names(tmp_path) == [".a.bin.part"]
    assert fetch.download(home.address + "a.bin", tmp_path, md5=MD5).read_bytes() == DATA
    assert home.spans[-1] == "bytes=1000-" and names(tmp_path) == ["a.bin"]


def test_a_server_that_says_nothing(
    tmp_path: Path, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "TIMEOUT_SECONDS", 0.05)
    monkeypatch.setattr(transfer, "TRIES", 2)
    over = threading.Event()
    home.answer = lambda to: over.wait(5)  # type: ignore[method-assign, assignment, return-value]
    with pytest.raises(FetchError, match=r"127.0.0.1:\d+: (no answer|timed out)"):
        fetch.download(home.address + "a.bin", tmp_path)
    over.set()
    assert names(tmp_path) == []


def test_a_server_that_stops_in_the_middle(
    tmp_path: Path, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "TIMEOUT_SECONDS", 0.1)
    answer, over = home.answer, threading.Event()
    home.cuts = [5000]

    def silent(to: BaseHTTPRequestHandler) -> None:
        answer(to)
        if len(home.asked) == 1:
            to.wfile.flush()
            over.wait(5)  # the connection stays open

    home.answer = silent  # type: ignore[method-assign]
    path = fetch.download(home.address + "a.bin", tmp_path, progress=False)
    over.set()
    assert path.read_bytes() == DATA and home.spans == [None, "bytes=5000-"]


def test_a_server_that_sends_another_part(tmp_path: Path, home: Home) -> None:
    (tmp_path / ".a.bin.part").write_bytes(DATA[:10])
    home.start = lambda span, only_if: 20 if span else 0  # type: ignore[method-assign]
    with pytest.raises(FetchError, match="asked for the bytes from 10 on, it sent bytes 20-131071"):
        fetch.download(home.address + "a.bin", tmp_path, md5=MD5)


def test_a_redirect_is_followed_and_a_circle_is_not(tmp_path: Path, home: Home) -> None:
    answer = home.answer

    def moved(to: BaseHTTPRequestHandler) -> None:
        if to.path.startswith("/new/"):
            return answer(to)
        to.send_response(302)
        to.send_header("Location", "/new/a.bin" if "circle" not in to.path else to.path)
        return to.end_headers()

    home.answer = moved  # type: ignore[method-assign]
    assert fetch.download(home.address + "old.bin", tmp_path, md5=MD5).name == "old.bin"
    with pytest.raises(FetchError, match="infinite loop"):
        fetch.download(home.address + "circle.bin", tmp_path)


def test_bytes_without_a_length(tmp_path: Path, home: Home) -> None:
    def chunked(to: BaseHTTPRequestHandler) -> None:
        to.protocol_version = "HTTP/1.1"
        to.send_response(200)
        to.send_header("Transfer-Encoding", "chunked")
        to.end_headers()
        for part in (DATA[:70_000], DATA[70_000:]):
            to.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        to.wfile.write(b"0\r\n\r\n")

    home.answer = chunked  # type: ignore[method-assign]
    assert fetch.download(home.address + "a.bin", tmp_path).read_bytes() == DATA


def test_killed_and_called_again(tmp_path: Path, home: Home) -> None:
    """A process killed in the middle leaves its lock file and what came; the next one goes on."""
    home.cuts = [40_000]
    answer, over = home.answer, threading.Event()

    def silent(to: BaseHTTPRequestHandler) -> None:
        answer(to)
        if len(home.asked) == 1:
            to.wfile.flush()
            over.wait(20)

    home.answer = silent  # type: ignore[method-assign]
    code = (
        "import sys; from rushlight import fetch; fetch.download(*sys.argv[1:3], md5=sys.argv[3])"
    )
    url = home.address + "a.bin"
    process = subprocess.Popen([sys.executable, "-c", code, url, str(tmp_path), MD5])
    part = tmp_path / ".a.bin.part"
    while not (part.exists() and part.stat().st_size):
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.wait()
    over.set()
    kept = part.stat().st_size
    assert names(tmp_path) == [".a.bin.lock", ".a.bin.part"]
    assert fetch.download(url, tmp_path, md5=MD5).read_bytes() == DATA
    assert home.spans == [None, f"bytes={kept}-"] and names(tmp_path) == ["a.bin"]


@pytest.mark.parametrize("status", [404, 403, 410])
def test_a_refusal_is_final(tmp_path: Path, home: Home, status: int) -> None:
    home.failures = [status]
    with pytest.raises(FetchError, match=f"{status}") as caught:
        fetch.download(home.address + "a.bin", tmp_path)
    assert len(home.asked) == 1 and str(tmp_path) in str(caught.value)


def test_a_wrong_checksum_leaves_nothing(tmp_path: Path, home: Home) -> None:
    with pytest.raises(FetchError, match=r'invalid hash value \(expected "00", got'):
        fetch.download(home.address + "a.bin", tmp_path, sha256="00")
    with pytest.raises(FetchError, match="bytes came where the file has 7"):
        fetch.download(home.address + "a.bin", tmp_path, size=7)
    assert names(tmp_path) == []


def test_the_next_address_is_tried(tmp_path: Path, home: Home) -> None:
    urls = [DEAD + "a.bin", home.address + "none", home.address + "a.bin"]
    assert fetch.download(urls, tmp_path).read_bytes() == DATA


def test_offline_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(FetchError) as caught:
        fetch.download([DEAD + "a.bin", "ftp://example.org/a.bin"], tmp_path / "data")
    sentence = str(caught.value)
    assert "\n" not in sentence and isinstance(caught.value, RuntimeError | OSError)
    for needed in (
        "127.0.0.1:9: ",
        DEAD + "a.bin",
        str(tmp_path / "data"),
        "put it",
        "http, https",
    ):
        assert needed in sentence


def test_a_file_put_there_by_hand(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(DATA)
    assert fetch.download(DEAD + "a.bin", tmp_path, sha256=SHA256).read_bytes() == DATA
    with pytest.raises(FetchError, match=r"damaged or is another.*delete it"):
        fetch.download(DEAD + "a.bin", tmp_path, sha256="00")
    assert (tmp_path / "a.bin").exists()  # it may be the only copy of something


def test_several_at_once_download_once(tmp_path: Path, home: Home) -> None:
    paths: list[Path] = []
    get = lambda: paths.append(fetch.download(home.address + "a.bin", tmp_path, sha256=SHA256))
    threads = [threading.Thread(target=get) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(paths) == 5 and len(home.asked) == 1 and names(tmp_path) == ["a.bin"]


def test_another_process_is_waited_for(tmp_path: Path, home: Home) -> None:
    script = (
        "import sys; from rushlight.fetch.lock import only_one; from pathlib import Path\n"
        "with only_one(Path(sys.argv[1]) / '.a.bin.lock', lambda: None):\n"
        "    print('mine', flush=True); sys.stdin.readline()\n"
        "    (Path(sys.argv[1]) / 'a.bin').write_bytes(b'theirs')\n"
    )
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdin=pipe, stdout=pipe, text=True
    )
    assert process.stdout.readline() == "mine\n"
    found: list[bytes] = []
    get = lambda: found.append(fetch.download(home.address + "a.bin", tmp_path).read_bytes())
    thread = threading.Thread(target=get)
    thread.start()
    thread.join(0.3)
    assert thread.is_alive() and home.asked == []
    process.communicate("go\n")
    thread.join()
    assert found == [b"theirs"] and home.asked == []


def test_a_full_disk_is_told_as_one(
    tmp_path: Path, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(transfer.os, "fsync", full)
        with pytest.raises(FetchError, match="the disk is full"):
            fetch.download(home.address + "a.bin", tmp_path, md5=MD5)
    assert names(tmp_path) == []
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(transfer.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(FetchError, match=r"131\.1 kB are to come and 1\.0 kB are free"):
        fetch.download(home.address + "a.bin", tmp_path)
    assert names(tmp_path) == []


def test_a_folder_that_cannot_be_made(tmp_path: Path, home: Home) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FetchError, match="could not write"):
        fetch.download(home.address + "a.bin", tmp_path / "file" / "inside")


def test_files_by_address(tmp_path: Path) -> None:
    (tmp_path / "a b.bin").write_bytes(DATA)
    path = fetch.download((tmp_path / "a b.bin").as_uri(), tmp_path / "to", sha256=SHA256)
    assert path.name == "a b.bin" and path.read_bytes() == DATA
    with pytest.raises(FetchError, match="No such file"):
        fetch.download((tmp_path / "none").as_uri(), tmp_path / "to")


def test_progress_is_lines_where_there_is_no_terminal(
    tmp_path: Path, home: Home, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bar, "SECONDS_BETWEEN_LINES", 0.0)
    fetch.download(home.address + "a.bin", tmp_path)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "downloading a.bin (131.1 kB)" and "(100%)" in lines[-1]
    fetch.download(home.address + "a.bin", tmp_path, "quiet.bin", progress=False)
    assert capsys.readouterr().err == ""


def test_progress_is_a_bar_on_a_terminal(
    tmp_path: Path, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    fetch.download(home.address + "a.bin", tmp_path)
    assert "a.bin" in screen.getvalue() and "131.1/131.1 kB" in screen.getvalue()


def test_the_cache_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("RUSHLIGHT_HOME", raising=False)
    assert fetch.cache_folder() == tmp_path / "rushlight"
    monkeypatch.setenv("RUSHLIGHT_HOME", "~/mine")
    assert fetch.cache_folder() == Path.home() / "mine"
    monkeypatch.delenv("RUSHLIGHT_HOME")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert fetch.cache_folder() == Path.home() / ".cache" / "rushlight"


# Archives.

Entry = tuple[str, bytes | None, str]  # name; content, None for what has none; kind and target


def tar(path: Path, entries: list[Entry], mode: str = "w") -> Path:
    types = {"": tarfile.REGTYPE, "dir": tarfile.DIRTYPE, "sym": tarfile.SYMTYPE,
             "hard": tarfile.LNKTYPE, "fifo": tarfile.FIFOTYPE, "chr": tarfile.CHRTYPE}  # fmt: skip
    with tarfile.open(path, mode) as out:
        for name, content, kind in entries:
            info = tarfile.TarInfo(name)
            what, _, info.linkname = kind.partition(":")
            info.type, info.size = types[what], len(content or b"")
            out.addfile(info, io.BytesIO(content or b""))
    return path


def zipped(path: Path, entries: list[Entry]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, content, kind in entries:
            info = zipfile.ZipInfo(name)
            what, _, target = kind.partition(":")
            modes = {"sym": stat.S_IFLNK | 0o777, "fifo": stat.S_IFIFO, "": 0o644}
            info.external_attr = modes.get(what, 0) << 16
            out.writestr(info, target.encode() if what == "sym" else content or b"")
    return path


PLAIN: list[Entry] = [("in/a.txt", b"one", ""), ("b.txt", b"two", ""), ("in/deep/c", b"", "")]
UNPACKED = ["b.txt", "in", "in/a.txt", "in/deep", "in/deep/c"]


@pytest.mark.parametrize(
    "name, mode",
    [("a.tar", "w"), ("a.tar.gz", "w:gz"), ("a.tgz", "w:gz"), ("a.tar.bz2", "w:bz2"),
     ("a.tar.xz", "w:xz"), ("a.TAR", "w"), ("unnamed", "w:gz"), ("a.zip", ""), ("other", "")],
)  # fmt: skip
def test_archives_are_unpacked(tmp_path: Path, name: str, mode: str) -> None:
    made = tar(tmp_path / name, PLAIN, mode) if mode else zipped(tmp_path / name, PLAIN)
    goal = tmp_path / "goal"
    for _ in range(2):  # once more over what is there
        assert fetch.extract(made, goal) == goal
        assert names(goal) == UNPACKED and (goal / "in/a.txt").read_bytes() == b"one"
    (goal / "in" / "mine.txt").write_text("mine")
    fetch.extract(made, str(goal))
    assert (goal / "in" / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize("packed", [gzip, bz2, lzma], ids=lambda module: module.__name__)
def test_single_files_are_unpacked(tmp_path: Path, packed: object) -> None:
    suffix = {"gzip": ".gz", "bz2": ".bz2", "lzma": ".xz"}[packed.__name__]
    (tmp_path / f"a.idx{suffix}").write_bytes(packed.compress(bytes(2000)))
    assert fetch.extract(tmp_path / f"a.idx{suffix}") == tmp_path
    assert (tmp_path / "a.idx").read_bytes() == bytes(2000)


def test_links_inside_stay(tmp_path: Path) -> None:
    entries = [*PLAIN, ("in/l", None, "sym:../b.txt"), ("h", None, "hard:in/a.txt"),
               ("d", None, "sym:in"), ("d/through.txt", b"x", "")]  # fmt: skip
    goal = fetch.extract(tar(tmp_path / "a.tar", entries), tmp_path / "goal")
    assert (goal / "in/l").read_bytes() == b"two" and (goal / "h").read_bytes() == b"one"
    assert (goal / "in/through.txt").read_bytes() == b"x"
    goal = fetch.extract(zipped(tmp_path / "a.zip", entries[:4]), tmp_path / "zip")
    assert (goal / "in/l").read_bytes() == b"two"


HARM: dict[str, list[Entry]] = {
    "above": [("../x", b"!", "")],
    "above, later": [("a/../../x", b"!", "")],
    "back inside": [("a/../x", b"!", "")],
    "absolute": [("/tmp/rushlight-x", b"!", "")],
    "link out": [("l", None, "sym:../../x")],
    "absolute link": [("l", None, "sym:/etc/passwd")],
    "through a link": [("l", None, "sym:.."), ("l/x", b"!", "")],
    "a link made to lead out later": [
        ("d/e/f/g", b"", ""),
        ("l", None, "sym:d/e/f/../.."),
        ("d/e/f/g2", b"", ""),
        ("m", None, "sym:d/e/n/o/../.."),
        ("d/e/n/o", None, "sym:../../.."),
    ],
    "device": [("x", None, "fifo")],
}
ONLY_TAR: dict[str, list[Entry]] = {
    "hard link out": [("l", None, "hard:../x")],
    "hard link to the system's": [("l", None, "hard:/etc/passwd")],
    "hard link through a link": [("l", None, "sym:."), ("m", None, "hard:l/../../x")],
    "character device": [("x", None, "chr")],
}


@pytest.mark.parametrize("what", [*HARM, *ONLY_TAR])
@pytest.mark.parametrize("make", [tar, zipped])
def test_nothing_leaves_the_folder(tmp_path: Path, what: str, make: Callable[..., Path]) -> None:
    if what in ONLY_TAR and make is zipped:
        return
    entries = {**HARM, **ONLY_TAR}[what]
    (tmp_path / "x").write_text("mine")
    path = make(tmp_path / ("a.tar" if make is tar else "a.zip"), [("good", b"1", ""), *entries])
    goal = tmp_path / "one" / "goal"
    with pytest.raises(FetchError, match=r"leads out of the folder|neither a file nor a folder"):
        fetch.extract(path, goal)
    assert names(goal) == [] and (tmp_path / "x").read_text() == "mine"
    assert names(tmp_path / "one") == ["goal"] and not os.path.exists("/tmp/rushlight-x")


def test_a_name_twice_is_the_last_and_never_written_through_a_link(tmp_path: Path) -> None:
    entries: list[Entry] = [("b", b"two", ""), ("a", None, "sym:b"), ("a", b"new", "")]
    goal = fetch.extract(tar(tmp_path / "a.tar", entries), tmp_path / "goal")
    assert (goal / "a").read_bytes() == b"new" and (goal / "b").read_bytes() == b"two"


@pytest.mark.parametrize("name", ["a.tar.gz", "a.zip", "a.tar", "a.gz", "a.xz", "a.bz2", "a"])
@pytest.mark.parametrize("data", [b"", b"plain text", b"PK\x03\x04" + b"\0" * 30])
def test_what_is_no_archive(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    if data == b"" and name in ("a.gz", "a.bz2"):
        return  # an empty file is the compressed form of an empty file to Python's readers
    with pytest.raises(FetchError, match=r"is damaged or is no archive") as caught:
        fetch.extract(tmp_path / name, tmp_path / "goal")
    assert "\n" not in str(caught.value) and names(tmp_path / "goal") == []


def test_a_cut_archive_leaves_nothing(tmp_path: Path) -> None:
    noise = os.urandom(50_000)
    entries = [("a", b"1", ""), ("b", noise, "")]
    for made in (
        tar(tmp_path / "a.tar.gz", entries, "w:gz"),
        tar(tmp_path / "a.tar", entries),
        zipped(tmp_path / "a.zip", entries),
    ):
        made.write_bytes(made.read_bytes()[:30_000])
        with pytest.raises(FetchError, match="is damaged or is no archive"):
            fetch.extract(made, tmp_path / "goal")
        assert names(tmp_path / "goal") == []
    with pytest.raises(FetchError, match="there is no archive"):
        fetch.extract(tmp_path / "none.zip", tmp_path / "goal")


def test_a_disk_that_fills_while_unpacking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    made = zipped(tmp_path / "a.zip", PLAIN)
    monkeypatch.setattr(archive.shutil, "copyfileobj", full)
    with pytest.raises(FetchError, match="the disk is full: could not unpack"):
        fetch.extract(made, tmp_path / "goal")
    assert names(tmp_path / "goal") == []
