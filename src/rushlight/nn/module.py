"""Module: a named tree of parameters, and the function they belong to."""

from __future__ import annotations

import inspect
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from rushlight.base.errors import Fault
from rushlight.tensor.tensor import Tensor

from .call import HookedCall
from .convert import ModuleConversions
from .hooks import ModuleHooks, everywhere, registered
from .parameter import Buffer, Parameter
from .registry import ABSENT, Registry, marking
from .show import name_layer, show_module, typename
from .state import ModuleState
from .tree import ModuleTree

_REGISTRIES = ("_parameters", "_buffers", "_modules")
_HOOK_TABLES = ("_forward_pre_hooks", "_forward_hooks", "_backward_pre_hooks", "_backward_hooks")
_PLAIN_TABLES = (
    "_forward_pre_hooks_with_kwargs", "_forward_hooks_with_kwargs", "_forward_hooks_always_called",
    "_state_dict_hooks", "_state_dict_pre_hooks", "_load_state_dict_pre_hooks",
    "_load_state_dict_post_hooks",
)  # fmt: skip
_WATCHED = frozenset((*_REGISTRIES, *_HOOK_TABLES, "__dict__"))


def _forward_unimplemented(self: Module, *input: Any) -> None:
    raise NotImplementedError(
        f'Module [{type(self).__name__}] is missing the required "forward" function'
    )


class Module(ModuleTree, ModuleState, ModuleConversions, ModuleHooks):
    """The base of all layers and networks.

    A subclass calls ``super().__init__()``, assigns parameters and other modules to attributes, and
    defines ``forward``. What is assigned is found again by ``parameters()``, ``state_dict()`` and
    ``to()``.

    Example:
        >>> import rushlight as rl
        >>> class Net(rl.nn.Module):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.hidden = rl.nn.Linear(4, 8)
        ...         self.out = rl.nn.Linear(8, 1)
        ...     def forward(self, x):
        ...         return self.out(self.hidden(x).relu())
        >>> Net()(rl.zeros(2, 4)).shape
        torch.Size([2, 1])
    """

    call_super_init: bool = False
    forward: Callable[..., Any] = _forward_unimplemented

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if not self.call_super_init:
            _refuse_arguments(self, args, kwargs)
        self._lay_out({"training": True})
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._hooked or everywhere.mark:
            return self._call_impl(*args, **kwargs)
        try:
            return self.forward(*args, **kwargs)
        except Fault as fault:
            name_layer(self, fault)
            raise

    def _call_impl(self, *args: Any, **kwargs: Any) -> Any:
        """Calls ``forward`` with all hooks around it."""
        try:
            if self._has_hooks():
                return HookedCall(self, args, kwargs).run()
            return self.forward(*args, **kwargs)
        except Fault as fault:
            name_layer(self, fault)
            raise

    # Laying out the instance.

    def _lay_out(self, state: dict[str, Any]) -> None:
        """Fills the instance with ``state``, and with empty tables for what it lacks."""
        attributes = self.__dict__
        for name in _REGISTRIES:
            self._adopt(name, state.get(name, {}))
        attributes.update((key, state[key]) for key in state if key not in _REGISTRIES)
        mark = attributes.setdefault("_hooked", [])
        for name in _HOOK_TABLES:
            attributes[name] = marking(mark, state.get(name))
        for name in _PLAIN_TABLES:
            attributes[name] = state[name] if name in state else OrderedDict()
        attributes["_non_persistent_buffers_set"] = state.get("_non_persistent_buffers_set", set())
        attributes["_is_full_backward_hook"] = state.get("_is_full_backward_hook")

    def _adopt(self, name: str, entries: dict[str, Any]) -> None:
        """Makes ``entries`` the registry called ``name``, and its values attributes."""
        before = self.__dict__.get(name)
        if isinstance(before, Registry):
            before.leave(self)
        registry = entries if isinstance(entries, Registry) else Registry(entries)
        self.__dict__[name] = registry
        registry.join(self)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__.copy()

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Pickles and copies without the attributes that registries show.

        They must not reach a subclass's own ``__setstate__``, which would make them attributes
        that no registry knows.
        """
        reduced = super().__reduce_ex__(protocol)
        if len(reduced) < 3 or not isinstance(reduced[2], dict):
            return reduced
        return (*reduced[:2], self._without_shown(reduced[2]), *reduced[3:])

    def _plain_state(self) -> dict[str, Any]:
        """What the instance holds, each parameter, buffer and child once."""
        return self._without_shown(self.__dict__)

    @staticmethod
    def _without_shown(state: dict[str, Any]) -> dict[str, Any]:
        """A copy of an instance's dictionary without the attributes that registries show."""
        state = state.copy()
        for table in _REGISTRIES:
            for name, value in state.get(table, {}).items():
                if state.get(name, ABSENT) is value:
                    del state[name]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._lay_out({**self.__dict__, **state})

    # Attributes.

    def __getattr__(self, name: str) -> Any:
        # Reached only by names that are no ordinary attributes, so nearly always to say so.
        attributes = self.__dict__
        for table in _REGISTRIES:
            entries = attributes.get(table, {})
            if name in entries:
                return entries[name]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __setattr__(self, name: str, value: Any) -> None:
        attributes = self.__dict__
        if name in _WATCHED:
            self._set_table(name, value)
        elif isinstance(value, Parameter):
            if "_parameters" not in attributes:
                raise AttributeError("cannot assign parameters before Module.__init__() call")
            self._forget(name, "_buffers", "_modules")
            self.register_parameter(name, value)
        elif name in attributes.get("_parameters", ()):
            if value is not None:
                raise _cannot_assign(name, value, "parameter", "torch.nn.Parameter or None")
            self.register_parameter(name, value)
        elif isinstance(value, Module):
            if "_modules" not in attributes:
                raise AttributeError("cannot assign module before Module.__init__() call")
            self._forget(name, "_buffers", "_parameters")
            self._set_module(name, value)
        elif name in attributes.get("_modules", ()):
            if value is not None:
                raise _cannot_assign(name, value, "child module", "torch.nn.Module or None")
            self._set_module(name, value)
        elif isinstance(value, Buffer) or name in attributes.get("_buffers", ()):
            self._set_buffer(name, value)
        else:
            super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        for table in _REGISTRIES:
            entries = getattr(self, table)
            if name in entries:
                del entries[name]
                if table == "_buffers":
                    self._non_persistent_buffers_set.discard(name)
                return
        super().__delattr__(name)

    def _forget(self, name: str, *tables: str) -> None:
        """Drops what ``name`` has meant until now, in the instance and in ``tables``."""
        self.__dict__.pop(name, None)
        for table in tables:
            getattr(self, table).pop(name, None)
        self._non_persistent_buffers_set.discard(name)

    def _set_table(self, name: str, entries: Any) -> None:
        """Replaces one of the module's own tables, or all of them by assigning ``__dict__``."""
        if name in _REGISTRIES:
            self._adopt(name, entries)
        elif name in _HOOK_TABLES:
            self.__dict__[name] = marking(self.__dict__.setdefault("_hooked", []), entries)
        else:
            for table in _REGISTRIES:
                self._adopt(table, {})
            super().__setattr__("__dict__", entries)
            self._lay_out(entries)

    def _set_module(self, name: str, module: Module | None) -> None:
        module = registered(everywhere.module_registration, self, name, module)
        self._modules[name] = module

    def _set_buffer(self, name: str, value: Any) -> None:
        if value is not None and not isinstance(value, Tensor):
            raise _cannot_assign(name, value, "buffer", "torch.nn.Buffer, torch.Tensor or None")
        if isinstance(value, Buffer):
            persistent = value.persistent
        else:
            persistent = name not in self._non_persistent_buffers_set
        if "persistent" in inspect.signature(self.register_buffer).parameters:
            self.register_buffer(name, value, persistent)
        elif persistent:
            self.register_buffer(name, value)
        else:
            raise RuntimeError(
                "Registering a non-persistent buffer on a Module subclass that implements"
                " register_buffer() without the persistent argument is not allowed."
            )

    # Registering by name.

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Adds a parameter; the same as assigning it, for a name that is computed.

        Raises:
            AttributeError: ``Module.__init__`` has not run yet.
            KeyError: the name is empty, has a dot in it, or is another attribute's.
            TypeError: the name is not a string, or ``param`` is not a Parameter and not None.
            ValueError: ``param`` was computed from other tensors.
        """
        if "_parameters" not in self.__dict__:
            raise AttributeError("cannot assign parameter before Module.__init__() call")
        _check_name(self, "parameter", name, self._parameters)
        if param is not None:
            if not isinstance(param, Parameter):
                raise TypeError(
                    f"cannot assign '{typename(param)}' object to parameter '{name}'"
                    " (torch.nn.Parameter or None required)"
                )
            if param.grad_fn is not None:
                raise ValueError(
                    f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be"
                    f" created explicitly. To express '{name}' as a function of another Tensor,"
                    " compute the value in the forward() method."
                )
            param = registered(everywhere.parameter_registration, self, name, param)
        self._parameters[name] = param

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Adds a tensor that belongs to the module's state and is not trained.

        Args:
            persistent: whether ``state_dict`` has it.

        Raises:
            AttributeError: ``Module.__init__`` has not run yet.
            KeyError: the name is empty, has a dot in it, or is another attribute's.
            TypeError: the name is not a string, or ``tensor`` is not a Tensor and not None.
        """
        if "_buffers" not in self.__dict__:
            raise AttributeError("cannot assign buffer before Module.__init__() call")
        _check_name(self, "buffer", name, self._buffers)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"cannot assign '{typename(tensor)}' object to buffer '{name}'"
                " (torch Tensor or None required)"
            )
        self._buffers[name] = registered(everywhere.buffer_registration, self, name, tensor)
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Adds a child; the same as assigning it, for a name that is computed.

        Raises:
            KeyError: the name is empty, has a dot in it, or is another attribute's.
            TypeError: the name is not a string, or ``module`` is not a Module and not None.
        """
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"{typename(module)} is not a Module subclass")
        _check_name(self, "module", name, self._modules)
        self._set_module(name, module)

    def register_module(self, name: str, module: Module | None) -> None:
        """Another name of ``add_module``."""
        self.add_module(name, module)

    # Showing.

    def _get_name(self) -> str:
        return type(self).__name__

    def extra_repr(self) -> str:
        """What stands between the parentheses beside the children; for a subclass to define."""
        return ""

    def __repr__(self) -> str:
        children = {name: repr(module) for name, module in self._modules.items()}
        return show_module(self._get_name(), self.extra_repr(), children)

    def __dir__(self) -> list[str]:
        names = {*dir(type(self)), *self.__dict__, *self._parameters, *self._buffers}
        return sorted(name for name in {*names, *self._modules} if not name[0].isdigit())


def _refuse_arguments(module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    where = f"{type(module).__name__}.__init__()"
    if kwargs:
        raise TypeError(f"{where} got an unexpected keyword argument '{next(iter(kwargs))}'")
    if args:
        raise TypeError(f"{where} takes 1 positional argument but {len(args) + 1} were given")


def _check_name(module: Module, kind: str, name: Any, entries: dict[str, Any]) -> None:
    """Refuses names that a state dictionary could not hold, and names of other attributes."""
    if not isinstance(name, str):
        raise TypeError(f"{kind} name should be a string. Got {typename(name)}")
    if "." in name:
        found = f", got: {name}" if kind == "module" else ""
        raise KeyError(f'{kind} name can\'t contain "."{found}')
    if name == "":
        raise KeyError(f'{kind} name can\'t be empty string ""')
    if name not in entries and hasattr(module, name):
        raise KeyError(f"attribute '{name}' already exists")


def _cannot_assign(name: str, value: Any, kind: str, expected: str) -> TypeError:
    return TypeError(f"cannot assign '{typename(value)}' as {kind} '{name}' ({expected} expected)")
