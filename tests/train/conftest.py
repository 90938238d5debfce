"""What tests of the Trainer share."""

import contextlib

import pytest

from rushlight.execute import tier


@pytest.fixture(autouse=True)
def references():
    """Most graphs are seen a few times here, and compiling them takes longer than their test."""
    with tier.only("reference") if tier.chosen() == "auto" else contextlib.nullcontext():
        yield
