"""Models as WebAssembly: a module for browsers and Node, and a page of its own."""

from .folder import Page, write_folder
from .node import check

__all__ = ["Page", "check", "write_folder"]
