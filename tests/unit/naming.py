"""Names of tests."""

from __future__ import annotations

import re


def without_addresses(value: object) -> str:
    """``repr`` of a value, the same in every process."""
    return re.sub(" at 0x[0-9a-f]+", "", repr(value))
