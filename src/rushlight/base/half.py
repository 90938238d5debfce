"""Between 16 bits in memory and float32 in arithmetic, rounding to nearest even."""

from __future__ import annotations

import numpy as np

from .dtypes import DType, bfloat16


def widen(stored: np.ndarray, dtype: DType) -> np.ndarray:
    """Stored values as numbers to compute with: float32 for the half types, itself otherwise."""
    if not dtype.is_half:
        return stored
    if dtype is bfloat16:
        return (stored.astype(np.uint32) << 16).view(np.float32)
    return stored.astype(np.float32)


def narrow(values: np.ndarray, dtype: DType) -> np.ndarray:
    """Computed values as they are stored; float32 is rounded to the half type, once."""
    if not dtype.is_half:
        return np.asarray(values, dtype.storage)
    if dtype is not bfloat16:
        return np.asarray(values, np.float16)
    bits = np.asarray(values, np.float32).view(np.uint32)
    # Adding 0x7fff and the lowest kept bit carries exactly when nearest-even rounds up.
    rounded = ((bits + (((bits >> 16) & 1) + np.uint32(0x7FFF))) >> 16).astype(np.uint16)
    # A NaN must stay one: the carry could turn its payload into an infinity.
    return np.where(np.isnan(values), np.uint16(0x7FC0), rounded)


def rounded(values: np.ndarray, dtype: DType) -> np.ndarray:
    """float32 values rounded to what the half ``dtype`` can hold, still as float32."""
    return widen(narrow(values, dtype), dtype)
