"""What builders share: older ways of calling them, rounding of widths, layers on the way."""

from __future__ import annotations

import functools
import inspect
import warnings
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeVar

from rushlight import Tensor, nn

from ._api import WeightsEnum

D = TypeVar("D")
V = TypeVar("V")
_MISSING = object()


class IntermediateLayerGetter(nn.ModuleDict):
    """Runs a model's children in their order and returns what some of them gave.

    Args:
        model: its direct children have to be used once each and in the order of their definition.
        return_layers: child's name -> name in the result. Children after the last are dropped.
    Raises:
        ValueError: a name that is no child.
    Example:
        >>> import rushlight as rl
        >>> net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
        >>> inner = IntermediateLayerGetter(net, {"1": "hidden"})
        >>> inner(rl.zeros(4, 2))["hidden"].shape
        torch.Size([4, 3])
    """

    _version = 2

    def __init__(self, model: nn.Module, return_layers: dict[str, str]) -> None:
        if not set(return_layers) <= {name for name, _ in model.named_children()}:
            raise ValueError("return_layers are not present in model")
        wanted = {str(name) for name in return_layers}
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        for name, child in model.named_children():
            layers[name] = child
            wanted.discard(name)
            if not wanted:
                break
        super().__init__(layers)
        self.return_layers = return_layers

    def forward(self, x: Tensor) -> OrderedDict[str, Tensor]:
        found: OrderedDict[str, Tensor] = OrderedDict()
        for name, child in self.items():
            x = child(x)
            if name in self.return_layers:
                found[self.return_layers[name]] = x
        return found


def _make_divisible(v: float, divisor: int, min_value: int | None = None) -> int:
    """The multiple of ``divisor`` next to ``v``, but never more than a tenth below it."""
    least = divisor if min_value is None else min_value
    rounded = max(least, int(v + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * v else rounded


def kwonly_to_pos_or_kw(fn: Callable[..., D]) -> Callable[..., D]:
    """Lets keyword-only arguments be given by position too, with a warning."""
    parameters = inspect.signature(fn).parameters.values()
    keyword_only = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
    if not keyword_only:
        raise TypeError(f"Found no keyword-only parameter on function '{fn.__name__}'")
    start = next(i for i, p in enumerate(parameters) if p.kind is p.KEYWORD_ONLY)

    @functools.wraps(fn)
    def wrapper(*args: Any, **kwargs: Any) -> D:
        args, extra = args[:start], args[start:]
        if extra:
            named = dict(zip(keyword_only, extra))
            warnings.warn(
                f"Using {_listed(list(named))} as positional parameter(s) is deprecated since 0.13 "
                "and may be removed in the future. Please use keyword parameter(s) instead."
            )
            kwargs.update(named)
        return fn(*args, **kwargs)

    return wrapper


def _listed(names: list[str]) -> str:
    """``'a'``, ``'a' and 'b'``, ``'a', 'b', and 'c'``."""
    quoted = [f"'{name}'" for name in names]
    if len(quoted) < 3:
        return " and ".join(quoted)
    return f"{', '.join(quoted[:-1])}, and {quoted[-1]}"


def handle_legacy_interface(
    **weights: tuple[str, WeightsEnum | Callable[[dict[str, Any]], WeightsEnum | None] | None],
) -> Callable[[Callable[..., D]], Callable[..., D]]:
    """Decorates a builder so that ``pretrained=True`` still means what it did, with a warning.

    Args:
        **weights: the builder's parameter -> (the old name, the weights that True stood for, or a
            function from the keyword arguments to these).
    """

    def decorate(builder: Callable[..., D]) -> Callable[..., D]:
        @kwonly_to_pos_or_kw
        @functools.wraps(builder)
        def build(*args: Any, **kwargs: Any) -> D:
            for name, (old, default) in weights.items():
                if _is_legacy(kwargs, name, old):
                    kwargs[name] = _translated(builder.__name__, kwargs, name, old, default)
            return builder(*args, **kwargs)

        return build

    return decorate


def _is_legacy(kwargs: dict[str, Any], name: str, old: str) -> bool:
    given = kwargs.get(name, _MISSING)
    if given is _MISSING:
        return old in kwargs
    known = given is None or isinstance(given, WeightsEnum)
    return not known and (not isinstance(given, str) or given == "legacy")


def _translated(builder: str, kwargs: dict[str, Any], name: str, old: str, default: Any) -> Any:
    """The weights that an old argument stands for; takes it out of the arguments."""
    positional = name in kwargs
    if positional:
        kwargs[old] = kwargs.pop(name)
    wanted = kwargs[old]
    chosen = (default(kwargs) if callable(default) else default) if wanted else None
    if wanted and not isinstance(chosen, WeightsEnum):
        raise ValueError(f"No weights available for model {builder}")
    if not positional:
        warnings.warn(
            f"The parameter '{old}' is deprecated since 0.13 and may be removed in the future, "
            f"please use '{name}' instead."
        )
    message = (
        f"Arguments other than a weight enum or `None` for '{name}' are deprecated since 0.13 and "
        f"may be removed in the future. The current behavior is equivalent to passing "
        f"`{name}={chosen}`."
    )
    if wanted:
        message += (
            f" You can also use `{name}={type(chosen).__name__}.DEFAULT` to get the most "
            "up-to-date weights."
        )
    warnings.warn(message)
    del kwargs[old]
    return chosen


def _ovewrite_named_param(kwargs: dict[str, Any], param: str, new_value: V) -> None:
    """Sets an argument that the weights fix.

    Raises:
        ValueError: it was given another value.
    """
    if kwargs.setdefault(param, new_value) != new_value:
        raise ValueError(
            f"The parameter '{param}' expected value {new_value} but got {kwargs[param]} instead."
        )


def _ovewrite_value_param(param: str, actual: V | None, expected: V) -> V:
    """An argument that the weights fix; None where the caller left it open."""
    if actual is not None and actual != expected:
        raise ValueError(
            f"The parameter '{param}' expected value {expected} but got {actual} instead."
        )
    return expected
