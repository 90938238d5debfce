"""Runs the calls of the template ``scan`` on NumPy arrays, beside the references."""

import ctypes
import functools
import itertools

import numpy as np

from rushlight.base.dtypes import ALL, bfloat16
from rushlight.compiler import scan
from rushlight.compiler.llvm.machine import Loaded, assemble, define, host
from rushlight.graph.graph import Step
from rushlight.graph.spec import Spec

KERNEL = ctypes.CFUNCTYPE(
    None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p
)
_made = {}
_DTYPES = {np.dtype(dtype.storage): dtype for dtype in ALL if dtype is not bfloat16}


def spec(array):
    """The type of an array."""
    return Spec.of(array.shape, _DTYPES[array.dtype])


@functools.cache
def _ready(name, text, machine):
    loaded = Loaded(assemble(text, machine, level=1))
    define(name, loaded.address(name))
    return loaded


def kernel(code, machine):
    """The machine code of a call."""
    if (code.name, machine) not in _made:
        for part in code.needs:
            _ready(part.name, part.text(), machine)
        # Half the time of the usual level, which there is much of for so many kernels.
        loaded = Loaded(assemble(code.text(), machine, level=1))
        _made[code.name, machine] = KERNEL(loaded.address(code.name)), loaded
    return _made[code.name, machine][0]


def _aligned(size):
    whole = np.full(size + 64, 255, np.uint8)  # every number is NaN
    return whole[-whole.ctypes.data % 64 :]


_scratch = functools.cache(_aligned)


class Run:
    """One step with its arrays.

    Attributes:
        outputs: what it computes.
    """

    def __init__(self, op, arrays, keywords, machine=None, dtype=None):
        self.op, self.inputs, self.keywords = op, arrays, keywords
        machine = machine or host()
        kinds = tuple(Spec.of(a.shape, dtype) if dtype else spec(a) for a in arrays)
        result = op.infer(*kinds, **keywords)
        self.several = isinstance(result, tuple)
        results = result if self.several else (result,)
        assert scan.is_scan(op, result, kinds)
        self.outputs = [np.zeros(each.shape, each.dtype.storage) for each in results]
        self.arrays = [np.ascontiguousarray(a) for a in arrays] + self.outputs
        count = len(arrays)
        numbers = [100 + k for k in range(len(self.arrays))]
        attrs = tuple(keywords[name] for name in op.attrs)
        step = Step(op, tuple(range(count)), attrs, result, None)
        call = scan.Scan(step, tuple(numbers[:count]), tuple(numbers[count:]), kinds)
        self.codes = call.codes(machine, self._spare)
        self.code = self.codes[-1]
        assert {b for code in self.codes for b in code.buffers} <= set(
            range(100, 100 + len(self.arrays))
        )
        self.table = np.array([a.ctypes.data for a in self.arrays], np.int64)
        place = {100 + k: k for k in range(len(self.arrays))}
        self.params = [np.array(code.params(place), np.int64) for code in self.codes]
        self.kernels = [kernel(code, machine) for code in self.codes]

    def _spare(self, size):
        self.arrays.append(_aligned(size))
        return 99 + len(self.arrays)

    def __call__(self, pieces=1):
        """Computes everything, in so many pieces, the last first."""
        for code, params, run in zip(self.codes, self.params, self.kernels, strict=True):
            scratch = _scratch(code.scratch)
            cuts = [code.extent * i // pieces for i in range(pieces + 1)]
            for begin, end in reversed(list(itertools.pairwise(cuts))):
                run(self.table.ctypes.data, params.ctypes.data, begin, end, scratch.ctypes.data)
        return [output.copy() for output in self.outputs]

    def reference(self):
        """What NumPy computes."""
        with np.errstate(all="ignore"):
            found = self.op.ref(*self.inputs, **self.keywords)
        return found if self.several else [found]
