"""Where and of what type a module's tensors are made, as a module's constructor is told."""

from __future__ import annotations

from typing import Any

_NAMES = ("device", "dtype", "memory_format")


def factory_kwargs(kwargs: dict[str, Any] | None) -> dict[str, Any]:
    """The arguments for functions that make tensors, for a module that hands its own on.

    Args:
        kwargs: ``device``, ``dtype`` and ``memory_format``, some of them under ``factory_kwargs``.
    Raises:
        TypeError: something else is there, or one of them twice.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.factory_kwargs({"factory_kwargs": {"dtype": rl.float64}, "device": "cpu"})
        {'dtype': torch.float64, 'device': 'cpu'}
    """
    if kwargs is None:
        return {}
    unknown = kwargs.keys() - {*_NAMES, "factory_kwargs"}
    if unknown:
        raise TypeError(f"unexpected kwargs {unknown}")
    found = dict(kwargs.get("factory_kwargs", {}))
    for name in _NAMES:
        if name in kwargs:
            if name in found:
                raise TypeError(f"{name} specified twice, in **kwargs and in factory_kwargs")
            found[name] = kwargs[name]
    return found
