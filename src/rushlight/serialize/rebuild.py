"""The functions that a checkpoint's pickle calls to make tensors; one for each of PyTorch's.

They believe nothing: the arguments come from a file. Each stands under PyTorch's name in the table
of ``names``.
"""

from __future__ import annotations

import pickle
from typing import Any

from rushlight.base.dtypes import DType
from rushlight.nn.parameter import Parameter
from rushlight.tensor.tensor import Tensor

from .exchange import View, of_class, tensor_over
from .storage import Storage


def tensor_v1(storage: Storage, offset: int, size: Any, stride: Any) -> Tensor:
    """A tensor as PyTorch before 0.4 wrote it."""
    return tensor_v2(storage, offset, size, stride, False, None)


def tensor_v2(
    storage: Storage, offset: int, size: Any, stride: Any, requires_grad: bool, hooks: Any,
    metadata: Any = None,
) -> Tensor:  # fmt: skip
    """A tensor that looks into ``storage``.

    Args:
        offset, size, stride: in elements.
        hooks: ignored, as PyTorch itself no longer keeps them.
        metadata: ``{"conj": True}`` and ``{"neg": True}`` for a value stored before conjugation or
            negation.

    Raises:
        RuntimeError: the tensor would reach outside the storage.
        UnpicklingError: an argument has the wrong type.
    """
    _require(storage, Storage, "a storage")
    _require(requires_grad, bool, "requires_grad")
    _sizes((offset,))
    tensor = tensor_over(View(storage, offset, _sizes(size), _sizes(stride)))
    for name in _require(metadata or {}, dict, "metadata"):
        if name == "conj":
            tensor = tensor.conj()
        elif name == "neg":
            tensor = -tensor
        else:
            raise pickle.UnpicklingError(f"a tensor carries unknown metadata {name!r}")
    return tensor.requires_grad_() if requires_grad else tensor


def tensor_v3(
    storage: Storage, offset: int, size: Any, stride: Any, requires_grad: bool, hooks: Any,
    dtype: DType, metadata: Any = None,
) -> Tensor:  # fmt: skip
    """A tensor that looks into an untyped ``storage`` as elements of ``dtype``."""
    typed = _require(storage, Storage, "a storage").typed(_require(dtype, DType, "a dtype"))
    return tensor_v2(typed, offset, size, stride, requires_grad, hooks, metadata)


def parameter(data: Tensor, requires_grad: bool, hooks: Any) -> Parameter:
    """A Parameter that holds ``data``."""
    _require(data, Tensor, "the data of a parameter")
    return Parameter(data, _require(requires_grad, bool, "requires_grad"))


def parameter_with_state(
    data: Tensor, requires_grad: bool, hooks: Any, state: Any
) -> Parameter:  # fmt: skip
    """A Parameter with attributes of the user's."""
    return _decorate(parameter(data, requires_grad, hooks), state)


def from_type(function: Any, kind: type[Tensor], arguments: tuple[Any, ...], state: Any) -> Tensor:
    """A tensor with attributes of the user's, or of a class of the user's."""
    if not any(function is each for each in (tensor_v1, tensor_v2, tensor_v3, parameter)):
        raise pickle.UnpicklingError(f"a tensor is rebuilt by {function!r}, which makes no tensor")
    tensor = function(*_require(arguments, tuple, "the arguments of a tensor"))
    if not (isinstance(kind, type) and issubclass(kind, Tensor)):
        raise pickle.UnpicklingError(f"a tensor has the class {kind!r}")
    return _decorate(tensor if type(tensor) is kind else of_class(tensor, kind), state)


def encoded(text: str, encoding: str) -> bytes:
    """Bytes, which protocol 2 writes as text; the real function would look for any codec."""
    return _require(text, str, "text").encode(_latin1(encoding))


def bytes_array(content: str | bytes = b"", encoding: str = "latin1") -> bytearray:
    """A bytearray of given content; the real class also takes a size to fill memory with."""
    if isinstance(content, str):
        return bytearray(content, _latin1(encoding))
    return bytearray(_require(content, bytes, "the content of a bytearray"))


def _latin1(encoding: str) -> str:
    if encoding not in ("latin1", "latin-1"):
        raise pickle.UnpicklingError(f"bytes are written in the encoding {encoding!r}, not latin1")
    return encoding


def _decorate(tensor: Any, state: Any) -> Any:
    plain, slots = state if isinstance(state, tuple) and len(state) == 2 else (state, None)
    for attributes in (plain or {}, slots or {}):
        for name, value in _require(attributes, dict, "attributes").items():
            if hasattr(Tensor, name):  # the file must not replace what makes it a tensor
                raise pickle.UnpicklingError(f"a tensor has an attribute called {name!r}")
            setattr(tensor, name, value)
    return tensor


def _sizes(value: Any) -> tuple[int, ...]:
    if not isinstance(value, tuple) or any(type(n) is not int or n < 0 for n in value):
        raise pickle.UnpicklingError(f"a tensor has sizes or strides {value!r:.100}")
    return value


def _require(value: Any, kind: type, meaning: str) -> Any:
    if not isinstance(value, kind):
        raise pickle.UnpicklingError(f"expected {meaning}, but the file has {value!r:.100}")
    return value
