"""Every operation rushlight knows: one class each, a file per family.

A gradient rule calls operations by ``ops.name``. The single instance of each class is also in
``rushlight.graph.op.table``.
"""

from __future__ import annotations

from rushlight.graph.node import Node

from .elementwise import TORCH_NAMES  # noqa: I001 - families below need the ones above
from .structure import clone, detach, graft, leaf, part, parts
from .unary import abs, cos, exp, log, neg, rsqrt, sin, sqrt, tanh
from .binary import (
    add, atan2, bitwise_and, bitwise_left_shift, bitwise_or, bitwise_right_shift, bitwise_xor, div,
    floor_divide, fmod, maximum, minimum, mul, pow, remainder, sub, trunc_divide,
)  # fmt: skip
from .convert import cast, conj, real
from .compare import (
    bitwise_not, eq, ge, gt, isfinite, isinf, isnan, le, logical_and, logical_not, logical_or,
    logical_xor, lt, ne, where,
)  # fmt: skip
from .create import arange, eye, full, ones, zeros
from .view import expand, permute, reshape, squeeze, sum_to, t, transpose, unsqueeze
from .slicing import (
    diagonal, diagonal_scatter, select, select_scatter, slice_, slice_scatter, undiagonal,
    unselect, unslice,
)  # fmt: skip
from .reduce import mean, sum
from .matmul import linear, matmul
from .random import (
    dropout, random_integer, random_normal, random_permutation, random_uniform,
)  # fmt: skip
from .activation import relu
from .conv import conv, conv_data, conv_weight
from .convolution import (
    conv1d, conv2d, conv3d, conv_transpose1d, conv_transpose2d, conv_transpose3d,
)  # fmt: skip

_OPERATORS = {
    "__add__": add, "__radd__": add, "__sub__": sub, "__mul__": mul, "__rmul__": mul,
    "__truediv__": div, "__pow__": pow, "__matmul__": matmul, "__gt__": gt, "__ge__": ge,
    "__lt__": lt, "__le__": le,
}  # fmt: skip
for _name, _op in _OPERATORS.items():
    setattr(Node, _name, lambda x, y, _op=_op: _op(x, y))
Node.__neg__ = lambda x: neg(x)
Node.__rsub__ = lambda x, y: sub(y, x)
Node.__rtruediv__ = lambda x, y: div(y, x)
