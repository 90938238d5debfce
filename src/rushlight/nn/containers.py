"""Modules that hold other modules: in a row, in a list, under names."""

from __future__ import annotations

import operator
import warnings
from collections import OrderedDict
from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from itertools import chain
from typing import Any, Self, overload

from .module import Module
from .show import show_list


def string_index(index: Any, size: int) -> str:
    """``index`` from either end as the name of an entry.

    Raises:
        IndexError: there is no such entry.
    """
    number = operator.index(index)
    if not -size <= number < size:
        raise IndexError(f"index {number} is out of range")
    return str(number % size)


def pairs(entries: Any, owner: str) -> Iterator[tuple[Any, Any]]:
    """The items of an iterable of pairs; messages are about an update of ``owner``."""
    for position, entry in enumerate(entries):
        element = f"{owner} update sequence element #{position}"
        if not isinstance(entry, Iterable):
            raise TypeError(f"{element} should be Iterable; is{type(entry).__name__}")
        pair = tuple(entry)
        if len(pair) != 2:
            raise ValueError(f"{element} has length {len(pair)}; 2 is required")
        yield pair


class _Numbered(Module):
    """Children whose names are numbers, which do not show as attributes."""

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._modules.values())

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if not name.isdigit()]

    def _name_at(self, index: Any) -> str:
        """The name of the child at ``index``, which need not be its number."""
        return list(self._modules)[int(string_index(index, len(self)))]

    def __setitem__(self, idx: int, module: Module) -> None:
        setattr(self, self._name_at(idx), module)

    def __delitem__(self, idx: int | slice) -> None:
        names = list(self._modules)[idx] if isinstance(idx, slice) else [self._name_at(idx)]
        for name in names:
            delattr(self, name)
        self._renumber(list(self._modules.values()))

    def _renumber(self, modules: list[Module]) -> None:
        self._modules = OrderedDict((str(i), module) for i, module in enumerate(modules))

    def append(self, module: Module) -> Self:
        """Adds a module at the end."""
        self.add_module(str(len(self)), module)
        return self

    def pop(self, key: int | slice) -> Any:
        """Takes out the module at ``key``, or those in a slice, and returns it.

        Raises:
            IndexError: there is no such module.
        """
        found = self[key]
        del self[key]
        return found

    def insert(self, index: int, module: Module) -> Any:
        """Puts a module before the one at ``index``.

        Raises:
            IndexError: ``index`` is beyond the end.
        """
        size = len(self)
        if not -size <= index <= size:
            raise IndexError(f"Index out of range: {index}")
        if index == size:
            self.append(module)
            return
        modules = list(self._modules.values())
        modules.insert(index, module)
        self._renumber(modules)


class Sequential(_Numbered):
    """Calls its modules one after the other, each with the output of the one before.

    Args:
        args: the modules, or a single OrderedDict of modules by name.

    Example:
        >>> import rushlight as rl
        >>> net = rl.nn.Sequential(rl.nn.Linear(4, 3), rl.nn.ReLU())
        >>> net(rl.zeros(2, 4)).shape
        torch.Size([2, 3])
    """

    @overload
    def __init__(self, *args: Module) -> None: ...

    @overload
    def __init__(self, arg: OrderedDict[str, Module]) -> None: ...

    def __init__(self, *args: Any) -> None:
        super().__init__()
        if len(args) == 1 and isinstance(args[0], OrderedDict):
            named = args[0].items()
        else:
            named = ((str(i), module) for i, module in enumerate(args))
        for name, module in named:
            self.add_module(name, module)

    def forward(self, input: Any) -> Any:
        for module in self:
            input = module(input)
        return input

    def __getitem__(self, idx: int | slice) -> Any:
        if isinstance(idx, slice):
            return type(self)(OrderedDict(list(self._modules.items())[idx]))
        return self._modules[self._name_at(idx)]

    def __add__(self, other: Sequential) -> Sequential:
        _refuse_other_than_sequential(other)
        return Sequential(*self, *other)

    def __iadd__(self, other: Sequential) -> Self:
        _refuse_other_than_sequential(other)
        return self.extend(other)

    def __mul__(self, other: int) -> Sequential:
        _check_factor(self, other)
        return Sequential(*list(self) * other)

    def __rmul__(self, other: int) -> Sequential:
        return self * other

    def __imul__(self, other: int) -> Self:
        _check_factor(self, other)
        return self.extend(list(self) * (other - 1))

    def insert(self, index: int, module: Module) -> Self:
        """Puts a module before the one at ``index``.

        Raises:
            AssertionError: ``module`` is not a Module.
            IndexError: ``index`` is beyond the end.
        """
        if not isinstance(module, Module):
            raise AssertionError(f"module should be of type: {Module}")
        super().insert(index, module)
        return self

    def extend(self, sequential: Iterable[Module]) -> Self:
        """Adds the modules of another Sequential, or of any iterable, at the end."""
        for module in list(sequential):
            self.append(module)
        return self


def _refuse_other_than_sequential(other: Any) -> None:
    if not isinstance(other, Sequential):
        raise ValueError(
            f"add operator supports only objects of Sequential class, but {type(other)} is given."
        )


def _check_factor(module: Sequential, factor: Any) -> None:
    if not isinstance(factor, int):
        raise TypeError(f"unsupported operand type(s) for *: {type(module)} and {type(factor)}")
    if factor <= 0:
        raise ValueError(f"Non-positive multiplication factor {factor} for {type(module)}")


class ModuleList(_Numbered):
    """A list of modules, for a ``forward`` that loops over them itself.

    Args:
        modules: what it holds at first.

    Example:
        >>> import rushlight as rl
        >>> rl.nn.ModuleList(rl.nn.Linear(2, 2) for _ in range(3))
        ModuleList(
          (0-2): 3 x Linear(in_features=2, out_features=2, bias=True)
        )
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.extend(modules)

    def __getitem__(self, idx: int | slice) -> Any:
        if isinstance(idx, slice):
            return type(self)(list(self._modules.values())[idx])
        return self._modules[string_index(idx, len(self))]

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return ModuleList(chain(self, other))

    def __iadd__(self, modules: Iterable[Module]) -> Self:
        return self.extend(modules)

    def __repr__(self) -> str:
        return show_list(self._get_name(), [repr(module) for module in self])

    def extend(self, modules: Iterable[Module]) -> Self:
        """Adds modules at the end.

        Raises:
            TypeError: ``modules`` is not iterable.
        """
        if not isinstance(modules, Iterable):
            raise TypeError(
                "ModuleList.extend should be called with an iterable, but got "
                + type(modules).__name__
            )
        for module in list(modules):
            self.append(module)
        return self


class ModuleDict(Module):
    """Modules by name, in the order they were added.

    Args:
        modules: a mapping, or an iterable of pairs.

    Example:
        >>> import rushlight as rl
        >>> choices = rl.nn.ModuleDict({"relu": rl.nn.ReLU(), "tanh": rl.nn.Tanh()})
        >>> choices["tanh"](rl.tensor(0.0))
        tensor(0.)
    """

    def __init__(
        self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] | None = None
    ) -> None:
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __getitem__(self, key: str) -> Any:
        return self._modules[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        del self._modules[key]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: str) -> bool:
        return key in self._modules

    def clear(self) -> None:
        """Takes out all modules."""
        self._modules.clear()

    def pop(self, key: str) -> Any:
        """Takes out the module called ``key`` and returns it.

        Raises:
            KeyError: there is none.
        """
        return self._modules.pop(key)

    def keys(self) -> KeysView[str]:
        """The names."""
        return self._modules.keys()

    def items(self) -> ItemsView[str, Any]:
        """Names and modules."""
        return self._modules.items()

    def values(self) -> ValuesView[Any]:
        """The modules."""
        return self._modules.values()

    def update(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]]) -> None:
        """Adds modules, in place of those of the same name.

        Raises:
            TypeError: ``modules`` is no mapping and no iterable of pairs.
            ValueError: an element of the iterable is not a pair.
        """
        if not isinstance(modules, Iterable):
            raise TypeError(
                "ModuleDict.update should be called with an iterable of key/value pairs, but got "
                + type(modules).__name__
            )
        keyed = isinstance(modules, (ModuleDict, Mapping))
        for key, module in modules.items() if keyed else pairs(modules, "ModuleDict"):
            self[key] = module


class Container(Module):
    """Children under names: what :class:`ModuleDict` was once."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__()
        warnings.warn(
            "`nn.Container` is deprecated. All of its functionality is now implemented in"
            " `nn.Module`. Subclass that instead.",
            FutureWarning,
            stacklevel=2,
        )
        for name, module in kwargs.items():
            self.add_module(name, module)
