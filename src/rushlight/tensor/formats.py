"""Names for how tensors lie in memory."""

from __future__ import annotations


class _Name:
    """One of a fixed set of names, printed as PyTorch's. Abstract."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return f"torch.{self._name}"

    def __reduce__(self) -> str:
        return self._name


class memory_format(_Name):
    """The order of a tensor's dimensions in memory.

    Tensors lie in memory row by row here, and the compiler chooses layouts of its own within a
    program; functions take a ``memory_format`` for the sake of programs that give one.
    """

    __slots__ = ()


class layout(_Name):
    """How elements are kept. Tensors are ``strided``; the other names are there to be refused."""

    __slots__ = ()


contiguous_format = memory_format("contiguous_format")
preserve_format = memory_format("preserve_format")
channels_last = memory_format("channels_last")
channels_last_3d = memory_format("channels_last_3d")
strided = layout("strided")
sparse_coo = layout("sparse_coo")
sparse_csr = layout("sparse_csr")
sparse_csc = layout("sparse_csc")
sparse_bsr = layout("sparse_bsr")
sparse_bsc = layout("sparse_bsc")
jagged = layout("jagged")
