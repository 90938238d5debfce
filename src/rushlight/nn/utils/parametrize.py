"""Parameters that are functions of others: a symmetric, an orthogonal, a normalized weight.

A parametrized tensor is computed anew each time that it is asked for, from tensors under
``module.parametrizations``; assigning to it sets those.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from typing import Any, NoReturn

from rushlight.autograd.mode import no_grad
from rushlight.base.errors import OperationError
from rushlight.nn.containers import ModuleDict, ModuleList
from rushlight.nn.module import Module
from rushlight.nn.parameter import Parameter
from rushlight.tensor.tensor import Tensor

__all__ = [
    "ParametrizationList",
    "cached",
    "is_parametrized",
    "register_parametrization",
    "remove_parametrizations",
    "transfer_parametrizations_and_params",
    "type_before_parametrizations",
]

_cache_depth = 0
_cache: dict[tuple[int, str], Tensor] = {}


@contextmanager
def cached() -> Iterator[None]:
    """Computes each parametrized tensor once in a block, however often it is asked for.

    Example:
        >>> import rushlight as rl
        >>> from rushlight.nn.utils import parametrize
        >>> with parametrize.cached():
        ...     pass
    """
    global _cache_depth
    _cache_depth += 1
    try:
        yield
    finally:
        _cache_depth -= 1
        if not _cache_depth:
            _cache.clear()


class ParametrizationList(ModuleList):
    """The functions that make one tensor, one after the other, and what they are applied to.

    Attributes:
        original: what the first one is applied to; ``original0`` and so on where it takes several.
        unsafe: whether results of another shape or dtype are allowed.
    Raises:
        ValueError: there are no functions, or they change shape or dtype.
    """

    def __init__(self, modules: Sequence[Module], original: Tensor, unsafe: bool = False) -> None:
        if not modules:
            raise ValueError("ParametrizationList requires one or more modules.")
        super().__init__(modules)
        self.unsafe = unsafe
        shape, dtype = original.shape, original.dtype
        with no_grad():
            new = self._inverted(original)
        self.is_tensor = isinstance(new, Tensor)
        if self.is_tensor:
            self.ntensors = 1
            if new.dtype != dtype:
                raise ValueError(
                    "When `right_inverse` outputs one tensor, it may not change the dtype.\n"
                    f"original.dtype: {dtype}\nright_inverse(original).dtype: {new.dtype}"
                )
            _set(original, new)
            _register(self, "original", original)
        else:
            self._take_over(original, new)
        if not unsafe:
            _check_same("", self(), "unparametrized", shape, dtype, "parametrized")

    def _inverted(self, value: Any) -> Any:
        """What the functions make ``value`` of, as far as they say; itself otherwise."""
        for module in reversed(self):
            if hasattr(module, "right_inverse"):
                try:
                    value = module.right_inverse(value)
                except NotImplementedError:
                    continue
        return value

    def _take_over(self, original: Tensor, new: Any) -> None:
        """Keeps several tensors that ``original`` is made of."""
        if not isinstance(new, Sequence):
            raise ValueError(
                "'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...)."
                f" Got {type(new).__name__}"
            )
        self.ntensors = len(new)
        for i, tensor in enumerate(new):
            if not isinstance(tensor, Tensor):
                raise ValueError(
                    "'right_inverse' must return a Tensor or a Sequence of tensors (list,"
                    f" tuple...). Got element {i} of the sequence with type"
                    f" {type(tensor).__name__}."
                )
            if isinstance(original, Parameter):
                tensor = Parameter(tensor.clone(), original.requires_grad)
            _register(self, f"original{i}", tensor.requires_grad_(original.requires_grad))

    @no_grad()
    def right_inverse(self, value: Tensor) -> None:
        """Sets the originals so that the result is ``value``.

        Raises:
            RuntimeError: a function does not say how.
            ValueError: what it says is no tensor, or not as many as before, or of another dtype.
        """
        made: Any = value
        for module in reversed(self):
            if not hasattr(module, "right_inverse"):
                raise OperationError(
                    "right_inverse",
                    f"parametrization {type(module).__name__} does not implement right_inverse.",
                )
            made = module.right_inverse(made)
        if not self.is_tensor:
            return self._set_several(made)
        if not isinstance(made, Tensor):
            raise ValueError(f"`right_inverse` should return a tensor. Got {type(made).__name__}")
        if made.dtype != self.original.dtype:
            raise ValueError(
                f"The tensor returned by `right_inverse` has dtype {made.dtype} while `original`"
                f" has dtype {self.original.dtype}"
            )
        return _set(self.original, made)

    def _set_several(self, made: Any) -> None:
        if not isinstance(made, Sequence):
            raise ValueError(
                f"'right_inverse' must return a sequence of tensors. Got {type(made).__name__}."
            )
        if len(made) != self.ntensors:
            raise ValueError(
                "'right_inverse' must return a sequence of tensors of length"
                f" {self.ntensors}. Got a sequence of length {len(made)}."
            )
        for i, tensor in enumerate(made):
            original = getattr(self, f"original{i}")
            if not isinstance(tensor, Tensor):
                raise ValueError(
                    "'right_inverse' must return a sequence of tensors. Got element"
                    f" {i} of type {type(tensor).__name__}."
                )
            if original.dtype != tensor.dtype:
                raise ValueError(
                    f"Tensor {i} returned by `right_inverse` has dtype {tensor.dtype} while"
                    f" `original{i}` has dtype {original.dtype}"
                )
            _set(original, tensor)

    def forward(self) -> Any:
        if self.is_tensor:
            result = self[0](self.original)
        else:
            result = self[0](*(getattr(self, f"original{i}") for i in range(self.ntensors)))
        for module in list(self)[1:]:
            result = module(result)
        return result


def register_parametrization(
    module: Module, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> Module:
    """Makes a parameter or buffer of a module a function of what it was.

    Args:
        tensor_name: the name of the tensor; one that is parametrized already gets one more.
        parametrization: its ``forward`` makes the new value. If it has a ``right_inverse``, that
            makes what ``forward`` is applied to from a value, now and when one is assigned.
        unsafe: whether shape or dtype may change.
    Returns:
        The module, which is of another class now.
    Raises:
        ValueError: there is no such tensor, or the function changes its shape or dtype.
    Example:
        >>> import rushlight as rl
        >>> from rushlight.nn.utils import parametrize
        >>> class Symmetric(rl.nn.Module):
        ...     def forward(self, x):
        ...         return x.triu() + x.triu(1).mT
        >>> layer = parametrize.register_parametrization(rl.nn.Linear(3, 3), "weight", Symmetric())
        >>> bool((layer.weight == layer.weight.mT).all())
        True
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        if not unsafe:
            _check_addition(module, tensor_name, parametrization)
        found = module.parametrizations[tensor_name]
        found.append(parametrization)
        found.unsafe |= unsafe
    elif tensor_name in module._buffers or tensor_name in module._parameters:
        original = getattr(module, tensor_name)
        functions = ParametrizationList([parametrization], original, unsafe=unsafe)
        delattr(module, tensor_name)
        if not is_parametrized(module):
            _change_class(module)
            module.parametrizations = ModuleDict()
        setattr(type(module), tensor_name, _computed(tensor_name))
        module.parametrizations[tensor_name] = functions
    else:
        raise ValueError(
            f"Module '{module}' does not have a parameter, a buffer, or a parametrized element"
            f" with name '{tensor_name}'"
        )
    return module


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Whether a tensor of a module is parametrized, or any."""
    found = module.__dict__.get("parametrizations")
    if not isinstance(found, ModuleDict):
        return False
    return len(found) > 0 if tensor_name is None else tensor_name in found


def remove_parametrizations(
    module: Module, tensor_name: str, leave_parametrized: bool = True
) -> Module:
    """Makes a parametrized tensor an ordinary one again.

    Args:
        leave_parametrized: whether it keeps the value that the functions make, rather than what
            they are applied to.
    Raises:
        ValueError: it is not parametrized, or is made of several tensors that cannot be left.
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"Module {module} does not have a parametrization on {tensor_name}")
    functions = module.parametrizations[tensor_name]
    if functions.is_tensor:
        original = functions.original
        if leave_parametrized:
            with no_grad():
                _set(original, getattr(module, tensor_name))
    elif leave_parametrized:
        value = getattr(module, tensor_name)
        original = Parameter(value) if value.requires_grad else value
    else:
        raise ValueError(
            "Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is"
            " parametrized in terms of a sequence of tensors."
        )
    delattr(type(module), tensor_name)
    del module.parametrizations[tensor_name]
    _register(module, tensor_name, original)
    if not is_parametrized(module):
        del module.parametrizations
        module.__class__ = type(module).__bases__[0]
    return module


def type_before_parametrizations(module: Module) -> type:
    """The class that a module had before anything of it was parametrized."""
    return type(module).__bases__[0] if is_parametrized(module) else type(module)


def transfer_parametrizations_and_params(
    from_module: Module, to_module: Module, tensor_name: str | None = None
) -> Module:
    """Copies the parametrization of a tensor, or of all, to another module, with the values.

    Returns:
        ``to_module``.
    """
    if not is_parametrized(from_module):
        return to_module
    names = list(from_module.parametrizations) if tensor_name is None else [tensor_name]
    for name in names:
        if not hasattr(to_module, name):
            setattr(to_module, name, Parameter(getattr(from_module, name)))
        functions = from_module.parametrizations[name]
        for function in functions:
            register_parametrization(to_module, name, function)
        copies = to_module.parametrizations[name]
        kept = ["original"] if functions.is_tensor else []
        for key in kept or [f"original{i}" for i in range(functions.ntensors)]:
            setattr(copies, key, getattr(functions, key))
    return to_module


def _change_class(module: Module) -> None:
    """Gives a module a class of its own, which properties can be put on."""
    cls = type(module)

    def refuse_pickling(self: Module) -> NoReturn:
        raise OperationError(
            "pickle", "Serialization of parametrized modules is only supported through state_dict()"
        )

    def copied(self: Module, memo: dict[int, Any]) -> Module:
        made: Module = self.__new__(type(self))
        memo[id(self)] = made
        Module.__setstate__(made, deepcopy(self._plain_state(), memo))
        return made

    body: dict[str, Any] = {"__getstate__": refuse_pickling}
    if not hasattr(cls, "__deepcopy__"):
        body["__deepcopy__"] = copied
    module.__class__ = type(f"Parametrized{cls.__name__}", (cls,), body)


def _computed(name: str) -> property:
    """The attribute that a parametrized tensor is."""

    def get(self: Module) -> Any:
        if not _cache_depth:
            return self.parametrizations[name]()
        key = (id(self), name)
        if key not in _cache:
            _cache[key] = self.parametrizations[name]()
        return _cache[key]

    def put(self: Module, value: Tensor) -> None:
        self.parametrizations[name].right_inverse(value)

    return property(get, put)


def _check_addition(module: Module, name: str, parametrization: Any) -> None:
    """Refuses a further function that changes shape or dtype."""
    before = getattr(module, name)
    after = parametrization(before)
    ours, theirs = f"module.{name}", f"parametrization(module.{name})"
    _check_same("the ", after, ours, before.shape, before.dtype, theirs)
    if hasattr(parametrization, "right_inverse"):
        try:
            back = parametrization.right_inverse(after)
        except NotImplementedError:
            return
        if not isinstance(back, Tensor):
            raise ValueError(
                f"parametrization.right_inverse must return a tensor. Got: {type(back).__name__}"
            )
        for what in ("dtype", "shape"):
            if getattr(back, what) != getattr(before, what):
                raise ValueError(
                    "The tensor returned by parametrization.right_inverse must have the same"
                    f" {what} as {ours}, unless the `unsafe` flag is enabled.\n"
                    f"{ours}.{what}: {getattr(before, what)}\n"
                    f"returned {what}: {getattr(back, what)}"
                )


def _check_same(the: str, made: Any, before: str, shape: Any, dtype: Any, after: str) -> None:
    if not isinstance(made, Tensor):
        raise ValueError(f"A parametrization must return a tensor. Got {type(made).__name__}.")
    joint = "." if the else " "
    for what, wanted in (("dtype", dtype), ("shape", shape)):
        if getattr(made, what) != wanted:
            raise ValueError(
                f"Registering a parametrization may not change the {what} of the tensor, unless"
                f" {the}`unsafe` flag is enabled.\n{before}{joint}{what}: {wanted}\n"
                f"{after}{joint}{what}: {getattr(made, what)}"
            )


def _register(module: Module, name: str, tensor: Tensor) -> None:
    if isinstance(tensor, Parameter):
        module.register_parameter(name, tensor)
    else:
        module.register_buffer(name, tensor)


def _set(tensor: Tensor, value: Tensor) -> None:
    """Gives a tensor other values, maybe of another shape, and leaves it the object it is."""
    tensor.data = value.detach()
