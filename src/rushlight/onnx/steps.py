"""Steps of a recorded graph become ONNX nodes.

The same model recorded at several sizes is walked side by side. What an operation becomes is said
beside it (``Op.onnx``): the name of an ONNX operator, or a method that is called with the writer.
An operation that does not say so, or cannot for these arguments, is taken apart into simpler ones
as the compiler does it, and tried again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from rushlight import ops
from rushlight.compiler.constant import CONSTANT
from rushlight.compiler.expand import expand, expands
from rushlight.graph.graph import Graph, Step
from rushlight.graph.op import Op
from rushlight.graph.spec import Spec

from .complex_numbers import Complex, Pair
from .elementwise import by_element
from .errors import UnsupportedOperatorError
from .places import by_place
from .sizes import Size, Type, Varies, merged
from .values import Value, Values
from .writer import Declined, Writer


class Refused:
    """What cannot be written, which is no matter as long as nothing needs it."""

    def __init__(self, error: UnsupportedOperatorError) -> None:
        self.error = error


def _part(whole: Any, step: Step) -> Any:
    """One of several results, of which some may have no name in ONNX."""
    if isinstance(whole, Refused) or step.attrs[0] < len(whole):
        return whole if isinstance(whole, Refused) else whole[step.attrs[0]]
    problem = f"result {step.attrs[0]} of an operation has no counterpart in ONNX"
    return Refused(UnsupportedOperatorError(step.op.name, problem, site=step.site))


def _there(x: Any) -> Any:
    """A value, or the reason why it is not there."""
    for each in _flat(x):
        if isinstance(each, Refused):
            raise each.error
    return x


class Walk:
    """Writes graphs that are recordings of one model at several sizes."""

    def __init__(self, to: Writer) -> None:
        self.to = to
        self._within: list[Op] = []

    def graphs(
        self, graphs: Sequence[Graph], inputs: Sequence[Value], layers: Sequence[str] = ()
    ) -> list[Values]:
        """Writes all steps and returns the values of the outputs."""
        values: list[Values] = list(inputs)
        if len({tuple([step.op for step in graph.steps]) for graph in graphs}) > 1:
            raise UnsupportedOperatorError(
                "onnx",
                "the model takes another path at another size of its dynamic dimensions",
                hint="Export it with fixed sizes, or keep Python's `if` away from shapes.",
            )
        for k, steps in enumerate(zip(*[graph.steps for graph in graphs], strict=True)):
            if layers:
                self.to.layer = layers[k]
            values.append(self._done(steps, [values[place] for place in steps[0].inputs]))
        return [values[place] for place in graphs[0].outputs]

    def _done(self, steps: tuple[Step, ...], given: list[Any]) -> Values:
        """A step's values; what cannot be written is refused when something needs it."""
        try:
            if steps[0].op is ops.together:
                return tuple(given)
            return self._step(steps, given)
        except UnsupportedOperatorError as error:
            return Refused(error)

    def _step(self, steps: tuple[Step, ...], given: list[Any]) -> Values:
        op = steps[0].op
        if op.transparent:
            return given[0]
        if op is ops.part:
            return _part(given[0], steps[0])
        if op is CONSTANT:
            return self._constant(steps)
        return self._written(steps, [_there(x) for x in given])

    def _constant(self, steps: tuple[Step, ...]) -> Value:
        spec: Any = steps[0].spec
        return number_value(self.to, merged([step.attrs[0] for step in steps]), spec)

    def _written(self, steps: tuple[Step, ...], given: list[Any]) -> Values:
        """By the operation's own mapping, else taken apart."""
        op, mark = steps[0].op, self.to.mark()
        try:
            made = self._mapped(steps, given)
            reason = "it has no counterpart there"
        except (Declined, Varies) as declined:
            made, reason = None, str(declined) or "what decides it depends on a dynamic size"
        if made is not None:
            return self._typed(steps, made)
        self.to.back(mark)
        if op in self._within or not _expandable(op, given):
            raise self._refusal(steps[0], reason)
        self._within.append(op)
        try:
            return self._apart(steps, given, reason)
        finally:
            self._within.pop()

    def _mapped(self, steps: tuple[Step, ...], given: list[Any]) -> Any:
        op, to = steps[0].op, self.to
        if any(isinstance(x, Pair) for x in given) or _is_complex(steps[0].spec):
            return self._of_complex(steps, given)
        specs = [step.spec for step in steps]
        to.result = None if isinstance(specs[0], tuple) else Type.of(specs)
        mapping = op.onnx
        if isinstance(mapping, str):
            return to(mapping, *given)
        made = mapping and mapping(to, *given, **merged_attrs(steps))
        return self._by_element(steps, given) if made is None else made

    def _of_complex(self, steps: tuple[Step, ...], given: list[Any]) -> Any:
        """An operation that takes or gives complex numbers."""
        spec = steps[0].spec
        if isinstance(spec, tuple):
            raise Declined("ONNX's operators do not take complex numbers")
        real = tuple([replace(s, spec=s.spec.with_dtype(s.spec.dtype.to_real())) for s in steps])

        def parts(values: Any) -> Value:
            made: Any = self._typed(real, self._mapped(real, list(values)))
            return made

        shape = Type.of([step.spec for step in steps]).shape
        rules = Complex(self.to, parts, spec.dtype, shape)
        return rules.written(steps[0].op.name, given, merged_attrs(steps))

    def _by_element(self, steps: tuple[Step, ...], given: list[Any]) -> Any:
        """An operation whose elements are made of elements at the same place."""
        op, spec, to = steps[0].op, steps[0].spec, self.to
        has = type(op).element is not Op.element and isinstance(spec, Spec)
        if not has or not op.lowers(spec, *_specs(given)):
            return None
        attrs, mark = merged_attrs(steps), to.mark()
        try:
            return by_element(to, op, given, to.result.shape, attrs)
        except (Declined, NotImplementedError):  # there is an expansion in its place
            to.back(mark)
        return None if expands(op) else by_place(to, op, given, spec, attrs)

    def _apart(self, steps: tuple[Step, ...], given: list[Any], reason: str) -> Values:
        graphs = [expand(_alone(step, k, given)) for k, step in enumerate(steps)]
        if any(step.op is steps[0].op for step in graphs[0].steps):
            raise self._refusal(steps[0], reason)
        found = self.graphs(graphs, given)
        for each in _flat(found[0]):
            if isinstance(each, Refused):
                error = self._refusal(steps[0], f"{reason}, and of its parts: {each.error.problem}")
                return Refused(error)
        return found[0]

    def _typed(self, steps: tuple[Step, ...], made: Any) -> Values:
        """The results as values, which know their types."""
        specs = [step.spec for step in steps]
        if not isinstance(specs[0], tuple):
            return self._value(specs, made)
        each = zip(*specs, strict=True)
        return tuple(self._value(column, name) for column, name in zip(each, made, strict=False))

    def _value(self, specs: Sequence[Any], made: Any) -> Value:
        if isinstance(made, Value | Pair):
            return made
        value = Value(made, Type.of(specs))
        self.to.note(value)
        return value

    def _refusal(self, step: Step, reason: str) -> UnsupportedOperatorError:
        error = UnsupportedOperatorError(
            step.op.name,
            f"{step.op.name} cannot become ONNX (opset {self.to.opset}): {reason}",
            hint="Leave it out of the exported model, or write it with other operations.",
            site=step.site,
        )
        if self.to.layer:
            error.add_layer(self.to.layer)
        return error


def merged_attrs(steps: Sequence[Step]) -> dict[str, Any]:
    """The attributes of a step in all recordings."""
    keywords = [step.keywords for step in steps]
    return {name: merged([each[name] for each in keywords]) for name in keywords[0]}


def number_value(to: Writer, number: Any, spec: Spec) -> Value | Pair:
    """A known number as a value of its dtype."""
    if spec.dtype.is_complex:
        real = spec.with_dtype(spec.dtype.to_real())
        re, im = (
            number_value(to, part, real) for part in (complex(number).real, complex(number).imag)
        )
        return Pair(re, im, spec.dtype, number)
    kind = Type((), spec.dtype)
    if isinstance(number, Size):
        made = to.scalar(number, spec.dtype)
        return Value(made, kind, number)
    array = np.asarray(number).astype(spec.dtype.numpy)
    if spec.dtype.is_half:
        return Value(to.cast(to.constant(array), spec.dtype), kind, number)
    return Value(to.constant(array), kind, number)


def _is_complex(spec: Any) -> bool:
    return any(each.dtype.is_complex for each in _flat(spec))


def _flat(x: Any) -> tuple[Any, ...]:
    return x if isinstance(x, tuple) else (x,)


def _expandable(op: Op, given: Sequence[Values]) -> bool:
    return expands(op) and all(isinstance(x, Value) for x in given)


def _specs(given: Sequence[Any], recording: int = 0) -> list[Spec]:
    """The types of values as they are in one recording."""
    specs = []
    for x in given:
        shape = [n.values[recording] if isinstance(n, Size) else n for n in x.shape]
        specs.append(Spec.of(tuple(shape), x.dtype))
    return specs


def _alone(step: Step, recording: int, given: Sequence[Value]) -> Graph:
    """A step as a graph of its own, as it is in one recording."""
    specs = _specs(given, recording)
    alone = Step(step.op, tuple(range(len(specs))), step.attrs, step.spec, step.site)
    return Graph(tuple(specs), frozenset(), (alone,), (len(specs),))
