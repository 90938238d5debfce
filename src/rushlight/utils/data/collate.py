"""From a list of samples to a batch, and from NumPy to tensors."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any

import numpy as np

import rushlight as rl
from rushlight.base.errors import ArgTypeError, OperationError
from rushlight.tensor.tensor import Tensor

Types = type | tuple[type, ...]
CollateMap = dict[Types, Callable[..., Any]]


def default_convert(data: Any) -> Any:
    """Turns the NumPy arrays in a sample into tensors; used where samples are not batched.

    Mappings, namedtuples and sequences are converted inside and keep their type, but a plain
    tuple becomes a list, as in PyTorch. Strings, arrays of strings or objects, and all else stay
    as they are. Tensors share memory with the arrays they come from.

    Raises:
        TypeError: an array of a dtype that tensors do not have.
    Example:
        >>> import numpy as np
        >>> import rushlight as rl
        >>> rl.utils.data.default_convert({"x": np.array([1, 2]), "name": "a"})
        {'x': tensor([1, 2]), 'name': 'a'}
    """
    if isinstance(data, Tensor):
        return data
    if isinstance(data, np.ndarray):
        return data if data.dtype.kind in "SUO" else rl.as_tensor(data)
    if isinstance(data, np.generic) and not isinstance(data, (np.str_, np.bytes_)):
        return rl.as_tensor(data)
    if isinstance(data, Mapping):
        return _mapping_like(data, {key: default_convert(data[key]) for key in data})
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return _sequence_like(data, [default_convert(item) for item in data])
    return data


def collate(batch: Sequence[Any], *, collate_fn_map: CollateMap | None = None) -> Any:
    """Collates samples by the functions given for their types.

    Args:
        batch: samples, all of the first one's structure.
        collate_fn_map: from a type, or a tuple of types, to a function called as
            ``fn(batch, collate_fn_map=collate_fn_map)``. An exact type wins; otherwise the first
            key that the sample is an instance of. Mappings, namedtuples and sequences without a
            function are collated item by item.
    Raises:
        RuntimeError: sequences of different lengths.
        TypeError: a type that nothing here says how to collate.
    Example:
        >>> import rushlight as rl
        >>> from rushlight.utils.data.collate import collate
        >>> collate([("a", 1), ("b", 2)], collate_fn_map={
        ...     str: lambda batch, collate_fn_map: "".join(batch),
        ...     int: lambda batch, collate_fn_map: sum(batch),
        ... })
        ['ab', 3]
    """
    first = batch[0]
    if collate_fn_map is not None:
        function = _function_for(first, collate_fn_map)
        if function is not None:
            return function(batch, collate_fn_map=collate_fn_map)
    if isinstance(first, Mapping):
        columns = {
            key: collate([sample[key] for sample in batch], collate_fn_map=collate_fn_map)
            for key in first
        }
        return _mapping_like(first, columns)
    if isinstance(first, Sequence):
        if not _is_namedtuple(first) and any(len(sample) != len(first) for sample in batch):
            raise OperationError(
                "default_collate",
                "each element in list of batch should be of equal size",
                hint="A collate_fn of your own can pad them.",
            )
        return _sequence_like(
            first, [collate(column, collate_fn_map=collate_fn_map) for column in zip(*batch)]
        )
    raise _cannot(type(first))


def default_collate(batch: Sequence[Any]) -> Any:
    """Makes a batch of samples: tensors get one more dimension in front.

    ====================================  ==================================================
    samples                               batch
    ====================================  ==================================================
    tensors, NumPy arrays and scalars     a tensor of their dtype
    float; int and bool                   a float64 tensor; an int64 or bool tensor
    str, bytes                            the sequence of them
    mappings                              a mapping of the same type, each value collated
    namedtuples                           a namedtuple, each field collated
    tuples                                a list, each position collated
    other sequences                       a sequence of the same type, each position collated
    ====================================  ==================================================

    More types can be added to ``default_collate_fn_map`` (see :func:`collate`).

    Raises:
        RuntimeError: tensors of different shapes, or sequences of different lengths.
        TypeError: any other type.
        IndexError: an empty batch.
    Example:
        >>> import rushlight as rl
        >>> rl.utils.data.default_collate([(1, "a"), (2, "b")])
        [tensor([1, 2]), ('a', 'b')]
        >>> rl.utils.data.default_collate([{"x": 0.5}, {"x": 1.5}])
        {'x': tensor([0.5000, 1.5000], dtype=torch.float64)}
    """
    return collate(batch, collate_fn_map=default_collate_fn_map)


def collate_tensor_fn(
    batch: Sequence[Tensor], *, collate_fn_map: CollateMap | None = None
) -> Tensor:
    """Tensors: stacked."""
    return rl.stack(list(batch), 0)


def collate_numpy_array_fn(
    batch: Sequence[np.ndarray], *, collate_fn_map: CollateMap | None = None
) -> Any:
    """NumPy arrays: what the tensors made of them are collated to."""
    first = batch[0]
    if first.dtype.kind in "SUO":
        raise _cannot(first.dtype)
    if collate_fn_map and collate_fn_map.get(Tensor) is collate_tensor_fn and _alike(batch):
        return rl.from_numpy(np.stack(batch))  # one operation, not one for each sample
    return collate([rl.as_tensor(array) for array in batch], collate_fn_map=collate_fn_map)


def collate_numpy_scalar_fn(
    batch: Sequence[np.generic], *, collate_fn_map: CollateMap | None = None
) -> Tensor:
    """NumPy scalars: a tensor of their dtype."""
    if len(set(map(type, batch))) > 1:
        return rl.as_tensor(batch)
    return rl.from_numpy(np.array(batch))


def collate_float_fn(batch: Sequence[float], *, collate_fn_map: CollateMap | None = None) -> Tensor:
    """Python floats: a float64 tensor, which holds them exactly."""
    return rl.tensor(batch, dtype=rl.float64)


def collate_int_fn(batch: Sequence[int], *, collate_fn_map: CollateMap | None = None) -> Tensor:
    """Python ints and bools: an int64 or a bool tensor."""
    return rl.tensor(batch)


def collate_str_fn(
    batch: Sequence[str | bytes], *, collate_fn_map: CollateMap | None = None
) -> Sequence[str | bytes]:
    """Text: as it is."""
    return batch


default_collate_fn_map: CollateMap = {
    Tensor: collate_tensor_fn,
    np.ndarray: collate_numpy_array_fn,
    (np.bool_, np.number, np.object_): collate_numpy_scalar_fn,
    float: collate_float_fn,
    int: collate_int_fn,
    str: collate_str_fn,
    bytes: collate_str_fn,
}
_AS_SHIPPED = dict(default_collate_fn_map)


def is_default(function: Callable[..., Any]) -> bool:
    """Whether ``function`` is :func:`default_collate`, and nobody has changed what that does."""
    return function is default_collate and default_collate_fn_map == _AS_SHIPPED


def _function_for(sample: Any, functions: CollateMap) -> Callable[..., Any] | None:
    if (exact := functions.get(type(sample))) is not None:
        return exact
    return next((functions[types] for types in functions if isinstance(sample, types)), None)


def _alike(batch: Sequence[np.ndarray]) -> bool:
    """Whether stacking the arrays is stacking the tensors made of them."""
    dtype, shape = batch[0].dtype, batch[0].shape
    return dtype.isnative and all(
        isinstance(array, np.ndarray) and array.dtype == dtype and array.shape == shape
        for array in batch
    )


def _is_namedtuple(value: object) -> bool:
    return isinstance(value, tuple) and hasattr(value, "_fields")


def _mapping_like(like: Mapping[Any, Any], items: dict[Any, Any]) -> Any:
    """``items`` in a mapping of the type of ``like``, or as they are if it cannot be made."""
    try:
        if isinstance(like, MutableMapping):
            clone: Any = copy.copy(like)  # keeps what else an object of this type may hold
            clone.update(items)
            return clone
        return type(like)(items)  # type: ignore[call-arg]
    except TypeError:
        return items


def _sequence_like(like: Sequence[Any], items: list[Any]) -> Any:
    """``items`` in a sequence of the type of ``like``, or in a list if it cannot be made."""
    if isinstance(like, tuple):
        return type(like)(*items) if _is_namedtuple(like) else items
    try:
        if isinstance(like, MutableSequence):
            clone: Any = copy.copy(like)  # keeps what else an object of this type may hold
            for i, item in enumerate(items):
                clone[i] = item
            return clone
        return type(like)(items)  # type: ignore[call-arg]
    except TypeError:
        return items


def _cannot(found: object) -> ArgTypeError:
    return ArgTypeError(
        "",
        "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; "
        f"found {found}",
        hint="Give DataLoader a collate_fn of your own.",
    )
