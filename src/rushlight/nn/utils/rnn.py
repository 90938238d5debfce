"""Sequences of different lengths together: padded to one length, or packed without padding.

A packed batch has the first steps of all sequences, then the second steps of those that have one,
and so on, with the longest sequence first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from rushlight import ops
from rushlight.base.buffer import Buffer
from rushlight.base.dtypes import bool_, int64
from rushlight.base.errors import ArgTypeError, ArgValueError, OperationError, ShapeError
from rushlight.graph.node import known
from rushlight.tensor.look import array_of
from rushlight.tensor.tensor import Tensor


class _Packed(NamedTuple):
    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(_Packed):
    """Sequences of different lengths without padding, as :func:`pack_padded_sequence` makes them.

    Attributes:
        data: the steps of all sequences (total, *).
        batch_sizes: how many sequences have a first step, a second one, and so on.
        sorted_indices: which sequence stands where, or None when they were sorted by length.
        unsorted_indices: where each sequence stands.
    """

    __slots__ = ()

    def __new__(
        cls, data: Tensor, batch_sizes: Tensor | None = None,
        sorted_indices: Tensor | None = None, unsorted_indices: Tensor | None = None,
    ) -> PackedSequence:  # fmt: skip
        if batch_sizes is None:
            if not isinstance(data, (list, tuple)) or len(data) != 2:
                raise ArgTypeError("PackedSequence", "expected data and batch_sizes")
            data, batch_sizes = data
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """With ``data`` in another dtype or on another device; itself when nothing changes."""
        data = self.data.to(*args, **kwargs)  # type: ignore[attr-defined]
        return self if data is self.data else self._replace(data=data)

    def cpu(self) -> PackedSequence:
        """On the CPU."""
        return self.to("cpu")

    def cuda(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """On a CUDA device.

        Raises:
            RuntimeError: there is none.
        """
        return self._replace(data=self.data.cuda(*args, **kwargs))  # type: ignore[attr-defined]

    def double(self) -> PackedSequence:
        """In float64."""
        return self._replace(data=self.data.double())  # type: ignore[attr-defined]

    def float(self) -> PackedSequence:
        """In float32."""
        return self._replace(data=self.data.float())  # type: ignore[attr-defined]

    def half(self) -> PackedSequence:
        """In float16."""
        return self._replace(data=self.data.half())  # type: ignore[attr-defined]

    @property
    def is_cuda(self) -> bool:
        """Whether the data is on a CUDA device."""
        return bool(self.data.is_cuda)  # type: ignore[attr-defined]

    def is_pinned(self) -> bool:
        """Whether the data is in pinned memory."""
        return bool(self.data.is_pinned())  # type: ignore[attr-defined]

    def pin_memory(self) -> PackedSequence:
        """With the data in pinned memory."""
        return self._replace(data=self.data.pin_memory())  # type: ignore[attr-defined]


def _numbers(values: Any) -> Tensor:
    return Tensor(known(Buffer(np.ascontiguousarray(values, np.int64), int64)))


def _places(sizes: np.ndarray, count: int) -> np.ndarray:
    """Where the steps of a packed batch lie in a padded one (T, count), flattened."""
    return np.concatenate([t * count + np.arange(n) for t, n in enumerate(sizes)])


def _rows(tensor: Tensor, places: np.ndarray, shape: Sequence[int]) -> Tensor:
    """Some of the first two dimensions' entries, in another shape."""
    flat = ops.reshape(tensor.node, (-1, *tensor.shape[2:]))
    found = ops.index_select(flat, 0, _numbers(places).node)
    return Tensor(ops.reshape(found, tuple(shape)))


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """Where each number stands in a permutation; None of None."""
    return None if permutation is None else _numbers(np.argsort(array_of(permutation)))


def pack_padded_sequence(
    input: Tensor, lengths: Tensor | Sequence[int], batch_first: bool = False,
    enforce_sorted: bool = True,
) -> PackedSequence:  # fmt: skip
    """Packs a padded batch of sequences.

    Args:
        lengths: how many steps each sequence has; a list or a tensor on the CPU.
        batch_first: whether the input is (N, T, *) rather than (T, N, *).
        enforce_sorted: whether the lengths must not increase; they are sorted here otherwise.
    Raises:
        RuntimeError: a length is not positive, longer than the input or out of order, or their
            number is not that of the sequences.
    Example:
        >>> import rushlight as rl
        >>> batch = rl.tensor([[1, 2, 0], [3, 0, 0], [4, 5, 6]])
        >>> pack = rl.nn.utils.rnn.pack_padded_sequence
        >>> packed = pack(batch, [2, 1, 3], batch_first=True, enforce_sorted=False)
        >>> packed.data
        tensor([4, 1, 3, 5, 2, 6])
        >>> packed.batch_sizes
        tensor([3, 2, 1])
    """
    counts = array_of(lengths) if isinstance(lengths, Tensor) else np.asarray(lengths)
    order = None
    if not enforce_sorted:
        order = np.argsort(-counts, kind="stable")
        counts = counts[order]
    steps, batch = (input.shape[1], input.shape[0]) if batch_first else tuple(input.shape[:2])
    _check_lengths(counts, steps, batch)
    sizes = (np.arange(int(counts[0]))[:, None] < counts).sum(axis=1)
    time_first = input.transpose(0, 1) if batch_first else input  # type: ignore[attr-defined]
    places = _places(sizes, batch)
    if order is not None:
        places = places // batch * batch + order[places % batch]
    data = _rows(time_first, places, (len(places), *input.shape[2:]))
    return PackedSequence(data, _numbers(sizes), None if order is None else _numbers(order))


def _check_lengths(counts: np.ndarray, steps: int, batch: int) -> None:
    name = "pack_padded_sequence"
    if counts.ndim != 1 or counts.dtype.kind not in "iu":
        raise OperationError(
            name,
            "'lengths' argument should be a 1D CPU int64 tensor, but got"
            f" {counts.ndim}D {counts.dtype} tensor",
        )
    if len(counts) != batch:
        raise ShapeError(
            name,
            "Expected `len(lengths)` to be equal to batch_size, but got"
            f" {len(counts)} (batch_size={batch})",
        )
    if not len(counts):
        raise ShapeError(name, "Cannot pack empty tensors.")
    if counts.min() <= 0:
        raise OperationError(
            name,
            "Length of all samples has to be greater than 0, but found an element in 'lengths' that"
            " is <= 0",
        )
    if np.any(counts[1:] > counts[:-1]):
        raise OperationError(
            name,
            "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You"
            " can pass `enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to"
            " sidestep this requirement if you do not need ONNX exportability.",
        )
    if counts[0] > steps:
        raise ShapeError(
            name, f"Expected no length above the {steps} steps of the input, but got {counts[0]}"
        )


def padded(
    sequence: PackedSequence, padding_value: Any = 0.0, steps: int | None = None
) -> tuple[Tensor, Tensor]:
    """A padded batch (T, N, *) with the sequences as they are packed, and their lengths."""
    sizes = array_of(sequence.batch_sizes)
    count = int(sizes[0])
    lengths = (sizes[:, None] > np.arange(count)).sum(axis=0)
    steps = len(sizes) if steps is None else steps
    source = np.zeros(steps * count, np.int64)
    inside = _places(sizes, count)
    source[inside] = np.arange(len(inside))
    rows = ops.index_select(sequence.data.node, 0, _numbers(source).node)
    rest = sequence.data.shape[1:]
    if len(inside) < len(source):
        within = np.zeros((steps * count, *(1,) * len(rest)), np.bool_)
        within[inside] = True
        mask = Buffer.of(within, bool_)
        rows = ops.where(known(mask), rows, ops.full((), padding_value, rows.dtype))
    return Tensor(ops.reshape(rows, (steps, count, *rest))), _numbers(lengths)


def packed_like(sequence: PackedSequence, batch: Tensor) -> PackedSequence:
    """A padded batch (T, N, *) packed as another sequence is."""
    places = _places(array_of(sequence.batch_sizes), batch.shape[1])
    return sequence._replace(data=_rows(batch, places, (len(places), *batch.shape[2:])))


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0,
    total_length: int | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """The inverse of :func:`pack_padded_sequence`: a padded batch, and the lengths.

    Args:
        batch_first: whether the result is (N, T, *) rather than (T, N, *).
        padding_value: what stands behind the end of a sequence.
        total_length: the number of steps; that of the longest sequence when None.
    Raises:
        ValueError: ``total_length`` is less than the longest sequence.
    Example:
        >>> import rushlight as rl
        >>> rnn = rl.nn.utils.rnn
        >>> packed = rnn.pack_sequence([rl.tensor([1, 2, 3]), rl.tensor([4])])
        >>> rnn.pad_packed_sequence(packed, batch_first=True)
        (tensor([[1, 2, 3],
                [4, 0, 0]]), tensor([3, 1]))
    """
    longest = len(array_of(sequence.batch_sizes))
    if total_length is not None and total_length < longest:
        raise ArgValueError(
            "pad_packed_sequence",
            "Expected total_length to be at least the length of the longest sequence in input, but"
            f" got total_length={total_length} and max sequence length being {longest}",
        )
    batch, lengths = padded(sequence, padding_value, total_length)
    if batch_first:
        batch = batch.transpose(0, 1)  # type: ignore[attr-defined]
    back = sequence.unsorted_indices
    if back is not None:
        batch = batch.index_select(0 if batch_first else 1, back)  # type: ignore[attr-defined]
        lengths = lengths[back]  # type: ignore[index]
    return batch, lengths


def pad_sequence(
    sequences: Tensor | Iterable[Tensor], batch_first: bool = False, padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:  # fmt: skip
    """Sequences (L, *) of different lengths in one batch.

    Args:
        batch_first: whether the result is (N, T, *) rather than (T, N, *).
        padding_value: what is added.
        padding_side: ``"right"`` to add it behind each sequence, ``"left"`` before.
    Raises:
        RuntimeError: there is no sequence, or another side.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.utils.rnn.pad_sequence([rl.ones(2), rl.ones(3)], batch_first=True)
        tensor([[1., 1., 0.],
                [1., 1., 1.]])
    """
    name = "pad_sequence"
    if isinstance(sequences, Tensor):
        given: Any = sequences.unbind(0)  # type: ignore[attr-defined]
    elif isinstance(sequences, Iterable):
        given = sequences
    else:
        raise OperationError(
            name,
            "pad_sequence: Expected iterable for input sequences, but got arg of type:"
            f" {type(sequences)}",
        )
    nodes = [sequence.node for sequence in given]
    if not nodes:
        raise OperationError(name, "received an empty list of sequences")
    if padding_side not in ("left", "right"):
        raise OperationError(
            name, f"Expected padding_side to be one of left or right, but got {padding_side}."
        )
    steps = max(node.shape[0] for node in nodes)
    rows = []
    for node in nodes:
        missing = steps - node.shape[0]
        around = (missing, 0) if padding_side == "left" else (0, missing)
        rows.append(ops.pad(node, (0, 0) * (node.ndim - 1) + around, value=padding_value))
    return Tensor(ops.stack(tuple(rows), 0 if batch_first else 1))


def unpad_sequence(
    padded_sequences: Tensor, lengths: Tensor, batch_first: bool = False
) -> list[Tensor]:
    """The sequences of a padded batch, each with its own length.

    Example:
        >>> import rushlight as rl
        >>> batch = rl.tensor([[1, 2, 3], [4, 0, 0]])
        >>> rl.nn.utils.rnn.unpad_sequence(batch, rl.tensor([3, 1]), batch_first=True)
        [tensor([1, 2, 3]), tensor([4])]
    """
    if not batch_first:
        padded_sequences = padded_sequences.transpose(0, 1)  # type: ignore[attr-defined]
    counts = array_of(lengths).tolist()
    return [padded_sequences[k, :count] for k, count in enumerate(counts)]  # type: ignore[index]


def pack_sequence(sequences: Sequence[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Packs sequences (L, *) of different lengths.

    Args:
        enforce_sorted: whether the lengths must not increase; they are sorted here otherwise.
    Raises:
        RuntimeError: a sequence is empty, or the lengths are out of order.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.utils.rnn.pack_sequence([rl.tensor([1, 2, 3]), rl.tensor([4])]).data
        tensor([1, 4, 2, 3])
    """
    lengths = [sequence.shape[0] for sequence in sequences]
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The sequences that were packed, in the order in which they were given.

    Example:
        >>> import rushlight as rl
        >>> rnn = rl.nn.utils.rnn
        >>> rnn.unpack_sequence(rnn.pack_sequence([rl.tensor([1, 2, 3]), rl.tensor([4])]))
        [tensor([1, 2, 3]), tensor([4])]
    """
    batch, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(batch, lengths, batch_first=True)
