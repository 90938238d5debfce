"""Checkpoints: PyTorch's own file format, and safetensors."""

from .load import get_unsafe_globals_in_checkpoint, load
from .safe import add_safe_globals, clear_safe_globals, get_safe_globals, safe_globals
from .safetensors import load_safetensors, safetensors_metadata, save_safetensors
from .save import save

__all__ = [
    "add_safe_globals", "clear_safe_globals", "get_safe_globals",
    "get_unsafe_globals_in_checkpoint", "load", "load_safetensors", "safe_globals",
    "safetensors_metadata", "save", "save_safetensors",
]  # fmt: skip
