"""Template ``contract``: matrix products and convolutions on one register-tiled micro-kernel.

How a product becomes calls of kernels::

    tile = tile_of(host())                              # or element="double"
    plan = plan_product(tile, (m, n, k), a, b, c, extents)   # C[batch] = A[batch] @ B[batch]

``a``, ``b`` and ``c`` are each a :class:`Memory` (a place in the table, strides in bytes) or code
of the caller's: a :class:`Reader` gives vectors of an operand as it is packed, a :class:`Writer`
takes vectors of the result. Each :class:`Call` in ``plan.calls`` says

- ``name`` and ``module()``: the kernel's name and LLVM text. Equal names mean equal code, for all
  sizes;
- ``needs``: forms of micro-kernels the code calls by name; ``library.ready(tile, form)`` before it
  is loaded. All of it is written out: ``assemble(..., level=1)`` makes the same loops, sooner;
- ``params``: the i64 array. It is made when asked for, so ``plan.packed_place`` can be set until
  then: the place of a buffer of ``plan.packed`` bytes (0: none) that only these calls use;
- ``extent``: the parallel axis (grain 1); ``scratch``: bytes of scratch memory for each thread.

Convolutions take channels-last images (:class:`Image`; :func:`packed_images` for those without
gaps) and a :class:`Window` of three spatial dimensions, and weights as PyTorch keeps them
(outputs, inputs, taps)::

    plan_forward(tile, window, x, weights, y)              # y: an Image, or a Writer of (pixel,
    channel) plan_backward_data(tile, window, dy, weights, dx)
    plan_backward_weights(tile, window, x, dy, dw)         # dw: Memory, or a Writer of (output,
    rest)

The bits of the result do not depend on how the axis is cut. An empty k gives zeros, which the
writer gets too. The first ``plan.packing`` calls depend on B or the weights alone; what they fill
may be kept while those are the same.

Operands of bfloat16 are multiplied in pairs where the processor can, else converted as they are
packed; images and their writers have the tile's element. 3x3 convolutions take 16 products for 36
(:mod:`winograd`): where a pixel is not finite, all four positions of a tile that sees it are NaN.
"""

from rushlight.compiler.llvm.contract.convolve import (
    plan_backward_data,
    plan_forward,
)
from rushlight.compiler.llvm.contract.correlate import plan_backward_weights
from rushlight.compiler.llvm.contract.image import Image, packed_images
from rushlight.compiler.llvm.contract.operand import Memory, Reader, Stored, Strided, Writer
from rushlight.compiler.llvm.contract.params import Layout, Params
from rushlight.compiler.llvm.contract.plan import Call, Plan, plan_product
from rushlight.compiler.llvm.contract.quads import plan_quads
from rushlight.compiler.llvm.contract.tile import Tile, tile_of
from rushlight.compiler.llvm.contract.window import Window
