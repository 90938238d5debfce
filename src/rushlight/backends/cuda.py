"""CUDA's own libraries."""

from __future__ import annotations


class _Matmul:
    """Flags for matrix products.

    Attributes:
        allow_tf32: whether 19-bit floats may stand in for float32.
        allow_fp16_reduced_precision_reduction: whether sums of float16 may be kept in float16.
        allow_bf16_reduced_precision_reduction: the same for bfloat16.
    """

    def __init__(self) -> None:
        self.allow_tf32 = False
        self.allow_fp16_reduced_precision_reduction = True
        self.allow_bf16_reduced_precision_reduction = True


matmul = _Matmul()


def is_built() -> bool:
    """Whether this build knows CUDA."""
    return False
