"""Hooks for all modules at once, for debuggers and profilers."""

from __future__ import annotations

from rushlight.base.hooks import RemovableHandle

from .hooks import MIXED, Hook, add_hook, everywhere


def register_module_forward_pre_hook(hook: Hook) -> RemovableHandle:
    """Calls ``hook(module, args)`` before the ``forward`` of every module.

    See :meth:`Module.register_forward_pre_hook`.
    """
    return add_hook(everywhere.forward_pre, hook)


def register_module_forward_hook(
    hook: Hook, *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """Calls ``hook(module, args, output)`` after the ``forward`` of every module.

    See :meth:`Module.register_forward_hook`.

    Example:
        >>> import rushlight as rl
        >>> from rushlight.nn.global_hooks import register_module_forward_hook
        >>> def tell(module, args, output):
        ...     print(type(module).__name__, tuple(output.shape))
        >>> with register_module_forward_hook(tell):
        ...     _ = rl.nn.Sequential(rl.nn.Identity())(rl.zeros(2, 3))
        Identity (2, 3)
        Sequential (2, 3)
    """
    options = (
        (everywhere.forward_with_kwargs, with_kwargs),
        (everywhere.forward_always, always_call),
    )
    return add_hook(everywhere.forward, hook, options=options)


def register_module_full_backward_pre_hook(hook: Hook) -> RemovableHandle:
    """Calls ``hook(module, grad_output)`` before gradients go through any module.

    See :meth:`Module.register_full_backward_pre_hook`.
    """
    return add_hook(everywhere.backward_pre, hook)


def register_module_full_backward_hook(hook: Hook) -> RemovableHandle:
    """Calls ``hook(module, grad_input, grad_output)`` after gradients went through any module.

    See :meth:`Module.register_full_backward_hook`.

    Raises:
        RuntimeError: there are global hooks of the older kind (``register_module_backward_hook``).
    """
    if everywhere.full_backward is False:
        raise RuntimeError(MIXED.format(where="as a global Module hook"))
    everywhere.full_backward = True
    return add_hook(everywhere.backward, hook)


def register_module_backward_hook(hook: Hook) -> RemovableHandle:
    """The older form of ``register_module_full_backward_hook``.

    See :meth:`Module.register_backward_hook`.

    Raises:
        RuntimeError: there are global full backward hooks.
    """
    if everywhere.full_backward is True:
        raise RuntimeError(MIXED.format(where="as a global Module hook"))
    everywhere.full_backward = False
    return add_hook(everywhere.backward, hook)


def register_module_parameter_registration_hook(hook: Hook) -> RemovableHandle:
    """Calls ``hook(module, name, parameter)`` whenever a module gets a parameter.

    What it returns, if not None, is registered instead.
    """
    return add_hook(everywhere.parameter_registration, hook)


def register_module_buffer_registration_hook(hook: Hook) -> RemovableHandle:
    """Calls ``hook(module, name, buffer)`` whenever a module gets a buffer.

    What it returns, if not None, is registered instead.
    """
    return add_hook(everywhere.buffer_registration, hook)


def register_module_module_registration_hook(hook: Hook) -> RemovableHandle:
    """Calls ``hook(module, name, child)`` whenever a module gets a child.

    What it returns, if not None, is registered instead.
    """
    return add_hook(everywhere.module_registration, hook)
