"""Layers that hold a table of rows to look up."""

from __future__ import annotations

from typing import Any

from rushlight.autograd.mode import no_grad
from rushlight.base.device import device as Device
from rushlight.base.dtypes import DType
from rushlight.tensor.creation import empty
from rushlight.tensor.tensor import Tensor

from . import functional as F
from . import init
from .module import Module
from .parameter import Parameter


class _Table(Module):
    """A table ``weight`` of rows, one of which may stand for padding. Abstract."""

    weight: Parameter
    padding_idx: int | None

    def _set_up(
        self, rows: int, width: int, padding_idx: int | None, given: Tensor | None,
        trained: bool, device: Device | str | None, dtype: DType | None,
    ) -> None:  # fmt: skip
        self.num_embeddings = rows
        self.embedding_dim = width
        if padding_idx is not None:
            if not -rows <= padding_idx < rows:
                raise AssertionError("Padding_idx must be within num_embeddings")
            padding_idx %= rows
        self.padding_idx = padding_idx
        if given is None:
            self.weight = Parameter(empty((rows, width), device=device, dtype=dtype), trained)
            self.reset_parameters()
            return
        if list(given.shape) != [rows, width]:
            raise AssertionError("Shape of weight does not match num_embeddings and embedding_dim")
        self.weight = Parameter(given, trained)

    def reset_parameters(self) -> None:
        """Draws the table anew from the standard normal distribution; the padding row is 0."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            with no_grad():
                self.weight[self.padding_idx].fill_(0)


class Embedding(_Table):
    """A table of ``num_embeddings`` rows that are looked up by number.

    Args:
        embedding_dim: the length of a row.
        padding_idx: a row that starts as 0 and gets no gradient.
        max_norm: rows that are looked up and longer than this are first made as short, in place.
        norm_type: which norm that is.
        scale_grad_by_freq: whether a row's gradient is divided by how often it was named.
        sparse: accepted as PyTorch does; the gradient is dense.
    Shape:
        input (*) of int32 or int64; output (*, embedding_dim);
        weight (num_embeddings, embedding_dim), which starts standard normal.
    Raises:
        AssertionError: ``padding_idx`` is no row.
        IndexError: a number is no row, when called.
    Reference:
        Bengio et al. 2003, "A Neural Probabilistic Language Model".
    Example:
        >>> import rushlight as rl
        >>> rl.nn.Embedding(10, 3)(rl.tensor([[1, 2, 4], [4, 3, 9]])).shape
        torch.Size([2, 3, 3])
    """

    def __init__(
        self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None,
        max_norm: float | None = None, norm_type: float = 2.0, scale_grad_by_freq: bool = False,
        sparse: bool = False, _weight: Tensor | None = None, _freeze: bool = False,
        device: Device | str | None = None, dtype: DType | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.sparse = sparse
        self._set_up(
            num_embeddings, embedding_dim, padding_idx, _weight, not _freeze, device, dtype
        )

    def forward(self, input: Tensor) -> Any:
        return F.embedding(
            input, self.weight, self.padding_idx, self.max_norm, self.norm_type,
            self.scale_grad_by_freq, self.sparse,
        )  # fmt: skip

    def extra_repr(self) -> str:
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        if self.padding_idx is not None:
            text += f", padding_idx={self.padding_idx}"
        if self.max_norm is not None:
            text += f", max_norm={self.max_norm}"
        if self.norm_type != 2:
            text += f", norm_type={self.norm_type}"
        if self.scale_grad_by_freq:
            text += f", scale_grad_by_freq={self.scale_grad_by_freq}"
        return text + (", sparse=True" if self.sparse else "")

    @classmethod
    def from_pretrained(
        cls, embeddings: Tensor, freeze: bool = True, padding_idx: int | None = None,
        max_norm: float | None = None, norm_type: float = 2.0, scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Embedding:  # fmt: skip
        """A layer whose table is ``embeddings``, which is not trained unless ``freeze`` is False.

        Raises:
            AssertionError: ``embeddings`` is no matrix.
        Example:
            >>> import rushlight as rl
            >>> layer = rl.nn.Embedding.from_pretrained(rl.tensor([[1.0, 2.3, 3.0]]))
            >>> layer(rl.tensor([0]))
            tensor([[1.0000, 2.3000, 3.0000]])
        """
        if embeddings.dim() != 2:
            raise AssertionError("Embeddings parameter is expected to be 2-dimensional")
        rows, width = embeddings.shape
        return cls(
            rows, width, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse,
            _weight=embeddings, _freeze=freeze,
        )  # fmt: skip


class EmbeddingBag(_Table):
    """The sum, mean or maximum of the rows that each bag of numbers names.

    Args:
        mode: ``"sum"``, ``"mean"`` or ``"max"``; an empty bag is 0.
        include_last_offset: whether offsets end with the end of the last bag.
        padding_idx: a row that starts as 0, counts in no bag and gets no gradient.
    Shape:
        input (B, N), or (N) with offsets (B); per_sample_weights as input; output
        (B, embedding_dim).
    Raises:
        ValueError: shapes of input and offsets do not fit each other, when called.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.EmbeddingBag(10, 3)(rl.tensor([1, 2, 4, 4]), rl.tensor([0, 3])).shape
        torch.Size([2, 3])
    """

    def __init__(
        self, num_embeddings: int, embedding_dim: int, max_norm: float | None = None,
        norm_type: float = 2.0, scale_grad_by_freq: bool = False, mode: str = "mean",
        sparse: bool = False, _weight: Tensor | None = None, include_last_offset: bool = False,
        padding_idx: int | None = None, device: Device | str | None = None,
        dtype: DType | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self._set_up(num_embeddings, embedding_dim, padding_idx, _weight, True, device, dtype)
        self.mode = mode
        self.sparse = sparse
        self.include_last_offset = include_last_offset

    def forward(
        self, input: Tensor, offsets: Tensor | None = None,
        per_sample_weights: Tensor | None = None,
    ) -> Any:  # fmt: skip
        return F.embedding_bag(
            input, self.weight, offsets, self.max_norm, self.norm_type, self.scale_grad_by_freq,
            self.mode, self.sparse, per_sample_weights, self.include_last_offset, self.padding_idx,
        )  # fmt: skip

    def extra_repr(self) -> str:
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        if self.max_norm is not None:
            text += f", max_norm={self.max_norm}"
        if self.norm_type != 2:
            text += f", norm_type={self.norm_type}"
        if self.scale_grad_by_freq:
            text += f", scale_grad_by_freq={self.scale_grad_by_freq}"
        text += f", mode={self.mode!r}"
        return text + (f", padding_idx={self.padding_idx}" if self.padding_idx is not None else "")

    @classmethod
    def from_pretrained(
        cls, embeddings: Tensor, freeze: bool = True, max_norm: float | None = None,
        norm_type: float = 2.0, scale_grad_by_freq: bool = False, mode: str = "mean",
        sparse: bool = False, include_last_offset: bool = False, padding_idx: int | None = None,
    ) -> EmbeddingBag:  # fmt: skip
        """A layer whose table is ``embeddings``, which is not trained unless ``freeze`` is False.

        Raises:
            AssertionError: ``embeddings`` is no matrix.
        """
        if embeddings.dim() != 2:
            raise AssertionError("Embeddings parameter is expected to be 2-dimensional")
        rows, width = embeddings.shape
        made = cls(
            rows, width, max_norm, norm_type, scale_grad_by_freq, mode, sparse, embeddings,
            include_last_offset, padding_idx,
        )  # fmt: skip
        made.weight.requires_grad = not freeze
        return made
