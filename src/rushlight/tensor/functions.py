"""The public functions and methods, made from the operations' signatures.

For each signature of each operation there is a function with exactly PyTorch's parameters, a
method when the first is ``self``, an in-place method where the operation has one, and ``out=``. They
unwrap tensors to nodes, call the operation, and wrap what it returns.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from rushlight.base.errors import ArgTypeError
from rushlight.graph.node import Node
from rushlight.graph.op import Op, table

from .schema import Parameter, Schema, parse
from .tensor import Tensor

Function = Callable[..., Any]

public: dict[str, dict[str, Function]] = {}
"""Functions by module (``""`` for ``rushlight`` itself) and name."""


def unwrapped(value: Any, function: str, name: str, position: int) -> Node:
    """The node of a tensor argument.

    Raises:
        ArgTypeError: it is no tensor.
    """
    if isinstance(value, Tensor):
        return value.node
    raise ArgTypeError(
        function,
        f"{function}(): argument '{name}' (position {position}) must be Tensor,"
        f" not {type(value).__name__}",
    )


def operand(value: Any, function: str, name: str, position: int) -> Any:
    """The node of a tensor, or a Python number, for operations that take either."""
    if isinstance(value, Tensor):
        return value.node
    if type(value) in (int, float, bool, complex):
        return value
    if isinstance(value, np.generic) and value.dtype.kind in "biufc":
        return value.item()
    if isinstance(value, (int, float, complex)):
        return _plain(value)
    return unwrapped(value, function, name, position)


def _plain(value: Any) -> Any:
    """A number of a subclass (an enum, a NumPy float) as Python's own."""
    return next(kind(value) for kind in (bool, int, float, complex) if isinstance(value, kind))


def unwrapped_list(values: Any, function: str, name: str, position: int) -> tuple[Node, ...]:
    """The nodes of a sequence of tensors."""
    if isinstance(values, Tensor):
        values = values.unbind(0)  # type: ignore[attr-defined]
    if not isinstance(values, (list, tuple)):
        raise ArgTypeError(
            function,
            f"{function}(): argument '{name}' (position {position}) must be tuple of Tensors,"
            f" not {type(values).__name__}",
        )
    return tuple([unwrapped(value, function, name, position) for value in values])


def wrapped(result: Any) -> Any:
    """Tensors for what an operation returned."""
    if isinstance(result, Node):
        return Tensor(result)
    if isinstance(result, tuple):
        return tuple([wrapped(part) for part in result])
    return result


def aliased(base: Tensor, result: Any) -> Any:
    """Tensors that share ``base``'s memory for what a view operation returned."""
    if isinstance(result, Node):
        return base._alias(result)
    return tuple([base._alias(part) for part in result])


def into(out: Any, result: Any, function: str) -> Any:
    """Writes a result into the tensors given as ``out=``."""
    if isinstance(result, tuple):
        return type(result)(*[into(o, r, function) for o, r in zip(out, result, strict=True)])
    if not isinstance(out, Tensor):
        raise ArgTypeError(
            function, f"{function}(): argument 'out' must be Tensor, not {type(out).__name__}"
        )
    if out.requires_grad or result.requires_grad:
        from rushlight.base.errors import GradError
        from rushlight.graph.op import recording

        if recording.grad:
            raise GradError(
                function,
                f"{function}(): functions with out=... arguments don't support automatic"
                " differentiation, but one of the arguments requires grad.",
            )
    if out.shape != result.shape:
        out.resize_(result.shape)  # type: ignore[attr-defined]
    return out._write(result.node, function)


# Making them ----------------------------------------------------------------------------------


def _source(schema: Schema, op: Op, *, as_method: bool, with_out: bool) -> str:
    """The function's source: PyTorch's parameters, and a call of the operation."""
    names, arguments, star = [], [], False
    varargs = as_method and len(schema.parameters) > 1 and schema.parameters[1].takes_varargs
    for position, parameter in enumerate(schema.parameters):
        name = parameter.name
        if name == "self" and not as_method:
            name = "input"
        if varargs and position == 1:
            names.append(f"*{name}")
            star = True
        else:
            if parameter.keyword_only and not star:
                names.append("*")
                star = True
            names.append(name if parameter.default is None else f"{name}={parameter.default}")
        if name != "inplace":
            arguments.append(_argument(op, parameter, name, position, schema, varargs))
    inplace = any(parameter.name == "inplace" for parameter in schema.parameters)
    if with_out and not inplace:
        names.append("out=None" if star else "*, out=None")
    if varargs:
        names.append("**_given")
    call = f"_op({', '.join(arguments)})"
    first = names[0].split("=")[0] if names else ""
    result = f"_aliased({first}, {call})" if schema.is_view else f"_wrapped({call})"
    if schema.fields:
        result = f"_fields(*{result})"
    lines = [f"def {schema.name}({', '.join(names)}):"]
    if varargs:
        given = schema.parameters[1].name
        lines.append(f"    {given} = _spread({given}, _given, {given!r}, _name)")
    if inplace:
        lines.append(f"    result = {result}")
        lines.append(f"    return {first}._write(result.node, _name) if inplace else result")
    elif with_out:
        lines.append(f"    result = {result}")
        lines.append("    return result if out is None else _into(out, result, _name)")
    else:
        lines.append(f"    return {result}")
    return "\n".join(lines)


def _argument(
    op: Op, parameter: Parameter, name: str, position: int, schema: Schema, varargs: bool
) -> str:
    """One argument of the operation's call, from the function's parameter ``name``."""
    keyword = f"{parameter.name}=" if parameter.keyword_only else ""
    place = f"{name}, _name, {name!r}, {position + 1}"
    if parameter.is_tensor_list:
        text = f"_unwrapped_list({place})"
    elif parameter.is_tensor:
        numbers = getattr(op, "takes_numbers", False)
        text = f"{'_operand' if numbers else '_unwrapped'}({place})"
    elif "Tensor" in parameter.type or parameter.type.startswith(("Scalar", "Any")):
        return f"{keyword}_any({name})"
    else:
        return f"{keyword}{name}"
    if parameter.is_optional or parameter.default == "None":
        text = f"None if {name} is None else {text}"
    return f"{keyword}{text}"


def _any(value: Any) -> Any:
    """Tensors unwrapped to nodes, also inside sequences; everything else as it is."""
    if isinstance(value, Tensor):
        return value.node
    if isinstance(value, (list, tuple)) and any(isinstance(v, Tensor) for v in value):
        return tuple([_any(v) for v in value])
    if isinstance(value, np.generic):
        return value.item()
    return value


def _spread(given: tuple[Any, ...], named: dict[str, Any], name: str, function: str) -> Any:
    """``x.view(2, 3)``, ``x.view((2, 3))`` and ``x.view(size=(2, 3))`` alike."""
    if name in named:
        given = (named.pop(name),)
    if named:
        raise ArgTypeError(
            function, f"{function}() got an unexpected keyword argument {next(iter(named))!r}"
        )
    if len(given) == 1 and isinstance(given[0], (tuple, list)):
        return given[0]
    return given


def compiled(op: Op, schema: Schema, *, as_method: bool, with_out: bool) -> Function:
    """The function for one signature of an operation."""
    source = _source(schema, op, as_method=as_method, with_out=with_out)
    scope: dict[str, Any] = {
        "_op": op, "_name": schema.name, "_aliased": aliased, "_wrapped": wrapped,
        "_unwrapped": unwrapped, "_unwrapped_list": unwrapped_list, "_operand": operand,
        "_any": _any, "_spread": _spread, "_into": into,
    }  # fmt: skip
    if schema.fields:
        scope["_fields"] = results(schema.name, schema.fields)
    exec(compile(source, __file__, "exec"), scope)  # text from the op table, never from a user
    function: Function = scope[schema.name]
    function.__doc__ = op.__doc__
    function.__module__ = "rushlight" + (f".{op.module}" if op.module else "")
    if as_method:
        function.__qualname__ = f"Tensor.{schema.name}"
    return function


_results: dict[tuple[str, tuple[str, ...]], Any] = {}


def results(name: str, fields: tuple[str, ...]) -> Any:
    """The named tuple that a function with several results returns."""
    if (name, fields) not in _results:
        base = namedtuple(name, fields)  # type: ignore[misc]

        def shown(self: Any) -> str:
            rows = ",\n".join(f"{f}={getattr(self, f)!r}" for f in fields)
            return f"torch.return_types.{name}(\n{rows})"

        _results[name, fields] = type(name, (base,), {"__slots__": (), "__repr__": shown})
    return _results[name, fields]


def _in_place(op: Op, schema: Schema) -> Function:
    """``x.name_(...)``: the operation's result written into ``x``."""
    function = compiled(op, schema, as_method=True, with_out=False)
    name = f"{schema.name}_"

    def changed(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        return self._write(function(self, *args, **kwargs).node, name)

    changed.__name__ = name
    changed.__qualname__ = f"Tensor.{name}"
    changed.__doc__ = f"In-place version of :meth:`{schema.name}`."
    return changed


def _schemas(op: Op) -> Iterator[Schema]:
    texts = (op.torch,) if isinstance(op.torch, str) else op.torch
    for text in texts:
        yield parse(text)


def install() -> None:
    """Fills :data:`public` and gives Tensor its methods."""
    for op in table.values():
        for schema in _schemas(op):
            writable = not schema.is_view and not schema.result_is_list
            functions = public.setdefault(op.module, {})
            functions[schema.name] = compiled(op, schema, as_method=False, with_out=writable)
            if schema.has_self and not op.module and not hasattr(Tensor, schema.name):
                made = compiled(op, schema, as_method=True, with_out=False)
                setattr(Tensor, schema.name, made)
            if schema.has_self and getattr(op, "inplace", False):
                setattr(Tensor, f"{schema.name}_", _in_place(op, schema))


install()
