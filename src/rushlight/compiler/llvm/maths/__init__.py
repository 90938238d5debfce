"""Functions of mathematics as instructions, for one number or vectors of any width alike.

Each takes the function that is being written and values of element ``float`` or ``double``, and
gives the result; half types are converted before. Special values are C's: NaN, infinities, signed
zeros and denormal numbers, in and out. The code has no branches but for what hardly ever occurs.

Errors are stated in ULP, the distance between neighbouring numbers at the true result.
``tests/compiler/test_maths.py`` measures them.
"""

from .arc import acos, asin, atan, atan2
from .area import acosh, asinh, atanh
from .division import fmod
from .error import erf, erfc, erfinv
from .exponential import cosh, exp, exp2, expm1, sigmoid, sinh, tanh
from .integer import integer_power
from .logarithm import log, log1p, log2, log10
from .power import hypot, pow
from .roots import rsqrt, sqrt
from .rounding import ceil, copysign, floor, fmax, fmin, maximum, minimum, rint, trunc
from .trigonometric import cos, sin, tan
