"""What all tests share."""

from __future__ import annotations

import logging

import pytest


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
