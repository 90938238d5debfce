"""Optimizer: parameters in groups with their options, what is remembered of each, and hooks."""

from __future__ import annotations

import functools
import warnings
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from rushlight.base.errors import ArgTypeError, ArgValueError, OperationError
from rushlight.base.hooks import RemovableHandle
from rushlight.doctor.examination import Examination, examine
from rushlight.execute import realize
from rushlight.nn.parameter import Parameter, is_lazy
from rushlight.optim.memory import value_node
from rushlight.optim.state import Group, State, StateDict, pack, unpack
from rushlight.tensor.tensor import Tensor

Params = Iterable[Tensor] | Iterable[dict[str, Any]] | Iterable[tuple[str, Tensor]]
Result = TypeVar("Result")
Hook = Callable[..., Any]

_before_every_step: OrderedDict[int, Hook] = OrderedDict()
_after_every_step: OrderedDict[int, Hook] = OrderedDict()


class Required:
    """Stands for the default of an option that every group has to give."""

    def __repr__(self) -> str:
        return "<required parameter>"


required = Required()


def register_optimizer_step_pre_hook(hook: Hook) -> RemovableHandle:
    """Calls ``hook(optimizer, args, kwargs)`` before each step of every optimizer."""
    return _register(_before_every_step, hook)


def register_optimizer_step_post_hook(hook: Hook) -> RemovableHandle:
    """Calls ``hook(optimizer, args, kwargs)`` after each step of every optimizer."""
    return _register(_after_every_step, hook)


class Optimizer:
    """Base class of the optimizers.

    A subclass calls this constructor and gives :meth:`step`. Hooks need no care: they are called
    around the ``step`` of whichever class the object has.

    Args:
        params: tensors, ``(name, tensor)`` pairs, or groups: dictionaries with such an iterable
            under ``"params"`` and options that differ from the defaults. The order must be the
            same in every run, so no sets.
        defaults: the options of a group that does not give its own.
    Attributes:
        param_groups: the groups, each a dictionary with a list under ``"params"``.
        state: what is remembered of each parameter, a dictionary by parameter.
        defaults: as given.
    Raises:
        TypeError: ``params`` is one Tensor, a group's are a set, or one of them is no Tensor.
        ValueError: no parameter, a result of an operation among them, a parameter in two groups,
            or names for some of them only.
    Example:
        >>> import rushlight as rl
        >>> class Descent(rl.optim.Optimizer):
        ...     def __init__(self, params, lr):
        ...         super().__init__(params, {"lr": lr})
        ...     @rl.no_grad()
        ...     def step(self):
        ...         for group in self.param_groups:
        ...             for p in group["params"]:
        ...                 p -= group["lr"] * p.grad
        >>> weight = rl.nn.Parameter(rl.tensor([1.0, -2.0]))
        >>> (weight**2).sum().backward()
        >>> Descent([weight], lr=0.25).step()
        >>> weight.tolist()
        [0.5, -1.0]
    """

    # Set at every step; a schedule looks whether steps come in the right order.
    _opt_called: bool = False
    # Of its first steps; None when there is no more to see.
    _examination: Examination | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "step" in cls.__dict__:
            cls.step = _with_hooks(cls.__dict__["step"])  # type: ignore[method-assign]

    def __init__(self, params: Params, defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self._make_hook_tables()
        if isinstance(params, Tensor):
            raise ArgTypeError(
                type(self).__name__,
                "params argument given to the optimizer should be an iterable of Tensors or dicts, "
                f"but got {params.type()}",
                hint="Give a list: [weight].",
            )
        self.state: State = defaultdict(dict)
        self.param_groups: list[Group] = []
        groups: list[Any] = list(params)
        if not groups:
            raise ArgValueError(
                type(self).__name__,
                "optimizer got an empty parameter list",
                hint="A generator such as model.parameters() can be read only once.",
            )
        for group in groups if isinstance(groups[0], dict) else [{"params": groups}]:
            self.add_param_group(group)

    def _make_hook_tables(self) -> None:
        self._optimizer_step_pre_hooks: OrderedDict[int, Hook] = OrderedDict()
        self._optimizer_step_post_hooks: OrderedDict[int, Hook] = OrderedDict()
        self._optimizer_state_dict_pre_hooks: OrderedDict[int, Hook] = OrderedDict()
        self._optimizer_state_dict_post_hooks: OrderedDict[int, Hook] = OrderedDict()
        self._optimizer_load_state_dict_pre_hooks: OrderedDict[int, Hook] = OrderedDict()
        self._optimizer_load_state_dict_post_hooks: OrderedDict[int, Hook] = OrderedDict()

    def __getstate__(self) -> dict[str, Any]:
        return {
            "defaults": self.defaults,
            "state": self.state,
            "param_groups": self.param_groups,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if "_optimizer_step_pre_hooks" not in self.__dict__:  # hooks do not travel
            self._make_hook_tables()
        self.defaults.setdefault("differentiable", False)

    def __repr__(self) -> str:
        text = f"{type(self).__name__} ("
        for index, group in enumerate(self.param_groups):
            text += f"\nParameter Group {index}\n"
            for key in sorted(group):
                if key != "params":
                    text += f"    {key}: {group[key]}\n"
        return text + ")"

    # Parameters ------------------------------------------------------------------------------

    def add_param_group(self, param_group: Group) -> None:
        """Adds parameters with options of their own, such as a layer that is no longer frozen.

        Args:
            param_group: tensors or ``(name, tensor)`` pairs under ``"params"``, and options.
        """
        if not isinstance(param_group, dict):
            raise ArgTypeError(
                type(self).__name__, f"param_group must be a dict, but got {type(param_group)}"
            )
        self._name_params(param_group)
        for param in param_group["params"]:
            self._check_param(param)
        for name, default in self.defaults.items():
            if default is required and name not in param_group:
                raise ArgValueError(
                    type(self).__name__,
                    "parameter group didn't specify a value of required optimization parameter "
                    f"{name}",
                )
            param_group.setdefault(name, default)
        self._check_disjoint(param_group)
        self.param_groups.append(param_group)
        self._examination = examine(type(self).__name__, param_group["params"], Parameter)
        # Their first values, by a program of their own: it would be part of the first step's, and
        # all steps after that would be another program.
        realize([value_node(param) for param in param_group["params"] if not is_lazy(param)])

    def _name_params(self, group: Group) -> None:
        """Makes a list of ``group["params"]`` and puts the names, if given, beside it."""
        params = group["params"]
        if isinstance(params, set):
            raise ArgTypeError(
                type(self).__name__,
                "optimizer parameters need to be organized in ordered collections, but the "
                "ordering of tensors in sets will change between runs. Please use a list instead.",
            )
        listed: list[Any] = [params] if isinstance(params, Tensor) else list(params)
        names = [item[0] for item in listed if isinstance(item, tuple)]
        group["params"] = [item[1] if isinstance(item, tuple) else item for item in listed]
        if names and len(names) != len(listed):
            raise ArgValueError(
                type(self).__name__,
                "all optimizer params should be with/without names. Some param names are missing",
            )
        if names:
            group["param_names"] = names

    def _check_param(self, param: object) -> None:
        if not isinstance(param, Tensor):
            raise ArgTypeError(
                type(self).__name__,
                "optimizer can only optimize Tensors, "
                f"but one of the params is {_type_name(param)}",
            )
        if not (self.defaults.get("differentiable") or param.is_leaf or param.retains_grad):
            raise ArgValueError(
                type(self).__name__,
                "can't optimize a non-leaf Tensor",
                rule="A parameter is not the result of an operation.",
                hint="Did you mean tensor.detach().requires_grad_()?",
            )

    def _check_disjoint(self, new: Group) -> None:
        ids = {id(param) for param in new["params"]}
        if len(ids) != len(new["params"]):
            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters; "
                "in future, this will cause an error",
                stacklevel=4,
            )
        for group in self.param_groups:
            if ("param_names" in new) != ("param_names" in group):
                how = "with names" if "param_names" in new else "without names"
                raise ArgValueError(
                    type(self).__name__,
                    "all optimizer param groups should be with/without names. "
                    f"cannot add param group {how} to the optimizer",
                )
            if any(id(param) in ids for param in group["params"]):
                raise ArgValueError(
                    type(self).__name__, "some parameters appear in more than one parameter group"
                )

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forgets the gradients of all parameters.

        Args:
            set_to_none: ``False`` writes zeros instead; then a parameter that the next
                ``backward`` does not reach is stepped with a gradient of zero.
        """
        for group in self.param_groups:
            for param in group["params"]:
                if set_to_none:
                    param._grad = None
                elif param.grad is not None:
                    param.grad.detach_().zero_()

    # Steps -----------------------------------------------------------------------------------

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Changes the parameters by their gradients.

        Args:
            closure: computes the loss anew and returns it; called with gradients enabled.
        Returns:
            The closure's result, or None without one.
        """
        raise NotImplementedError

    def _examine(self, closure: bool) -> None:
        assert self._examination is not None
        params = [param for group in self.param_groups for param in group["params"]]
        if not self._examination.step(params, closure):
            self._examination = None

    def register_step_pre_hook(self, hook: Hook) -> RemovableHandle:
        """Calls ``hook(optimizer, args, kwargs)`` before each step.

        It may return a pair of new ``args`` (which begin with the optimizer) and ``kwargs``.
        """
        return _register(self._optimizer_step_pre_hooks, hook)

    def register_step_post_hook(self, hook: Hook) -> RemovableHandle:
        """Calls ``hook(optimizer, args, kwargs)`` after each step."""
        return _register(self._optimizer_step_post_hooks, hook)

    def _watch_step(self) -> None:
        """A schedule is attached: from now on note steps, and whether ``step`` is replaced."""
        if "_watched_step" not in self.__dict__:
            self._watched_step = self.__dict__.get("step")
            self._opt_called = False

    def _step_was_replaced(self) -> bool:
        """Whether somebody put another ``step`` on this object since a schedule was attached."""
        return self.__dict__.get("step") is not self.__dict__.get("_watched_step")

    # State -----------------------------------------------------------------------------------

    def state_dict(self) -> StateDict:
        """What has to be saved to go on later, in PyTorch's form.

        Returns:
            ``{"state": ..., "param_groups": ...}``, where parameters are numbers from 0 in the
            order of the groups. The tensors are those of the optimizer, not copies.
        """
        for before in self._optimizer_state_dict_pre_hooks.values():
            before(self)
        packed = pack(self.param_groups, self.state)
        for after in self._optimizer_state_dict_post_hooks.values():
            changed = after(self, packed)
            packed = packed if changed is None else changed
        return packed

    def load_state_dict(self, state_dict: StateDict) -> None:
        """Takes over what :meth:`state_dict` gave, here or in PyTorch.

        Parameters are matched by their order. Make schedules before loading, since making one
        sets the rates. The tensors are copied, in the dtype and on the device of the parameter.

        Raises:
            ValueError: another number of groups, or of parameters in a group.
        """
        state_dict = state_dict.copy()
        for before in self._optimizer_load_state_dict_pre_hooks.values():
            changed = before(self, state_dict)
            state_dict = state_dict if changed is None else changed
        groups, state = unpack(type(self).__name__, state_dict, self.param_groups)
        self.__setstate__({"state": state, "param_groups": groups})
        for after in self._optimizer_load_state_dict_post_hooks.values():
            after(self)

    def register_state_dict_pre_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Calls ``hook(optimizer)`` before :meth:`state_dict`."""
        return _register(self._optimizer_state_dict_pre_hooks, hook, prepend)

    def register_state_dict_post_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Calls ``hook(optimizer, state_dict)`` after :meth:`state_dict`; it may return another."""
        return _register(self._optimizer_state_dict_post_hooks, hook, prepend)

    def register_load_state_dict_pre_hook(
        self, hook: Hook, prepend: bool = False
    ) -> RemovableHandle:
        """Calls ``hook(optimizer, state_dict)`` before loading; it may return another.

        The dictionary is a shallow copy of the one that the user gave.
        """
        return _register(self._optimizer_load_state_dict_pre_hooks, hook, prepend)

    def register_load_state_dict_post_hook(
        self, hook: Hook, prepend: bool = False
    ) -> RemovableHandle:
        """Calls ``hook(optimizer)`` after loading."""
        return _register(self._optimizer_load_state_dict_post_hooks, hook, prepend)


def _register(table: OrderedDict[int, Hook], hook: Hook, prepend: bool = False) -> RemovableHandle:
    handle = RemovableHandle(table)
    table[handle.id] = hook
    if prepend:
        table.move_to_end(handle.id, last=False)
    return handle


def _with_hooks(step: Callable[..., Result]) -> Callable[..., Result]:
    """A class's ``step`` with the hooks around it."""

    @functools.wraps(step)
    def hooked(self: Optimizer, *args: Any, **kwargs: Any) -> Result:
        if type(self).step is not hooked:  # reached through super().step()
            return step(self, *args, **kwargs)
        self._opt_called = True
        if self._examination is not None:
            self._examine(bool(args or kwargs))
        before, after = self._optimizer_step_pre_hooks, self._optimizer_step_post_hooks
        if not (before or after or _before_every_step or _after_every_step):
            return step(self, *args, **kwargs)
        everything: tuple[Any, ...] = (self, *args)
        for hook in (*_before_every_step.values(), *before.values()):
            changed = hook(self, everything, kwargs)
            if changed is not None:
                everything, kwargs = _checked_change(step, changed)
        result = step(*everything, **kwargs)
        for hook in (*after.values(), *_after_every_step.values()):
            hook(self, everything, kwargs)
        return result

    return hooked


def _checked_change(step: Callable[..., Any], changed: Any) -> tuple[tuple[Any, ...], Any]:
    if not (isinstance(changed, tuple) and len(changed) == 2):
        raise OperationError(
            "step",
            f"{step} must return None or a tuple of (new_args, new_kwargs), but got {changed}.",
            rule="That is what a hook before the step may return.",
        )
    return changed


def _type_name(value: object) -> str:
    kind = type(value)
    plain = kind.__module__ in ("builtins", "")
    return kind.__qualname__ if plain else f"{kind.__module__}.{kind.__qualname__}"
