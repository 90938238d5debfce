"""Runs the calls of a plan on NumPy arrays."""

import ctypes
import dataclasses
import functools
import itertools

import numpy as np

from rushlight.compiler.llvm.contract import Memory, library
from rushlight.compiler.llvm.machine import Loaded, assemble, host

KERNEL = ctypes.CFUNCTYPE(
    None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p
)
_made = {}


def kernel(call, tile):
    """The machine code of a call."""
    if (call.name, tile) not in _made:
        for form in call.needs:
            library.ready(tile, form)
        loaded = Loaded(assemble(str(call.module()), host(), level=1))
        _made[call.name, tile] = KERNEL(loaded.address(call.name)), loaded
    return _made[call.name, tile][0]


def aligned(size):
    """Memory full of NaN that begins at a multiple of 64."""
    whole = np.full(size // 4 + 32, np.nan, np.float32).view(np.uint8)
    start = -whole.ctypes.data % 64
    return whole[start : start + max(64, size)]


def narrow(vector):
    """This machine with shorter vectors, as another would have."""
    registers = {256: 16, 128: 32}[vector]
    return dataclasses.replace(host(), vector=vector, registers=registers)


class Run:
    """A plan with its buffers."""

    def __init__(self, plan, tile, buffers):
        self.packed = aligned(plan.packed)
        plan.packed_place = len(buffers)
        self.buffers = buffers
        addresses = [*(array.ctypes.data for array in buffers), self.packed.ctypes.data]
        self.table = np.array(addresses, np.int64)
        self.calls = [(kernel(call, tile), call.params, call) for call in plan.calls]

    def __call__(self, pieces=1):
        for code, params, call in self.calls:
            cuts = [call.extent * i // pieces for i in range(pieces + 1)]
            for begin, end in reversed(list(itertools.pairwise(cuts))):
                self.part(code, params, call, begin, end)

    def part(self, code, params, call, begin, end):
        scratch = _scratch(call.scratch)
        code(self.table.ctypes.data, params.ctypes.data, begin, end, scratch.ctypes.data)


@functools.cache
def _scratch(size):
    return aligned(size)


def memory(array, place, base=None, element=None):
    """The last two dimensions of an array as a matrix, up to three before them as products."""
    batch = ((0, 0, 0) + array.strides[:-2])[-3:]
    offset = 0 if base is None else array.ctypes.data - base.ctypes.data
    named = {"float32": "float", "float64": "double", "uint16": "bfloat"}[str(array.dtype)]
    return Memory(place, array.strides[-2:], batch, offset, element or named)


def extents(array):
    """The products that an array holds."""
    return ((1, 1, 1) + array.shape[:-2])[-3:]
