"""When and how recorded work is done."""

from .pending import note, settle
from .realize import realize, value

__all__ = ["note", "realize", "settle", "value"]
