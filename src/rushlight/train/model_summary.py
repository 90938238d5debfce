"""The layers of a model as a table: shapes, parameters, operations and memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import rushlight as rl
from rushlight import nn

from .hooks import ModuleMode
from .trees import over_tensors

UNKNOWN = "?"
CONVOLUTIONS = (
    nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d
)  # fmt: skip


@dataclass
class Row:
    """One layer: what it is, and what a forward pass of the example input shows of it."""

    name: str
    kind: str
    parameters: int
    trainable: int
    training: bool
    flops: int | None = None
    in_size: Any = UNKNOWN
    out_size: Any = UNKNOWN


class ModelSummary:
    """What there is to say of a model before its first step.

    Args:
        model: the model; with an ``example_input_array``, shapes and operations are known, too.
        max_depth: how deep to go into layers of layers; -1 shows all.
    """

    def __init__(self, model: nn.Module, max_depth: int = 1) -> None:
        self.model, self.max_depth = model, max_depth
        parts = [(name, part) for name, part in model.named_modules() if name]
        shown = [one for one in parts if max_depth < 0 or one[0].count(".") < max_depth]
        self.rows = [_row(name, part) for name, part in shown]
        if getattr(model, "example_input_array", None) is not None:
            self._trace(dict(parts))

    @property
    def total_parameters(self) -> int:
        return sum(one.numel() for one in self.model.parameters() if not _is_lazy(one))

    @property
    def trainable_parameters(self) -> int:
        return sum(
            one.numel()
            for one in self.model.parameters()
            if one.requires_grad and not _is_lazy(one)
        )

    @property
    def model_size(self) -> float:
        """Megabytes of parameters."""
        sizes = (
            one.numel() * one.element_size() for one in self.model.parameters() if not _is_lazy(one)
        )
        return sum(sizes) / 1e6

    @property
    def total_flops(self) -> int:
        """Multiplications and additions of one forward pass of the example input."""
        return self._whole_flops

    _whole_flops = 0
    _activations = 0.0

    def _trace(self, parts: dict[str, nn.Module]) -> None:
        """Runs the example through the model, with a look at every layer."""
        rows = {row.name: row for row in self.rows}
        flops = dict.fromkeys(parts, 0)

        def watch(name: str) -> Any:
            def look(part: nn.Module, inputs: Any, output: Any) -> None:
                if name in rows:
                    rows[name].in_size, rows[name].out_size = _sizes(inputs), _sizes(output)
                own = _flops(part, output)
                self._whole_flops += own
                if own and isinstance(output, rl.Tensor):
                    self._activations += output.numel() * output.element_size() / 1e6
                for above in flops:
                    if name == above or name.startswith(f"{above}."):
                        flops[above] += own

            return look

        handles = [part.register_forward_hook(watch(name)) for name, part in parts.items()]
        modes = ModuleMode(self.model)
        example = self.model.example_input_array
        try:
            self.model.eval()
            with rl.no_grad():
                _call(self.model, example)
        finally:
            modes.restore(self.model)
            for handle in handles:
                handle.remove()
        for name, row in rows.items():
            row.flops = flops[name]

    def __str__(self) -> str:
        traced = any(row.in_size is not UNKNOWN for row in self.rows)
        head = ["", "Name", "Type", "Params", "Mode"]
        head += ["FLOPs", "In sizes", "Out sizes"] if traced else []
        lines = [head]
        for number, row in enumerate(self.rows):
            cells = [str(number), row.name, row.kind, short_number(row.parameters)]
            cells.append("train" if row.training else "eval")
            if traced:
                cells += [short_number(row.flops or 0), str(row.in_size), str(row.out_size)]
            lines.append(cells)
        table = _aligned(lines)
        return "\n".join([*table, "-" * len(table[0]), *self._totals(traced)])

    def _totals(self, traced: bool) -> list[str]:
        total, trainable = self.total_parameters, self.trainable_parameters
        modes = [part.training for name, part in self.model.named_modules() if name]
        lines = [
            f"{short_number(trainable):<10}Trainable params",
            f"{short_number(total - trainable):<10}Non-trainable params",
            f"{short_number(total):<10}Total params",
            f"{self.model_size:<10.3f}Total estimated model params size (MB)",
            f"{sum(modes):<10}Modules in train mode",
            f"{len(modes) - sum(modes):<10}Modules in eval mode",
        ]
        if traced:
            lines.append(f"{short_number(self.total_flops):<10}Total FLOPs")
            lines.append(f"{self._activations:<10.3f}Outputs of layers for the example (MB)")
        return lines


def summarize(model: nn.Module, max_depth: int = 1) -> ModelSummary:
    """The table of a model.

    Example:
        >>> print(str(summarize(rl.nn.Sequential(rl.nn.Linear(4, 2)))).splitlines()[2])
        0 | 0    | Linear | 10     | train
    """
    return ModelSummary(model, max_depth)


def _row(name: str, part: nn.Module) -> Row:
    found = [one for one in part.parameters() if not _is_lazy(one)]
    trainable = sum(one.numel() for one in found if one.requires_grad)
    return Row(
        name, type(part).__name__, sum(one.numel() for one in found), trainable, part.training
    )


def _is_lazy(parameter: Any) -> bool:
    return isinstance(parameter, nn.parameter.UninitializedTensorMixin)


def _call(model: nn.Module, example: Any) -> Any:
    if isinstance(example, tuple):
        return model(*example)
    return model(**example) if isinstance(example, dict) else model(example)


def _sizes(data: Any) -> Any:
    if isinstance(data, tuple) and len(data) == 1:
        data = data[0]
    shapes = over_tensors(data, lambda one: list(one.shape))
    return shapes if isinstance(shapes, list | tuple | dict) else UNKNOWN


def _flops(part: nn.Module, output: Any) -> int:
    """Multiplications and additions of layers that are products; the rest is small beside them."""
    weight = getattr(part, "weight", None)
    if not isinstance(output, rl.Tensor) or weight is None:
        return 0
    if isinstance(part, nn.Linear | nn.Bilinear):
        return 2 * output.numel() * (weight.numel() // part.out_features)
    if isinstance(part, CONVOLUTIONS):
        return 2 * output.numel() * (weight.numel() // part.out_channels)
    return 0


def short_number(number: int) -> str:
    """A number with three digits: ``1.2 K``.

    Example:
        >>> short_number(1234567)
        '1.2 M'
    """
    for size, unit in ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "K")):
        if number >= size:
            scaled = number / size
            return f"{scaled:.1f} {unit}" if scaled < 100 else f"{scaled:,.0f} {unit}"
    return str(number)


def _aligned(lines: list[list[str]]) -> list[str]:
    widths = [max(len(cell) for cell in column) for column in zip(*lines)]
    rows = [" | ".join(f"{cell:<{w}}" for cell, w in zip(line, widths)) for line in lines]
    return [rows[0], "-" * len(rows[0]), *rows[1:]]
