"""One call of a module that has hooks."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .boundary import Boundary
from .hooks import Hook, everywhere

if TYPE_CHECKING:
    from .module import Module


class HookedCall:
    """Runs ``forward`` between its hooks; those of all modules come before the module's own."""

    def __init__(self, module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.module = module
        self.args = args
        self.kwargs = kwargs
        self.result: Any = None
        self.called: set[int] = set()

    def run(self) -> Any:
        """The output, after all hooks have seen it.

        When something raises, the hooks that are always called still are.
        """
        try:
            self._before()
            boundary = Boundary.of(self.module)
            if boundary is not None:
                self.args = boundary.enter(self.args)
            self.result = self.module.forward(*self.args, **self.kwargs)
            self._after()
            return self.result if boundary is None else boundary.leave(self.result)
        except Exception:
            self._after_error()
            raise

    def _before(self) -> None:
        module = self.module
        for hook in list(everywhere.forward_pre.values()):
            self._replace_args(hook(module, self.args))
        for number, hook in list(module._forward_pre_hooks.items()):
            if number in module._forward_pre_hooks_with_kwargs:
                self._replace_args_and_kwargs(hook(module, self.args, self.kwargs))
            else:
                self._replace_args(hook(module, self.args))

    def _replace_args(self, returned: Any) -> None:
        if returned is not None:
            self.args = returned if isinstance(returned, tuple) else (returned,)

    def _replace_args_and_kwargs(self, returned: Any) -> None:
        if returned is None:
            return
        if not isinstance(returned, tuple) or len(returned) != 2:
            raise RuntimeError(
                "forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got"
                f" {returned}."
            )
        self.args, self.kwargs = returned

    def _after(self) -> None:
        for number, hook, with_kwargs, _ in self._forward_hooks():
            self.called.add(number)
            self._call_forward_hook(hook, with_kwargs)

    def _after_error(self) -> None:
        for number, hook, with_kwargs, always in self._forward_hooks():
            if not always or number in self.called:
                continue
            try:
                self._call_forward_hook(hook, with_kwargs)
            except Exception as error:
                scope = "global module" if number in everywhere.forward else "module"
                warnings.warn(
                    f"{scope} forward hook with ``always_call=True`` raised an exception that was"
                    f" silenced as another error was raised in forward: {error}",
                    stacklevel=2,
                )

    def _call_forward_hook(self, hook: Hook, with_kwargs: bool) -> None:
        kwargs = (self.kwargs,) if with_kwargs else ()
        returned = hook(self.module, self.args, *kwargs, self.result)
        if returned is not None:
            self.result = returned

    def _forward_hooks(self) -> Iterator[tuple[int, Hook, bool, bool]]:
        """Number, hook, and whether it takes the keywords and is always called."""
        module = self.module
        for number, hook in list(everywhere.forward.items()):
            with_kwargs = number in everywhere.forward_with_kwargs
            yield number, hook, with_kwargs, number in everywhere.forward_always
        for number, hook in list(module._forward_hooks.items()):
            with_kwargs = number in module._forward_hooks_with_kwargs
            yield number, hook, with_kwargs, number in module._forward_hooks_always_called
