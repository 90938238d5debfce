"""Why a function cannot be replayed."""

from __future__ import annotations

from rushlight.base import site as sites


class Refusal(Exception):
    """Something that a replay would leave out or get wrong. Never reaches a user as it is.

    Args:
        why: in words that go on from "it".
        site: the line, where there is one.
    """

    def __init__(self, why: str, site: sites.Site | None = None) -> None:
        super().__init__(why)
        self.why, self.site = why, site

    def __str__(self) -> str:
        return f"it {self.why}" + (f" ({sites.line(self.site)})" if self.site else "")
