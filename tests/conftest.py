"""What all tests share."""

from __future__ import annotations

import contextlib
import difflib
import gc
import getpass
import logging
import os
import tempfile
from pathlib import Path

import pytest

# Compiled code is kept between runs, apart from what is kept for the user. Set before rushlight is
# imported anywhere, and handed on to the processes that tests start.
os.environ.setdefault(
    "RUSHLIGHT_CACHE", str(Path(tempfile.gettempdir()) / f"rushlight-tests-{getpass.getuser()}")
)


def pytest_collection_finish(session):
    settle()


def pytest_runtest_teardown(item, nextitem):
    if nextitem is None or nextitem.path != item.path:
        settle()


def settle():
    """Leaves what there is by now, the tests themselves above all, out of garbage collection: a
    look at all of it takes seconds, and some tests ask for a collection often.
    """
    gc.collect()
    gc.freeze()


GOLDEN = Path(__file__).parent / "golden"


def pytest_addoption(parser):
    parser.addoption(
        "--update-golden", action="store_true", help="write texts under tests/golden anew"
    )


@pytest.fixture
def golden(request):
    """Compares a text with a file under tests/golden, or writes that with --update-golden."""

    def compare(name, text):
        file = GOLDEN / name
        text = text.rstrip("\n") + "\n"
        if request.config.getoption("--update-golden"):
            GOLDEN.mkdir(exist_ok=True)
            file.write_text(text, encoding="utf-8")
            return
        assert file.exists(), f"there is no {name}: run pytest --update-golden and read it"
        old = file.read_text(encoding="utf-8")
        change = difflib.unified_diff(
            old.splitlines(), text.splitlines(), "golden", "now", lineterm=""
        )
        assert old == text, "run pytest --update-golden if this is meant:\n" + "\n".join(change)

    return compare


def pytest_make_parametrize_id(config, val, argname):
    """Names of tests that are the same in every process, so that tests can be divided among some.

    Compressed bytes hold the time of day.
    """
    if isinstance(val, bytes) and val[:2] == b"\x1f\x8b":
        return f"gzip{len(val)}"
    return None


@pytest.fixture(autouse=True)
def logging_as_it_was():
    """Undoes what a test's program did to logging: its handlers write to streams that are gone."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield
    root.setLevel(level)
    root.handlers[:] = handlers


MEANING = frozenset({"export", "nn", "ops", "semantics", "vision"})


@pytest.fixture(autouse=True)
def one_tier(request):
    """Runs tests of what operations mean by references, unless RUSHLIGHT_TIER says otherwise.

    A graph is seen there once or twice, and compiling it takes longer than its test. CI runs these
    tests again with every graph compiled. One tier it has to be: some results are compared to the
    bit, and the two agree to rounding.
    """
    from rushlight.execute import tier

    pinned = request.path.parent.name in MEANING and tier.chosen() == "auto"
    with tier.only("reference") if pinned else contextlib.nullcontext():
        yield
