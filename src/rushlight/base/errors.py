"""Faults that a user can make, each of the exception type that PyTorch raises.

A fault says the operation, the values given, the rule, a way out, the user's line, and inside a
model the layer::

    ShapeError: [matmul] inner dimensions differ: a is (32, 784), b is (10, 784).
      a.shape[-1] must equal b.shape[-2], here 784 and 10. Did you mean b.mT?
      recorded at train.py:41: logits = x @ self.weight
      in layer classifier.fc1 (Linear)
"""

from __future__ import annotations

from . import site as sites


class Fault(Exception):
    """A mistake in the user's program. Abstract: raise one of the classes below.

    Args:
        operation: the operation's name, as the user wrote it; empty when there is none.
        problem: what is wrong with the values given, in PyTorch's own words where those are known.
        rule: what must hold.
        hint: a way out.
        site: the user's line when it is not the one being executed.
    """

    def __init__(
        self,
        operation: str,
        problem: str,
        *,
        rule: str = "",
        hint: str = "",
        site: sites.Site | None = None,
    ) -> None:
        self.operation = operation
        self.problem = problem
        self.rule = rule
        self.hint = hint
        self.site = site or sites.current(2)
        self._where = ""
        self.path: list[str] = []
        self.layer_type = ""
        self.module: object = None  # the last module passed through; it stays in its process
        super().__init__(problem)

    def add_layer(self, name: str, module_type: str = "") -> None:
        """Notes that the fault passed through a layer, from the innermost outwards.

        ``name`` is the layer's name in its parent, empty for the outermost module.
        """
        if module_type and not self.layer_type:
            self.layer_type = module_type
        if name:
            self.path.insert(0, name)

    @property
    def layer(self) -> str:
        """The dotted path of the layer at fault, empty outside a model."""
        return ".".join(self.path)

    def __str__(self) -> str:
        first = f"[{self.operation}] {self.problem}" if self.operation else self.problem
        lines = [first]
        if self.rule or self.hint:
            lines.append("  " + " ".join(part for part in (self.rule, self.hint) if part))
        lines.append(f"  recorded at {self.where}")
        if self.path or self.layer_type:
            kind = f" ({self.layer_type})" if self.layer_type else ""
            lines.append(f"  in layer {self.layer}{kind}".replace("layer  (", "layer ("))
        return "\n".join(lines)

    def __reduce__(self) -> tuple[object, ...]:
        # A site holds a code object, which does not travel to another process; its text does.
        state = {**self.__dict__, "site": None, "module": None, "where": self.where}
        return (type(self), (self.operation, self.problem), state)

    @property
    def where(self) -> str:
        """The user's line as text, such as ``train.py:41: logits = x @ self.weight``."""
        return self._where or str(sites.line(self.site))

    @where.setter
    def where(self, text: str) -> None:
        self._where = text


class ShapeError(Fault, RuntimeError):
    """Shapes that do not fit each other or the operation."""


class DTypeError(Fault, RuntimeError):
    """A dtype that the operation does not take."""


class NoKernelError(DTypeError, NotImplementedError):
    """A dtype for which neither PyTorch nor rushlight has the operation at all."""


class DeviceError(Fault, RuntimeError):
    """A device that does not exist here, or tensors on different devices."""


class GradError(Fault, RuntimeError):
    """A gradient that cannot be had."""


class OperationError(Fault, RuntimeError):
    """Any other use that PyTorch answers with ``RuntimeError``."""


class RangeError(Fault, IndexError):
    """An index or a dimension out of range."""


class ArgTypeError(Fault, TypeError):
    """An argument of the wrong type."""


class ArgValueError(Fault, ValueError):
    """An argument with a value that is not allowed."""


class MissingError(Fault, NotImplementedError):
    """Something of PyTorch's that rushlight does not have yet."""


class InternalError(AssertionError):
    """Our own mistake: the pass, the node and the graph are in the message. Please report it."""
