"""A model that came from ONNX, as a module."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import rushlight as rl
from rushlight import nn
from rushlight.base.errors import ArgTypeError, ArgValueError, DTypeError, ShapeError
from rushlight.export import ExportedProgram
from rushlight.graph.spec import Spec

from .leaving import program_of
from .loading_steps import Model
from .nodes.elements import Carried, Element, Kind, from_array, kind_of, to_array


@dataclass(frozen=True)
class Value:
    """An input or output of an imported model.

    Attributes:
        kind: its dtype, or the narrow element type that its tensor carries; None when it is a
            sequence or may be absent.
        shape: sizes; a str names one that is free, None stands for an unknown rank.
        has_default: whether the file has a value for it, so that it can be left out.
    """

    name: str
    kind: Kind | None
    shape: tuple[int | str, ...] | None
    has_default: bool = False

    @property
    def spec(self) -> Spec:
        """Its type, with 1 for each size that is free.

        Raises:
            TypeError: it is no tensor of a known number of dimensions.
        """
        if self.kind is None or self.shape is None:
            raise ArgTypeError(
                "spec", f"{self.name!r} is no tensor of a known number of dimensions"
            )
        dtype = self.kind.carrier if isinstance(self.kind, Element) else self.kind
        return Spec.of(tuple(1 if isinstance(one, str) else one for one in self.shape), dtype)

    def accept(self, value: Any) -> Any:
        """What was passed for this input, as the model's steps take it.

        Raises:
            TypeError: it is no tensor, array or number.
            RuntimeError: the dtype or a size is not the model's.
        """
        if self.kind is None:
            return [_loose(one) for one in value] if isinstance(value, (list, tuple)) else (
                None if value is None else _loose(value)
            )  # fmt: skip
        value = self._typed(value)
        tensor = value.tensor if isinstance(value, Carried) else value
        fits = self.shape is None or (
            len(self.shape) == tensor.ndim
            and all(
                isinstance(want, str) or want == size
                for want, size in zip(self.shape, tensor.shape, strict=True)
            )
        )
        if not fits:
            raise ShapeError(
                "forward", f"input {self.name!r} is {tuple(tensor.shape)}",
                rule=f"The model takes {self.shape}.",
            )  # fmt: skip
        return value

    def _typed(self, value: Any) -> Any:
        kind = self.kind
        assert kind is not None
        dtype = kind.carrier if isinstance(kind, Element) else kind
        if isinstance(value, Carried):
            return value
        if isinstance(value, np.ndarray) or np.isscalar(value):
            value = _array(value, kind, self.name)
            if isinstance(value, Carried):
                return value
        if not isinstance(value, rl.Tensor):
            raise ArgTypeError(
                "forward", f"input {self.name!r} is a {type(value).__name__}",
                rule="Inputs are tensors or NumPy arrays.",
            )  # fmt: skip
        if value.dtype is not dtype:
            raise DTypeError(
                "forward", f"input {self.name!r} is {value.dtype}",
                rule=f"The model takes {dtype}.", hint=f"Pass x.to({dtype}).",
            )  # fmt: skip
        return Carried(value, kind) if isinstance(kind, Element) else value


def _array(value: Any, kind: Kind, name: str) -> Any:
    array = np.asarray(value)
    if array.dtype == object or array.dtype.kind in "SU":
        raise ArgTypeError("forward", f"input {name!r} is of strings, which tensors cannot hold")
    if isinstance(kind, Element) or kind is rl.bfloat16:
        wanted = kind.name
        if array.dtype.name != wanted:
            raise DTypeError(
                "forward", f"input {name!r} is {array.dtype}", rule=f"The model takes {wanted}."
            )
        return from_array(array, kind)
    return rl.tensor(array)


def _loose(value: Any) -> Any:
    return rl.tensor(value) if isinstance(value, np.ndarray) else value


class Imported(nn.Module):
    """A model that was loaded from ONNX: runs, trains, and is saved like any other module.

    ``state_dict`` has the file's own names. Element types that tensors lack are carried by wider
    ones: unsigned integers and 4-bit ones as ``int32``, ``int64``, ``int8`` or ``uint8``, small
    floats as ``float32``; `run` takes and gives NumPy arrays of the file's types.

    Attributes:
        inputs, outputs: what the model takes and gives, in order.
    """

    def __init__(self, model: Model) -> None:
        super().__init__()
        object.__setattr__(self, "_model", model)
        graph = model.proto.graph
        assert model.main is not None
        self.inputs = tuple(_described(one, model.main.constants) for one in graph.input)
        self.outputs = tuple(_described(one, {}) for one in graph.output)
        self._homes: dict[str, tuple[nn.Module, str]] = {}
        taken = set(dir(self))
        for key, value in model.weights.items():
            if not isinstance(value, Carried):
                self._homes[key] = self._settle(key, value, key in model.trainable, taken)
        self._narrow = {k: v for k, v in model.weights.items() if isinstance(v, Carried)}
        model.weights = {}
        model.proto = None  # all of it was read
        self.eval()

    def _settle(
        self, key: str, value: rl.Tensor, is_weight: bool, taken: set[str]
    ) -> tuple[nn.Module, str]:
        """Puts a value into the tree of modules that its dotted name describes."""
        *parts, last = [part or "_" for part in key.split(".")]
        owner: nn.Module = self
        for part in parts:
            part = part + "_" if owner is self and part in taken else part
            child = owner._modules.get(part)
            if child is None:
                if part in owner._parameters or part in owner._buffers:
                    part += "_module"
                child = owner._modules.get(part) or nn.Module()
                owner.add_module(part, child)
            owner = child
        while hasattr(owner, last):
            last += "_"
        if is_weight:
            owner.register_parameter(last, nn.Parameter(value))
        else:
            owner.register_buffer(last, value)
        return owner, last

    def forward(self, *inputs: Any, **named: Any) -> Any:
        """The model's output, or a tuple of them when there are several.

        Args:
            inputs: by position, in the order of `inputs` without those that have a default.
            named: inputs by name.
        """
        found = [_shown(one) for one in self._compute(inputs, named)]
        return found[0] if len(found) == 1 else tuple(found)

    def run(self, inputs: Sequence[Any] | Mapping[str, Any]) -> list[Any]:
        """NumPy arrays for NumPy arrays, of exactly the element types that the file names."""
        named = dict(inputs) if isinstance(inputs, Mapping) else {}
        ordered = () if named else tuple(inputs)
        with rl.no_grad():
            return [to_array(one) for one in self._compute(ordered, named)]

    def program(self, **sizes: int) -> ExportedProgram:
        """The model as a program, which `rushlight.export.save` writes and ``rushlight export``
        sends on.

        It is for any of the sizes that the file leaves free, but for those given here by name.

        Raises:
            NotImplementedError: an input is a sequence, or of a type that tensors lack.
            RuntimeError: the model looks at values on its way, or depends on a free size in another
                way than by formulas; fix that size.
        """
        return program_of(self, sizes)

    def _compute(self, inputs: Sequence[Any], named: Mapping[str, Any]) -> list[Any]:
        model = self._model
        weights = {key: getattr(owner, name) for key, (owner, name) in self._homes.items()}
        now = model.now
        now.weights, now.training = {**self._narrow, **weights}, self.training
        bound = self._bound(inputs, named)
        main = model.main
        values = [
            bound[one.name] if one.name in bound else now.weights[main.constants[one.name]]
            for one in self.inputs
        ]
        try:
            return main.run(values, None)
        finally:
            now.weights = {}

    def _bound(self, inputs: Sequence[Any], named: Mapping[str, Any]) -> dict[str, Any]:
        """Inputs by name.

        Raises:
            ValueError: one is missing, too many, or of a name that is not there.
        """
        wanted = [one for one in self.inputs if not one.has_default]
        if len(inputs) > len(self.inputs):
            raise ArgValueError(
                "forward", f"{len(inputs)} inputs were given for {len(self.inputs)}"
            )
        order = wanted if len(inputs) <= len(wanted) else self.inputs
        given = {one.name: value for one, value in zip(order, inputs, strict=False)}
        given.update(named)
        known = {one.name: one for one in self.inputs}
        odd = [name for name in given if name not in known]
        missing = [one.name for one in wanted if one.name not in given and one.kind is not None]
        if odd or missing:
            what = f"there is no input {odd[0]!r}" if odd else f"input {missing[0]!r} is missing"
            raise ArgValueError(
                "forward", what, rule=f"The model takes {', '.join(map(repr, known))}."
            )
        for one in wanted:
            given.setdefault(one.name, None)
        return {name: known[name].accept(value) for name, value in given.items()}

    def extra_repr(self) -> str:
        takes = ", ".join(one.name for one in self.inputs if not one.has_default)
        return f"{takes} -> {', '.join(one.name for one in self.outputs)}"


def _shown(value: Any) -> Any:
    if isinstance(value, list):
        return [_shown(one) for one in value]
    return value.tensor if isinstance(value, Carried) else value


def _described(info: Any, constants: Mapping[str, str]) -> Value:
    if not info.type.HasField("tensor_type"):
        _refuse_strings(info)
        return Value(info.name, None, None)
    tensor = info.type.tensor_type
    kind = kind_of(tensor.elem_type, f"value {info.name!r}")
    if not tensor.HasField("shape"):
        return Value(info.name, kind, None, info.name in constants)
    sizes = tuple(
        one.dim_value if one.HasField("dim_value") else one.dim_param or f"{info.name}_{at}"
        for at, one in enumerate(tensor.shape.dim)
    )
    return Value(info.name, kind, sizes, info.name in constants)


def _refuse_strings(info: Any) -> None:
    kind = info.type
    while kind.HasField("sequence_type") or kind.HasField("optional_type"):
        kind = (
            kind.sequence_type if kind.HasField("sequence_type") else kind.optional_type
        ).elem_type
    kind_of(kind.tensor_type.elem_type or 1, f"value {info.name!r}")
