"""What elementwise operations share: broadcasting and promotion.

Each input is converted to the type that the result is computed in, so a rule, a reference or a
kernel sees one dtype. Which type that is depends on the inputs' types alone and is worked out once
for each combination. A Python number becomes an input node of the computed type.
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

from rushlight import ops
from rushlight.base import shapes
from rushlight.base.device import CPU, device
from rushlight.base.dtypes import ALL, FLOATS, DType, bool_, of_number
from rushlight.base.errors import ArgTypeError, DeviceError, DTypeError, NoKernelError
from rushlight.base.promotion import Operand, default_dtype, result_type
from rushlight.base.site import current
from rushlight.graph.node import Node, Number
from rushlight.graph.op import NUMBER, Op, recording
from rushlight.graph.spec import Spec

PAIR = "(Tensor self, Tensor other) -> Tensor"
NOT_BOOL = tuple(dtype for dtype in ALL if dtype is not bool_)
REAL = tuple(dtype for dtype in ALL if not dtype.is_complex)


class Plan(NamedTuple):
    """How one combination of input types is recorded."""

    spec: Spec
    compute: DType
    number: Spec
    casts: tuple[bool, ...]


class Elementwise(Op):
    """One result element from one element of each input. Abstract.

    Attributes:
        dtypes: the types it computes in; a result type outside of them is refused.
        promotes: ``"float"`` turns integers and bools into the default float first.
        result: ``"same"`` as computed, ``"bool"``, or ``"real"`` part type of a complex one.
        numbers: the parameters that a Python number may be given for.
        needs_tensor: whether numbers alone are refused, as PyTorch does for most.
    """

    dtypes: ClassVar[tuple[DType, ...]] = ALL
    promotes: ClassVar[str] = ""
    result: ClassVar[str] = "same"
    inplace: ClassVar[bool] = True
    numbers: ClassVar[tuple[str, ...]] = ()
    needs_tensor: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__()
        # The results' types where every input is a tensor and none is converted: nearly always.
        self.direct: dict[Any, Spec] = {}
        # What was worked out of each combination of arguments; `rules` are of inputs as they are.
        self.plans: dict[Any, Plan] = {}

    def forget(self) -> None:
        super().forget()
        self.direct.clear()
        self.plans.clear()

    def __call__(self, *args: Any) -> Node:
        return self._general(args)

    def pair(self, x: Any, y: Any) -> Node:
        """As calling it, for two inputs: the shortest way, which ``a + b`` and ``a + 1`` take."""
        if x.__class__ is not Node:
            return self._general((x, y))
        if y.__class__ is Node:
            spec = self.direct.get((x.spec, y.spec))
            if spec is None:
                return self._general((x, y))
            tracked = (x.requires_grad or y.requires_grad) and self.tracks((x, y), spec)
        else:
            plan = self.plans.get((x.spec, y.__class__))
            if plan is None or plan.casts[0]:
                return self._general((x, y))
            spec = plan.spec
            made = Node(NUMBER, (), (), plan.number, False, None)
            made.buffer, y = y, made
            tracked = x.requires_grad and self.tracks((x,), spec)
        # Who calls this, and the operator or function that does, are never the user's line.
        return Node(self, (x, y), (), spec, tracked, recording.site or current(3))

    def _general(self, args: tuple[Any, ...]) -> Node:
        key = tuple([x.spec if x.__class__ is Node else x.__class__ for x in args])
        spec = self.direct.get(key)
        if spec is not None:
            return self.node(args, (), spec)
        return self._recorded(args, self.plans.get(key) or self._planned(key, args))

    def _planned(self, key: tuple[Any, ...], args: tuple[Any, ...]) -> Plan:
        plan = self.plans[key] = self._plan(args)
        if not any(plan.casts) and all(x.__class__ is Node for x in args):
            self.direct[key] = plan.spec
        return plan

    def _recorded(self, args: tuple[Any, ...], plan: Plan) -> Node:
        inputs = []
        for x, cast in zip(args, plan.casts, strict=True):
            if x.__class__ is not Node:
                made = Node(NUMBER, (), (), plan.number, False, None)
                made.buffer = x
                inputs.append(made)
            else:
                inputs.append(ops.cast(x, plan.compute) if cast else x)
        return self.node(tuple(inputs), (), plan.spec)

    def _plan(self, args: tuple[Any, ...]) -> Plan:
        operands, shape, place = [], [], None
        for position, x in enumerate(args):
            if isinstance(x, Node):
                operands.append(Operand(x.dtype, "dim" if x.ndim else "zero"))
                shape.append(x.shape)
                if x.ndim or place is None:
                    place = x.device
            elif isinstance(x, Number):
                operands.append(Operand.of_number(of_number(x)))
            else:
                raise ArgTypeError(
                    self.name,
                    f"{self.name}(): argument {position + 1} must be Tensor or Number,"
                    f" not {type(x).__name__}",
                )
        if place is None:
            place = self._place_of_numbers(args)
        compute = self.computes(result_type(*operands))
        size = shapes.broadcast(self.name, *shape) if shape else ()
        if any(isinstance(x, Node) and x.ndim and x.device is not place for x in args):
            raise DeviceError(
                self.name,
                "Expected all tensors to be on the same device, but found at least two devices",
            )
        casts = tuple(isinstance(x, Node) and x.dtype is not compute for x in args)
        spec = Spec.of(size, self.result_dtype(compute), place)
        return Plan(spec, compute, Spec.of((), compute), casts)

    def _place_of_numbers(self, args: tuple[Any, ...]) -> device:
        """Where the result for numbers alone lives."""
        if self.needs_tensor:
            given = ", ".join(type(x).__name__ for x in args)
            raise ArgTypeError(
                self.name,
                f"{self.name}() received an invalid combination of arguments - got ({given})",
                rule="At least one of them must be a Tensor.",
            )
        return CPU

    def computes(self, promoted: DType) -> DType:
        """The type computed in when the inputs promote to ``promoted``."""
        if self.promotes == "float" and promoted.kind in ("bool", "int"):
            promoted = default_dtype()
        if promoted not in self.dtypes:
            raise self.refusal(promoted)
        return promoted

    def refusal(self, dtype: DType) -> DTypeError:
        """The fault when ``dtype`` is not taken."""
        taken = ", ".join(str(one) for one in self.dtypes)
        return NoKernelError(
            self.name,
            f'"{self.name}" not implemented for {TORCH_NAMES[dtype.name]}',
            rule=f"It takes {taken}.",
        )

    def result_dtype(self, compute: DType) -> DType:
        """The result's type."""
        if self.result == "bool":
            return bool_
        return compute.to_real() if self.result == "real" else compute

    def lower(self, b: Any, *values: Any) -> Any:
        """The result from one element of each input, all of the type computed in."""
        raise NotImplementedError(f"{self.name} has no kernel")

    def element(self, b: Any, index: Any, *inputs: Any, **attrs: Any) -> Any:
        return self.lower(b, *(x.spread(index) for x in inputs), **attrs)

    def infer(self, *specs: Spec) -> Spec:
        """The result's type for inputs that were converted already."""
        size = shapes.broadcast(self.name, *(spec.shape for spec in specs))
        return Spec.of(size, self.result_dtype(specs[0].dtype), specs[0].device)


class Float(Elementwise):
    """A function of floating point; integers promote to the default float. Abstract."""

    promotes = "float"
    dtypes: ClassVar[tuple[DType, ...]] = FLOATS


TORCH_NAMES = {
    "bool": "'Bool'", "uint8": "'Byte'", "int8": "'Char'", "int16": "'Short'", "int32": "'Int'",
    "int64": "'Long'", "float16": "'Half'", "bfloat16": "'BFloat16'", "float32": "'Float'",
    "float64": "'Double'", "complex64": "'ComplexFloat'", "complex128": "'ComplexDouble'",
}  # fmt: skip
