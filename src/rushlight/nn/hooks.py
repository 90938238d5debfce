"""Registering functions that run before and after a module's forward and backward."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

from rushlight.base.hooks import RemovableHandle

from .registry import HookTable, marking

Hook = Callable[..., Any]

MIXED = (
    "Cannot use both regular backward hooks and full backward hooks {where}. Please use only one"
    " of them."
)


class GlobalHooks:
    """The hooks of all modules, which run before the module's own."""

    def __init__(self) -> None:
        self.mark: list[bool] = []
        self.forward_pre = marking(self.mark)
        self.forward = marking(self.mark)
        self.forward_with_kwargs: OrderedDict[int, bool] = OrderedDict()
        self.forward_always: OrderedDict[int, bool] = OrderedDict()
        self.backward_pre = marking(self.mark)
        self.backward = marking(self.mark)
        self.full_backward: bool | None = None
        self.call_tables = (self.forward_pre, self.forward, self.backward_pre, self.backward)
        self.parameter_registration: OrderedDict[int, Hook] = OrderedDict()
        self.buffer_registration: OrderedDict[int, Hook] = OrderedDict()
        self.module_registration: OrderedDict[int, Hook] = OrderedDict()


everywhere = GlobalHooks()


def registered(hooks: OrderedDict[int, Hook], module: Any, name: str, value: Any) -> Any:
    """``value``, or what the registration hooks put in its place."""
    for hook in hooks.values():
        replacement = hook(module, name, value)
        value = value if replacement is None else replacement
    return value


class ModuleHooks:
    """The part of Module that hooks are registered with."""

    _forward_pre_hooks: HookTable
    _forward_pre_hooks_with_kwargs: OrderedDict[int, bool]
    _forward_hooks: HookTable
    _forward_hooks_with_kwargs: OrderedDict[int, bool]
    _forward_hooks_always_called: OrderedDict[int, bool]
    _backward_pre_hooks: HookTable
    _backward_hooks: HookTable
    _is_full_backward_hook: bool | None
    _hooked: list[bool]

    def register_forward_pre_hook(
        self, hook: Hook, *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Calls ``hook(module, args)`` before ``forward``.

        What it returns, if not None, takes the place of the arguments (put in a tuple unless it
        is one).

        Args:
            prepend: whether it runs before the module's other hooks, and not after them.
            with_kwargs: whether it is ``hook(module, args, kwargs)``, which returns None or both.

        Returns:
            A handle whose ``remove()`` takes the hook away.
        """
        options = ((self._forward_pre_hooks_with_kwargs, with_kwargs),)
        return add_hook(self._forward_pre_hooks, hook, prepend, options)

    def register_forward_hook(
        self,
        hook: Hook,
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> RemovableHandle:
        """Calls ``hook(module, args, output)`` after ``forward``.

        What it returns, if not None, takes the place of the output.

        Args:
            prepend: whether it runs before the module's other hooks, and not after them.
            with_kwargs: whether it is ``hook(module, args, kwargs, output)``.
            always_call: whether it also runs when ``forward`` or another hook has raised.

        Returns:
            A handle whose ``remove()`` takes the hook away.

        Example:
            >>> import rushlight as rl
            >>> layer = rl.nn.Identity()
            >>> handle = layer.register_forward_hook(lambda module, args, output: output * 2)
            >>> layer(rl.tensor(3.0))
            tensor(6.)
        """
        options = (
            (self._forward_hooks_with_kwargs, with_kwargs),
            (self._forward_hooks_always_called, always_call),
        )
        return add_hook(self._forward_hooks, hook, prepend, options)

    def register_full_backward_pre_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Calls ``hook(module, grad_output)`` before gradients go through the module.

        ``grad_output`` is a tuple with the gradient of each output. What the hook returns, if not
        None, is used in its place.

        Returns:
            A handle whose ``remove()`` takes the hook away.
        """
        return add_hook(self._backward_pre_hooks, hook, prepend)

    def register_full_backward_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Calls ``hook(module, grad_input, grad_output)`` when the inputs' gradients are there.

        Both are tuples, with None for what is no tensor. What the hook returns, if not None, is
        used in place of ``grad_input``.

        Returns:
            A handle whose ``remove()`` takes the hook away.

        Raises:
            RuntimeError: the module has hooks of the older kind (``register_backward_hook``).
        """
        if self._is_full_backward_hook is False:
            raise RuntimeError(MIXED.format(where="on a single Module"))
        self._is_full_backward_hook = True
        return add_hook(self._backward_hooks, hook, prepend)

    def register_backward_hook(self, hook: Hook) -> RemovableHandle:
        """The older form of ``register_full_backward_hook``.

        ``grad_input`` has the gradients of the module's inputs, as for a full hook. PyTorch gives
        those of the inputs of whatever operation came last in ``forward``.

        Returns:
            A handle whose ``remove()`` takes the hook away.

        Raises:
            RuntimeError: the module has full backward hooks.
        """
        if self._is_full_backward_hook is True:
            raise RuntimeError(MIXED.format(where="on a single Module"))
        self._is_full_backward_hook = False
        return add_hook(self._backward_hooks, hook)

    def _has_hooks(self) -> bool:
        """Whether a call has hooks to run; marks that were set by hooks long gone are cleared."""
        tables = (
            self._forward_pre_hooks, self._forward_hooks, self._backward_pre_hooks,
            self._backward_hooks,
        )  # fmt: skip
        if any(tables):
            return True
        self._hooked.clear()
        if any(everywhere.call_tables):
            return True
        everywhere.mark.clear()
        return False


def add_hook(
    table: OrderedDict[int, Hook],
    hook: Hook,
    prepend: bool = False,
    options: Sequence[tuple[OrderedDict[int, bool], bool]] = (),
) -> RemovableHandle:
    """Puts a hook in its table, and its number in the tables of those options that are on."""
    handle = RemovableHandle(table, extra_dict=[numbers for numbers, _ in options])
    table[handle.id] = hook
    for numbers, wanted in options:
        if wanted:
            numbers[handle.id] = True
    if prepend:
        table.move_to_end(handle.id, last=False)
    return handle
