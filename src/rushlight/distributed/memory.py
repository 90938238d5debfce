"""Tensors as the bytes that travel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rushlight.base.buffer import Buffer
from rushlight.base.dtypes import DType
from rushlight.execute import realize
from rushlight.graph.node import known
from rushlight.tensor.look import buffer_of
from rushlight.tensor.tensor import Tensor


def check_tensor(value: Any, name: str) -> None:
    """Checks that an argument is a tensor.

    Raises:
        TypeError: it is not.
    """
    if not isinstance(value, Tensor):
        raise TypeError(
            f"Invalid function argument. Expected parameter `{name}` of type torch.Tensor\n"
            f"             but got {type(value)} instead."
        )


def check_list(values: Any, name: str) -> None:
    """Checks that an argument is a list of tensors.

    Raises:
        TypeError: it is not.
    """
    if not isinstance(values, list | tuple) or not all(isinstance(x, Tensor) for x in values):
        raise TypeError(
            f"Invalid function argument. Expected parameter `{name}` of type List[torch.Tensor]\n"
            f"             but got {type(values)} with elements of type"
            f" {[type(x) for x in values] if isinstance(values, list | tuple) else None}."
        )


def check_one_type(*tensors: Tensor) -> None:
    """Checks that tensors have one dtype.

    Raises:
        ValueError: they do not.
    """
    for tensor in tensors[1:]:
        if tensor.dtype is not tensors[0].dtype:
            raise ValueError(
                "Invalid usage of tensors with different dtypesFound"
                f" {tensors[0].dtype} and  {tensor.dtype}"
            )


def stored(tensor: Tensor) -> np.ndarray:
    """The elements as memory holds them, of this moment. Not to be written to."""
    return np.ascontiguousarray(buffer_of(tensor.detach().node).stored)


def many_stored(tensors: Sequence[Tensor]) -> list[np.ndarray]:
    """The elements of several tensors, computed in one program."""
    realize([tensor.detach().node for tensor in tensors])
    return [stored(tensor) for tensor in tensors]


def fill(tensor: Tensor, found: np.ndarray) -> None:
    """Gives a tensor elements, in place; no gradient flows through it."""
    array = np.ascontiguousarray(found, tensor.dtype.storage).reshape(tuple(tensor.shape))
    if array is found or array.base is not None:
        array = array.copy()
    tensor.detach()._write_untracked(known(Buffer(array, tensor.dtype)))


def text_of(shape: Sequence[int], dtype: DType) -> str:
    """A shape and a dtype, as ranks compare them."""
    return f"{dtype} {tuple(shape)}"


def described(tensor: Tensor) -> str:
    """A tensor's shape and dtype, as ranks compare them."""
    return text_of(tensor.shape, tensor.dtype)
