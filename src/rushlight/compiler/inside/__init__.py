"""Seeing inside: every stage between a Graph and machine code as text, and what its kernels do."""

from .account import Account, accounts
from .kernels import show_call
from .schedules import show_schedule
from .stages import dump, told
from .table import table
