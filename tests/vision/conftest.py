"""What the tests of images share."""

import contextlib
from collections.abc import Iterator

import pytest

from rushlight.execute import tier


@pytest.fixture
def by_reference() -> Iterator[None]:
    """Runs graphs by references, unless RUSHLIGHT_TIER says otherwise.

    Most graphs of a test are seen once, and compiling one takes longer than its test.
    """
    pinned = tier.chosen() == "auto"
    with tier.only("reference") if pinned else contextlib.nullcontext():
        yield
