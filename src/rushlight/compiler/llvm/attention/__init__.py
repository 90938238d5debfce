"""Template ``attention``: means of values by the softmax of scores, which are never all there.

A block of queries meets one block of keys after the other. The scores of a pair of blocks are
summed *turned*, a row for each key and queries side by side: keys are then read as they lie, and
what a softmax does to the scores of a query is done to many queries at once, lane by lane. The
products are those of :mod:`contract`, on the same micro-kernels::

    scores   S' = K Q'          K as it lies, Q' packed, times the scale
    result   Y += P V           the weights as a panel, V as it lies
    back     G' = V dY',  dV += P' dY,  dK += dS' Q,  dQ += dS K

Milakov & Gimelshein 2018, arXiv:1805.02867 (the maximum and the sum of a softmax as they grow);
Dao et al. 2022, arXiv:2205.14135 (blocks, and the weights computed again for the gradient).
"""

from .backward import backward_module, backward_scratch
from .form import Form, Sizes
from .forward import forward_module, forward_scratch
from .rows import dot_module, sum_module
