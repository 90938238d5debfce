"""For a region of values a transform that leads there from all real numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import constraints, transforms

Factory = Callable[[Any], Any]


class ConstraintRegistry:
    """Transforms by kind of constraint."""

    def __init__(self) -> None:
        self._registry: dict[type, Factory] = {}

    def register(self, constraint: Any, factory: Factory | None = None) -> Any:
        """Notes what makes the transform for a kind of constraint; also as a decorator."""
        if factory is None:
            return lambda given: self.register(constraint, given)
        kind = constraint if isinstance(constraint, type) else type(constraint)
        if not issubclass(kind, constraints.Constraint):
            raise TypeError(
                "Expected constraint to be either a Constraint subclass or instance, but got"
                f" {constraint}"
            )
        self._registry[kind] = factory
        return factory

    def __call__(self, constraint: Any) -> Any:
        """The transform for a constraint.

        Raises:
            NotImplementedError: nobody has registered one.
        """
        factory = self._registry.get(type(constraint))
        if factory is None:
            raise NotImplementedError(f"Cannot transform {type(constraint).__name__} constraints")
        return factory(constraint)


biject_to = ConstraintRegistry()
transform_to = ConstraintRegistry()


def _between(c: Any) -> Any:
    width = c.upper_bound - c.lower_bound
    sigmoid = transforms.SigmoidTransform()
    if c.lower_bound == 0 and c.upper_bound == 1:
        return sigmoid
    return transforms.ComposeTransform([sigmoid, transforms.AffineTransform(c.lower_bound, width)])


def _above(c: Any) -> Any:
    return transforms.ComposeTransform(
        [transforms.ExpTransform(), transforms.AffineTransform(c.lower_bound, 1)]
    )


def _below(c: Any) -> Any:
    return transforms.ComposeTransform(
        [transforms.ExpTransform(), transforms.AffineTransform(c.upper_bound, -1)]
    )


for _registry in (biject_to, transform_to):
    _registry.register(constraints.real, lambda c: transforms.identity_transform)
    _registry.register(constraints.positive, _above)
    _registry.register(constraints.nonnegative, _above)
    _registry.register(constraints.less_than, _below)
    _registry.register(constraints.unit_interval, _between)
    _registry.register(constraints.half_open_interval, _between)
    _registry.register(constraints.lower_cholesky, lambda c: transforms.LowerCholeskyTransform())
    _registry.register(constraints.corr_cholesky, lambda c: transforms.CorrCholeskyTransform())
    _registry.register(
        constraints.positive_definite, lambda c: transforms.PositiveDefiniteTransform()
    )
    _registry.register(
        constraints.independent,
        lambda c, _of=_registry: transforms.IndependentTransform(
            _of(c.base_constraint), c.reinterpreted_batch_ndims
        ),
    )
    _registry.register(
        constraints.cat,
        lambda c, _of=_registry: transforms.CatTransform(
            [_of(x) for x in c.cseq], c.dim, c.lengths
        ),
    )
    _registry.register(
        constraints.stack,
        lambda c, _of=_registry: transforms.StackTransform([_of(x) for x in c.cseq], c.dim),
    )
biject_to.register(constraints.simplex, lambda c: transforms.StickBreakingTransform())
transform_to.register(constraints.simplex, lambda c: transforms.SoftmaxTransform())
