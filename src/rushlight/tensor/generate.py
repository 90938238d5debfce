"""One public function from one signature of an operation, as Python source that is compiled.

A function written out this way has exactly PyTorch's parameters, which Python itself then checks,
and costs no more than one written by hand.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from rushlight.graph.op import Op
from rushlight.ops.autocast import exactly

from . import arguments
from .mistyped import refuse_mistyped
from .schema import Parameter, Schema, parse
from .tensor import Tensor

Function = Callable[..., Any]

SCOPE = {
    "_aliased": arguments.aliased, "_wrapped": arguments.wrapped, "_any": arguments.loose,
    "_unwrapped": arguments.unwrapped, "_unwrapped_list": arguments.unwrapped_list,
    "_operand": arguments.operand, "_spread": arguments.spread, "_listed": arguments.listed,
    "_into": arguments.into, "_into_apart": arguments.into_apart, "_Tensor": Tensor,
    "_refuse_mistyped": refuse_mistyped,
}  # fmt: skip


def function(op: Op, text: str) -> Function:
    """The function for a signature of ``op``, with ``out=`` where PyTorch has it."""
    schema = parse(text)
    made = _compiled(op, schema, schema.name, _Source(op, schema, "input").function())
    made.__module__ = "rushlight" + (f".{op.module}" if op.module else "")
    return made


def method(op: Op, text: str) -> Function:
    """The method of Tensor for a signature whose first parameter is ``self``."""
    schema = parse(text)
    return _compiled(op, schema, f"Tensor.{schema.name}", _Source(op, schema, "self").method())


def in_place(op: Op, text: str) -> Function:
    """``x.name_(...)``: the operation's result written into ``x``."""
    schema = parse(text)
    made = _compiled(op, schema, f"Tensor.{schema.name}_", _Source(op, schema, "self").in_place())
    made.__doc__ = f"In-place version of :meth:`{schema.name}`."
    return made


def _compiled(op: Op, schema: Schema, qualified: str, source: str) -> Function:
    name = qualified.rpartition(".")[2]
    scope: dict[str, Any] = {**SCOPE, "_op": op, "_name": name, "_schema": schema}
    if op.autocast:
        scope["_exact"] = partial(exactly, op)
    if schema.fields:
        family = "linalg_" if op.module == "linalg" else ""
        scope["_fields"] = arguments.results(family + schema.name, schema.fields)
    exec(compile(source, __file__, "exec"), scope)  # text from the op table, never from a user
    made: Function = scope[name]
    made.__doc__, made.__qualname__ = op.__doc__, qualified
    return made


class _Source:
    """The text of a function: PyTorch's parameters, and a call of the operation.

    Args:
        first: what the parameter ``self`` is called.
    """

    def __init__(self, op: Op, schema: Schema, first: str) -> None:
        self.op = op
        self.schema = schema
        self.varargs = (
            first == "self" and len(schema.parameters) > 1 and (schema.parameters[1].takes_varargs)
        )
        self.inplace = any(parameter.name == "inplace" for parameter in schema.parameters)
        self.names: list[str] = []
        self.star = False
        arguments = []
        for position, parameter in enumerate(schema.parameters):
            name = first if parameter.name == "self" else parameter.name
            self._name(parameter, name, position)
            if name != "inplace":
                arguments.append(self._argument(parameter, name, position))
        if first == "self" and first in self.names:  # wherever the function has it
            self.names.insert(0, self.names.pop(self.names.index(first)))
        self.first = self.names[0].split("=")[0].lstrip("*") if self.names else ""
        self.call = f"_op({', '.join(arguments)})"

    def _name(self, parameter: Parameter, name: str, position: int) -> None:
        if parameter.spread or (self.varargs and position == 1):
            self.names.append(f"*{name}")
            self.star = True
            return
        if parameter.keyword_only and not self.star:
            self.names.append("*")
            self.star = True
        self.names.append(name if parameter.default is None else f"{name}={parameter.default}")

    def _argument(self, parameter: Parameter, name: str, position: int) -> str:
        """One argument of the operation's call, from the function's parameter ``name``."""
        keyword = f"{parameter.name}=" if parameter.keyword_only else ""
        place = f"{name}, _name, {name!r}, {position + 1}"
        if parameter.is_tensor_list:
            text = f"_unwrapped_list({place})"
        elif parameter.is_tensor:
            numbers = parameter.name in getattr(self.op, "numbers", ())
            slow = "_operand" if numbers else "_unwrapped"
            quick = f"{name}.__class__ is _Tensor and {name}._place is None"
            text = f"{name}._node if {quick} else {slow}({place})"
        elif "Tensor" in parameter.type or parameter.type.startswith(("Scalar", "Any")):
            return f"{keyword}_any({name})"
        else:
            return f"{keyword}{name}"
        if parameter.is_optional or parameter.default == "None":
            text = f"None if {name} is None else {text}"
        return f"{keyword}{text}"

    def function(self) -> str:
        """As a function, with ``inplace=`` or ``out=`` where PyTorch has them."""
        names = self.names
        if self.inplace:
            return self._text(
                self.schema.name, names, f"result = {self._result()}",
                f"return {self.first}._write(result.node, _name) if inplace else result",
            )  # fmt: skip
        if self.schema.is_view or self.schema.result_is_list or self.op.module == "nn.functional":
            return self.method()
        names = [*names, "out=None" if self.star else "*, out=None"]
        into = "_into(out, result, _name"
        apart = getattr(self.op, "apart", False)
        if apart:
            tensors = [p.name for p in self.schema.parameters[1:] if p.is_tensor]
            exact = "" if apart is True else ", exact=False"
            into = f"_into_apart(out, result, _name, {', '.join((self.first, *tensors))}{exact}"
        chosen = []
        if self.op.autocast:
            self.call = f"chosen{self.call.removeprefix('_op')}"
            chosen = ["chosen = _op if out is None else _exact"]
        return self._text(
            self.schema.name, names, *chosen, f"result = {self._result()}",
            f"return result if out is None else {into})",
        )  # fmt: skip

    def method(self) -> str:
        """As a method."""
        return self._text(self.schema.name, self.names, f"return {self._result()}")

    def in_place(self) -> str:
        """As a method that writes."""
        call = self.call if not self.op.autocast else f"_exact{self.call.removeprefix('_op')}"
        return self._text(
            f"{self.schema.name}_", self.names, f"return {self.first}._write({call}, _name)"
        )

    def _result(self) -> str:
        shown = f"_aliased({self.first}, " if self.schema.is_view else "_wrapped("
        result = f"{shown}{self.call})"
        return f"_fields(*{result})" if self.schema.fields else result

    def _text(self, name: str, names: list[str], *body: str) -> str:
        lines = list(body)
        if self.varargs:
            given = self.schema.parameters[1].name
            names = [*names, "**_given"]
            lines.insert(0, f"{given} = _spread({given}, _given, {given!r}, _name)")
        for parameter in self.schema.parameters:
            if parameter.spread:
                lines.insert(0, f"{parameter.name} = _listed({parameter.name})")
        # What fails is looked at again; entering the block costs nothing.
        return "\n".join(
            [f"def {name}({', '.join(names)}):", "    try:", *(f"        {x}" for x in lines),
             "    except Exception as _fault:",
             "        _refuse_mistyped(_fault, _schema, _name, locals())",
             "        raise"]
        )  # fmt: skip
