"""Distribution: what all of them share."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, ClassVar

import rushlight as rl
from rushlight.tensor.size import Size
from rushlight.tensor.tensor import Tensor

from . import constraints


class Distribution:
    """A batch of distributions. Abstract.

    Attributes:
        batch_shape: of the parameters: how many distributions there are.
        event_shape: of one sample of one of them.
        arg_constraints: what values the parameters may have, by name.
        support: what values samples have.
        has_rsample: whether gradients flow through samples to the parameters.
        has_enumerate_support: whether all values can be listed.
    """

    has_rsample = False
    has_enumerate_support = False
    _validate_args: ClassVar[bool] = __debug__
    arg_constraints: ClassVar[dict[str, constraints.Constraint]] = {}

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        """Whether parameters and values are checked where nothing else is said."""
        if value not in (True, False):
            raise ValueError
        Distribution._validate_args = value

    def __init__(
        self, batch_shape: Sequence[int] = (), event_shape: Sequence[int] = (),
        validate_args: bool | None = None,
    ) -> None:  # fmt: skip
        self._batch_shape, self._event_shape = Size(batch_shape), Size(event_shape)
        if validate_args is not None:
            self._validate_args = validate_args  # type: ignore[misc]
        if self._validate_args:
            self._check_parameters()
        super().__init__()

    def _check_parameters(self) -> None:
        for name, constraint in self.arg_constraints.items():
            if constraints.is_dependent(constraint) or _is_lazy(type(self), name, self):
                continue
            value = getattr(self, name)
            valid = constraint.check(value)
            if not bool(valid.all()):
                raise ValueError(
                    f"Expected parameter {name} ({type(value).__name__} of shape"
                    f" {tuple(value.shape)}) of distribution {self!r} to satisfy the constraint"
                    f" {constraint!r}, but found invalid values:\n{value}"
                )

    # What a subclass says --------------------------------------------------------------------

    @property
    def support(self) -> Any:
        """The values of samples."""
        raise NotImplementedError

    @property
    def mean(self) -> Tensor:
        """The expected value."""
        raise NotImplementedError

    @property
    def mode(self) -> Tensor:
        """The most likely value."""
        raise NotImplementedError(f"{type(self)} does not implement mode")

    @property
    def variance(self) -> Tensor:
        """The expected square of the distance from the mean."""
        raise NotImplementedError

    def expand(self, batch_shape: Sequence[int], _instance: Any = None) -> Any:
        """The same distributions for a larger batch."""
        raise NotImplementedError

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Samples that gradients flow through."""
        raise NotImplementedError

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density, or of the probability, at ``value``."""
        raise NotImplementedError

    def cdf(self, value: Tensor) -> Tensor:
        """The probability of a value that is no larger."""
        raise NotImplementedError

    def icdf(self, value: Tensor) -> Tensor:
        """The value that a share ``value`` of the samples does not exceed."""
        raise NotImplementedError

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """All values along a new first dimension."""
        raise NotImplementedError

    def entropy(self) -> Tensor:
        """The expected value of minus ``log_prob``, in nats."""
        raise NotImplementedError

    # What they share -------------------------------------------------------------------------

    @property
    def batch_shape(self) -> Size:
        """Shape of the parameters."""
        return self._batch_shape

    @property
    def event_shape(self) -> Size:
        """Shape of one sample."""
        return self._event_shape

    @property
    def stddev(self) -> Tensor:
        """The square root of the variance."""
        return self.variance.sqrt()

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Samples without gradients, of shape ``sample_shape + batch_shape + event_shape``."""
        with rl.no_grad():
            return self.rsample(sample_shape)

    def sample_n(self, n: int) -> Tensor:
        """``n`` samples along a new first dimension."""
        warnings.warn(
            "sample_n will be deprecated. Use .sample((n,)) instead", UserWarning, stacklevel=2
        )
        return self.sample((n,))

    def perplexity(self) -> Tensor:
        """The exponential of the entropy."""
        return rl.exp(self.entropy())

    def _extended_shape(self, sample_shape: Sequence[int] = ()) -> Size:
        return Size((*sample_shape, *self._batch_shape, *self._event_shape))

    def _check(self, value: Any) -> None:
        """Refuses values that are none of this distribution's, if that is asked for."""
        if not self._validate_args:
            return
        if not isinstance(value, Tensor):
            raise ValueError("The value argument to log_prob must be a Tensor")
        rank = len(self._event_shape)
        if rank and tuple(value.shape[value.dim() - rank :]) != tuple(self._event_shape):
            raise ValueError(
                "The right-most size of value must match event_shape:"
                f" {value.shape} vs {self._event_shape}."
            )
        own, given = self._extended_shape(), value.shape
        for i, j in zip(reversed(own), reversed(given), strict=False):
            if i != 1 and j != 1 and i != j:
                raise ValueError(
                    "Value is not broadcastable with batch_shape+event_shape:"
                    f" {value.shape} vs {own}."
                )
        try:
            support = self.support
        except NotImplementedError:
            return
        if not bool(support.check(value).all()):
            raise ValueError(
                "Expected value argument"
                f" ({type(value).__name__} of shape {tuple(value.shape)}) to be within the support"
                f" ({support!r}) of the distribution {self!r}, but found invalid values:\n{value}"
            )

    def _expanded(self, batch_shape: Sequence[int], instance: Any, names: Sequence[str]) -> Any:
        """A copy whose parameters are expanded; those that were not asked for are left out."""
        new = type(self).__new__(type(self)) if instance is None else instance
        shape = Size(batch_shape)
        for name in names:
            if name in self.__dict__:
                value = self.__dict__[name]
                rank = self._ranks().get(name, 0)
                new.__dict__[name] = value.expand((*shape, *value.shape[value.dim() - rank :]))
        Distribution.__init__(new, shape, self._event_shape, validate_args=False)
        new._validate_args = self._validate_args
        return new

    def _ranks(self) -> dict[str, int]:
        """How many dimensions at the end of parameters are not the batch's."""
        return {}

    def __repr__(self) -> str:
        names = [name for name in self.arg_constraints if name in self.__dict__]
        shown = []
        for name in names:
            value = self.__dict__[name]
            text = value if value.numel() == 1 else value.size()
            shown.append(f"{name}: {text}")
        return f"{type(self).__name__}({', '.join(shown)})"


def _is_lazy(kind: type, name: str, instance: Any) -> bool:
    """Whether a parameter is worked out from another one, which is checked in its place."""
    return isinstance(getattr(kind, name, None), lazy_property) and name not in instance.__dict__


class lazy_property:
    """A property that is worked out once and then an ordinary attribute."""

    def __init__(self, function: Any) -> None:
        self.function = function
        self.__doc__ = function.__doc__

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        with rl.enable_grad():
            value = self.function(instance)
        instance.__dict__[self.function.__name__] = value
        return value


class ExponentialFamily(Distribution):
    """Distributions with densities ``exp(<t(x), theta> - F(theta) + k(x))``. Abstract.

    The entropy comes from the gradient of the log normaliser ``F`` (Nielsen & Nock 2010, "Entropies
    and cross-entropies of exponential families").
    """

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        raise NotImplementedError

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        raise NotImplementedError

    @property
    def _mean_carrier_measure(self) -> Any:
        raise NotImplementedError

    def entropy(self) -> Tensor:
        result: Any = -self._mean_carrier_measure
        natural = [p.detach().requires_grad_() for p in self._natural_params]
        normalizer = self._log_normalizer(*natural)
        slopes = rl.autograd.grad(normalizer.sum(), natural, create_graph=True)
        result = result + normalizer
        for parameter, slope in zip(natural, slopes, strict=True):
            rank = len(self.event_shape)
            part = parameter * slope
            result = result - (part.sum(tuple(range(-rank, 0))) if rank else part)
        return result


def broadcast_all(*values: Any) -> tuple[Tensor, ...]:
    """Tensors and numbers as tensors of one shape; numbers take the dtype of the tensors."""
    if not all(isinstance(v, (Tensor, int, float)) for v in values):
        raise ValueError(
            "Input arguments must all be instances of Number, torch.Tensor or objects implementing"
            " __torch_function__."
        )
    like = next((v for v in values if isinstance(v, Tensor)), None)
    dtype = rl.get_default_dtype() if like is None else like.dtype
    made = [v if isinstance(v, Tensor) else rl.tensor(v, dtype=dtype) for v in values]
    return tuple(rl.broadcast_tensors(*made))


def clamp_probs(probs: Tensor) -> Tensor:
    """Probabilities kept away from 0 and 1, where their logarithms are infinite."""
    eps = rl.finfo(probs.dtype).eps
    return probs.clamp(min=eps, max=1 - eps)


def probs_to_logits(probs: Tensor, is_binary: bool = False) -> Tensor:
    """Probabilities as log-odds, or as logarithms where there are several classes."""
    kept = clamp_probs(probs)
    return rl.log(kept) - rl.log1p(-kept) if is_binary else rl.log(kept)


def logits_to_probs(logits: Tensor, is_binary: bool = False) -> Tensor:
    """Log-odds as probabilities."""
    return rl.sigmoid(logits) if is_binary else rl.nn.functional.softmax(logits, dim=-1)


def sum_rightmost(value: Any, dim: int) -> Any:
    """The sum over the last ``dim`` dimensions."""
    return value if dim == 0 else value.flatten(value.dim() - dim).sum(-1)
