"""When and how recorded work is done."""

from .cut import shown
from .pending import compute_all, note, settle
from .realize import await_gradients, differentiated, realize, realize_step, value

__all__ = [
    "await_gradients",
    "compute_all",
    "differentiated",
    "note",
    "realize",
    "realize_step",
    "settle",
    "shown",
    "value",
]
