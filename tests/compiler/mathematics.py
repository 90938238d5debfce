"""Compiles functions of ``rushlight.compiler.llvm.maths`` and measures their errors."""

import ctypes
import functools

import numpy as np

from rushlight.compiler.llvm import maths
from rushlight.compiler.llvm.machine import Loaded, assemble, host
from rushlight.compiler.llvm.text import I64, PTR, Module, Type, const, i64, vector

ONE = (
    "exp", "exp2", "expm1", "sigmoid", "sinh", "cosh", "tanh", "log", "log2", "log10", "log1p",
    "sin", "cos", "tan", "asin", "acos", "atan", "asinh", "acosh", "atanh", "erf", "erfc", "erfinv",
    "sqrt", "rsqrt", "floor", "ceil", "trunc", "rint",
)  # fmt: skip
TWO = (
    "pow", "hypot", "atan2", "fmod", "copysign", "minimum", "maximum", "fmin", "fmax",
)  # fmt: skip
ELEMENTS = {np.dtype(np.float32): "float", np.dtype(np.float64): "double"}


@functools.cache
def _functions(element, lanes, machine):
    return Loaded(assemble(str(loops(element, lanes, machine)), host(), level=1))


def loops(element, lanes, machine):
    """A module with a loop over arrays for each function."""
    module, type = Module(machine), Type(element, lanes)
    for name in (*ONE, *TWO):
        names = ("x", "y")[: 1 if name in ONE else 2]
        f = module.function(name + "_loop", [*((k, PTR) for k in names), ("out", PTR), ("n", I64)])
        with f.loop(i64(0), f.arguments["n"], max(1, lanes)) as i:
            operands = [f.load(f.at(f.arguments[k], i, element), type) for k in names]
            f.store(getattr(maths, name)(f, *operands), f.at(f.arguments["out"], i, element))
        f.ret()
    return module


def computed(name, *arrays, lanes=None, machine=None):
    """A function of arrays.

    Args:
        lanes: of the vectors; 0 for scalars, a register of this processor by default.
        machine: what the code may use; nothing special by default.
    """
    dtype = np.result_type(*arrays)
    if lanes is None:
        lanes, machine = host().lanes(dtype.itemsize * 8), host()
    arrays = [np.ascontiguousarray(np.resize(a, _padded(a.size)), dtype) for a in arrays]
    out = np.empty_like(arrays[0])
    address = _functions(ELEMENTS[dtype], lanes, machine).address(name + "_loop")
    types = [ctypes.c_void_p] * (len(arrays) + 1) + [ctypes.c_int64]
    places = [array.ctypes.data for array in (*arrays, out)]
    ctypes.CFUNCTYPE(None, *types)(address)(*places, out.size)
    return out


def integer_powers(x, y, lanes):
    """``x**y`` of whole numbers, as many as fill vectors."""
    element = f"i{x.itemsize * 8}"
    module, type = Module(), Type(element, lanes)
    f = module.function("powers", [("x", PTR), ("y", PTR), ("out", PTR), ("n", I64)])
    with f.loop(i64(0), f.arguments["n"], max(1, lanes)) as i:
        operands = [f.load(f.at(f.arguments[k], i, element), type) for k in ("x", "y")]
        f.store(maths.integer_power(f, *operands), f.at(f.arguments["out"], i, element))
    f.ret()
    loaded, out = Loaded(assemble(str(module), host())), np.empty_like(x)
    kernel = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 3, ctypes.c_int64)
    kernel(loaded.address("powers"))(x.ctypes.data, y.ctypes.data, out.ctypes.data, out.size)
    return out


def _padded(size):
    return -(-size // 32) * 32


def padded(array):
    """An array as long as :func:`computed` makes it."""
    return np.resize(array, _padded(array.size))


def errors(got, want):
    """Errors in ULP; infinite where a special value is wrong."""
    info = np.finfo(got.dtype)
    with np.errstate(all="ignore"):
        rounded = want.astype(got.dtype)
        same = (got == rounded) | (np.isnan(got) & np.isnan(rounded))
        known = np.isfinite(want) & (want != 0)
        exponent = np.frexp(np.where(known, np.abs(want), 1))[1] - 1
        unit = np.ldexp(np.ones_like(want), np.maximum(exponent, info.minexp) - info.nmant)
        error = np.abs(got.astype(want.dtype) - want) / unit
        # A true value between the greatest number and infinity may go either way.
        edge = np.isfinite(want) & (np.abs(want) > 0.9999999 * want.dtype.type(info.max))
        special = ~(np.isfinite(got) & np.isfinite(rounded))
        error = np.where(special, np.where(same, 0, np.where(edge, 1, np.inf)), error)
        sign = (want == 0) & (got == 0) & (np.signbit(want) != np.signbit(got))
        return np.where(sign, np.inf, error)


def worst_of_all(name):
    """The greatest error of a float function over all 2**32 arguments, and where it is.

    Its double brother is the truth, which has 29 bits more.
    """
    lanes = host().lanes()
    module = Module(host())
    f = module.function("worst", [("out", PTR)])
    wide, whole = Type("double", lanes), Type("i32", lanes)
    zero = const(0, wide)
    worst, place = f.variable(zero), f.variable(const(0, whole))
    with f.loop(i64(0), i64(1 << 32), lanes) as i:
        first = f.splat(f.convert("trunc", i, "i32"), lanes)
        bits = f.add(first, vector(range(lanes), "i32"))
        x = f.convert("bitcast", bits, "float")
        got = getattr(maths, name)(f, x)
        want = getattr(maths, name)(f, f.convert("fpext", x, "double"))
        error = _error(f, got, want)
        more = f.compare("ogt", error, f.get(worst, wide))
        f.set(worst, f.select(more, error, f.get(worst, wide)))
        f.set(place, f.select(more, bits, f.get(place, whole)))
    out = f.arguments["out"]
    f.store(f.get(worst, wide), out)
    f.store(f.convert("zext", f.get(place, whole), "i64"), f.at(out, lanes, "i64"))
    f.ret()
    loaded = Loaded(assemble(str(module), host()))
    found = np.zeros(2 * lanes, np.int64)
    ctypes.CFUNCTYPE(None, ctypes.c_void_p)(loaded.address("worst"))(found.ctypes.data)
    levels = found[:lanes].view(np.float64)
    bits = found[lanes:].astype(np.uint32).view(np.float32)
    return float(levels.max()), float(bits[levels.argmax()])


def _error(f, got, want):
    """As :func:`errors`, in instructions."""
    rounded = f.convert("fptrunc", want, "float")
    wide = f.convert("fpext", got, "double")
    bits = f.convert("bitcast", want, "i64")
    exponent = f.binary("and", bits, const(0x7FF << 52, bits.type))
    power = f.convert("bitcast", exponent, "double")
    least = const(2.0**-126, power.type)
    power = f.select(f.compare("olt", power, least), least, power)
    unit = f.binary("fmul", power, const(2.0**-23, power.type))
    distance = f.intrinsic("fabs", f.binary("fsub", wide, want))
    error = f.binary("fdiv", distance, unit)
    finite = f.compare("one", f.intrinsic("fabs", rounded), const(float("inf"), rounded.type))
    both = f.binary("and", f.compare("uno", got, got), f.compare("uno", rounded, rounded))
    same = f.binary("or", both, f.compare("oeq", got, rounded))
    infinity, zero = const(float("inf"), error.type), const(0, error.type)
    known = f.binary("and", finite, f.compare("ord", got, got))
    return f.select(known, error, f.select(same, zero, infinity))
