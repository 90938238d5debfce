"""What programs ask and set about libraries that PyTorch computes with; none of them is used here.

Flags can be set and read back. ``is_available()`` is False throughout.
"""

from __future__ import annotations

from . import cpu, cuda, cudnn, mkl, mkldnn, mps, openmp, quantized
