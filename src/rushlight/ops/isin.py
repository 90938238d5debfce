"""Which elements are among others."""

from __future__ import annotations

from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base.dtypes import bool_, of_number
from rushlight.base.errors import ArgTypeError, DTypeError
from rushlight.base.promotion import Operand, result_type
from rushlight.graph.node import Node
from rushlight.graph.op import Op
from rushlight.graph.spec import Spec


class Isin(Op):
    """Whether each element is one of ``test_elements``, or with ``invert`` is none of them.

    Raises:
        RuntimeError: the elements are bools or complex.
        TypeError: both arguments are numbers.
    Example:
        >>> import rushlight as rl
        >>> rl.isin(rl.tensor([1, 2, 3]), rl.tensor([2, 5]))
        tensor([False,  True, False])
    """

    name = "isin"
    torch = (
        "isin(Tensor elements, Tensor test_elements, *, bool assume_unique=False,"
        " bool invert=False) -> Tensor"
    )
    numbers = ("elements", "test_elements")
    differentiable = False

    def __call__(
        self, x: Any, among: Any, *, assume_unique: bool = False, invert: bool = False
    ) -> Node:
        x, among = self.alike(x, among)
        found = self.record((x, ops.reshape(among, (-1,))))
        return ops.logical_not(found) if invert else found

    def alike(self, x: Any, among: Any) -> tuple[Node, Node]:
        """Both as nodes of one dtype."""
        if not isinstance(x, Node) and not isinstance(among, Node):
            given = f"{type(x).__name__}, {type(among).__name__}"
            raise ArgTypeError(
                "isin", f"isin() received an invalid combination of arguments - got ({given})"
            )
        for each in (x, among):
            if isinstance(each, Node) and (each.dtype is bool_ or each.dtype.is_complex):
                name = ops.TORCH_NAMES[each.dtype.name][1:-1]
                raise DTypeError("isin", f"Unsupported input type encountered for isin(): {name}")
        kind = result_type(
            *(
                Operand(each.dtype, "dim" if each.ndim else "zero")
                if isinstance(each, Node)
                else Operand.of_number(of_number(each))
                for each in (x, among)
            )
        )
        return tuple(  # type: ignore[return-value]
            ops.cast(each, kind) if isinstance(each, Node) else ops.full((), each, kind)
            for each in (x, among)
        )

    def infer(self, x: Spec, among: Spec) -> Spec:
        return x.with_dtype(bool_)

    def ref(self, x: Any, among: Any) -> Any:
        return np.isin(x, among)

    def element(self, b: Any, index: Any, x: Any, among: Any) -> Any:
        here = x.at(*index)
        if not among.shape[0]:
            return b.const(False, bool_)
        return b.reduce("any", [among.shape[0]], lambda k: b.eq(here, among.at(k)))

    def samples(self, make: Any) -> Any:
        yield make.int(3, 4), make.int(2, 3)
        yield make.int(3, 4), 2
        yield 2, make.int(5)
        yield make.int(3, 4), make.int(2, 3), {"invert": True}
        yield make.int(6), make.int(0)
        yield make.int(0), make.int(3)
        yield make.int(4), make(3)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(1, 2), TypeError, "int, int"
        yield lambda: make.call(make.bool(2), make.int(2)), RuntimeError, "Unsupported input type"
        yield lambda: make.call(make.complex(2), make(2)), RuntimeError, "Unsupported input type"


isin = Isin()
