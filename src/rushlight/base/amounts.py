"""Amounts to be read by people."""

from __future__ import annotations


def sized(count: int) -> str:
    """A number of bytes to be read, such as ``32.8 kB``."""
    number, unit = float(count), "B"
    for larger in ("kB", "MB", "GB"):
        if number < 1000:
            break
        number, unit = number / 1000, larger
    return f"{number:.0f} B" if unit == "B" else f"{number:.1f} {unit}"


def lasting(seconds: float) -> str:
    """A time to be read, such as ``3.1 us``."""
    for scale, unit in ((1.0, "s"), (1e-3, "ms")):
        if seconds >= scale:
            return f"{seconds / scale:.1f} {unit}"
    return f"{seconds * 1e6:.1f} us"


def duration(seconds: float) -> str:
    """A long time as one would say it, such as ``1 min 15 s``."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min {rest} s"
