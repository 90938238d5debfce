"""When and how recorded work is done."""

from .cut import shown
from .pending import note, settle
from .realize import differentiated, realize, realize_step, value

__all__ = ["differentiated", "note", "realize", "realize_step", "settle", "shown", "value"]
