"""TVTensor: a tensor that knows what its values mean."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

import rushlight as rl
from rushlight import Tensor

Kind = TypeVar("Kind", bound="TVTensor")


class TVTensor(Tensor):
    """What images, videos, masks, boxes and key points have in common. Abstract.

    Operations return plain tensors, since what comes out is in general no image any more. Only
    ``clone``, ``to``, ``detach``, ``requires_grad_`` and in-place operations keep the class. See
    :func:`set_return_type`.
    """

    # What an instance knows besides its values, in the order of ``repr``.
    _metadata: tuple[str, ...] = ()

    def _share(self, data: Any, dtype: Any, device: Any, requires_grad: bool | None) -> None:
        """Takes the memory of ``data``, or of the tensor that is made of it."""
        tensor = as_data(data, dtype, device, requires_grad)
        Tensor.__init__(self, tensor.node)
        self._settle_in(tensor.place)

    @classmethod
    def wrap(cls: type[Kind], tensor: Tensor, like: Kind, **changed: Any) -> Kind:
        """A tensor of this class with the metadata of ``like``, but for what ``changed`` says."""
        made = tensor.as_subclass(cls)
        for name in cls._metadata:
            made.__dict__[name] = changed.get(name, like.__dict__[name])
        return made

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        values = Tensor.__repr__(self).removeprefix("tensor(")[:-1]
        shown = "".join(f", {name}={getattr(self, name)}" for name in self._metadata)
        return f"{type(self).__name__}({values}{shown})"

    def __deepcopy__(self: Kind, memo: dict[int, Any]) -> Kind:
        return self.detach().clone().requires_grad_(self.requires_grad)


def as_data(
    data: Any, dtype: Any = None, device: Any = None, requires_grad: bool | None = None
) -> Tensor:
    """What a TVTensor is made of, as a tensor; memory is shared where it can be."""
    if requires_grad is None:
        requires_grad = data.requires_grad if isinstance(data, Tensor) else False
    return rl.as_tensor(data, dtype=dtype, device=device).requires_grad_(requires_grad)


def wrap(wrappee: Tensor, *, like: Any, **kwargs: Any) -> Any:
    """Gives a tensor the class and the metadata of another one.

    Args:
        wrappee: the values, whose memory the result shares.
        like: an image, mask, boxes, ...
        kwargs: metadata that differs, such as ``canvas_size``.
    Example:
        >>> import rushlight as rl
        >>> from rushlight.vision import tv_tensors
        >>> image = tv_tensors.Image(rl.zeros(3, 2, 2))
        >>> type(tv_tensors.wrap(image + 1, like=image)).__name__
        'Image'
    """
    own = getattr(type(like), "wrap", None)
    return wrappee.as_subclass(type(like)) if own is None else own(wrappee, like, **kwargs)


# What operations return --------------------------------------------------------------------------

# Methods after which a tensor still means what it meant.
_KEEPING = frozenset({"clone", "to", "detach", "requires_grad_", "pin_memory"})
_ARITHMETIC = "add sub mul truediv floordiv mod pow matmul and or xor"
_OPERATORS = {
    *(f"__{side}{name}__" for name in _ARITHMETIC.split() for side in ("", "r")),
    *(f"__{name}__" for name in ("neg", "pos", "abs", "invert", "getitem")),
    *(f"__{name}__" for name in ("eq", "ne", "lt", "le", "gt", "ge")),
}


class _Returned(threading.local):
    subclass = False


_returned = _Returned()
_taught: list[bool] = []


class _ReturnType:
    """Restores, at the end of a ``with`` block, what operations returned before."""

    def __init__(self, before: bool) -> None:
        self._before = before

    def __enter__(self) -> _ReturnType:
        return self

    def __exit__(self, *_: object) -> None:
        _returned.subclass = self._before


def set_return_type(return_type: str) -> _ReturnType:
    """Chooses what methods and operators of TVTensors return, in this thread.

    Args:
        return_type: ``"Tensor"``, the default: plain tensors; ``"TVTensor"``: the same class.
    Raises:
        ValueError: anything else.
    Example:
        >>> import rushlight as rl
        >>> from rushlight.vision import tv_tensors
        >>> image = tv_tensors.Image(rl.zeros(3, 2, 2))
        >>> with tv_tensors.set_return_type("TVTensor"):
        ...     type(image + 1).__name__
        'Image'
    """
    wanted = {"tensor": False, "tvtensor": True}.get(return_type.lower())
    if wanted is None:
        raise ValueError(f"return_type must be 'TVTensor' or 'Tensor', got {return_type}")
    if wanted and not _taught:  # all methods get slower by this, so not before somebody asks
        _teach(name for name in vars(Tensor) if name in _OPERATORS or not name.startswith("_"))
        _taught.append(True)
    before, _returned.subclass = _returned.subclass, wanted
    return _ReturnType(before)


def _teach(names: Any) -> None:
    """Lets methods of Tensor return the class of what they were called on."""
    for name in names:
        if not isinstance(vars(Tensor)[name], property) and name not in vars(TVTensor):
            setattr(TVTensor, name, _keeping(name))


def _keeping(name: str) -> Callable[..., Any]:
    def called(self: TVTensor, *args: Any, **kwargs: Any) -> Any:
        result = getattr(Tensor, name)(self, *args, **kwargs)
        return _like(result, self) if name in _KEEPING or _returned.subclass else result

    called.__name__ = name
    return called


def _like(result: Any, owner: TVTensor) -> Any:
    if isinstance(result, Tensor) and not isinstance(result, type(owner)):
        return wrap(result, like=owner)
    if type(result) in (tuple, list):
        return type(result)(_like(one, owner) for one in result)
    return result


_teach(_KEEPING)
