"""The rows of the table: what is measured, and what it should reach."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Target:
    """What a row should reach.

    Attributes:
        best: the quickest peer's time over ours.
        torch: PyTorch's time over ours.
        empty: seconds of the first step with nothing kept on disk.
        kept: seconds of the first step with compiled code on disk.
        memory: whether the peak must not be above PyTorch's.
        peak: share of the machine's measured rate of multiplying and adding.
    """

    best: float = 1.0
    torch: float | None = None
    empty: float | None = None
    kept: float | None = None
    memory: bool = False
    peak: float | None = None


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        name: how it is asked for; or ask for its ``group``.
        module: the file in ``in_torch`` and ``in_jax`` that holds the work.
        work: the function in it, called with ``arguments``.
        trains: whether it is a training step: its first step and its memory are measured too.
        flops: additions and multiplications of one step, where the machine's rate is compared.
        counted: whether it belongs to the geometric mean.
    """

    name: str
    group: str
    title: str
    module: str
    work: str
    arguments: dict[str, Any] = field(default_factory=dict)
    target: Target = Target()
    trains: bool = False
    flops: float = 0.0
    counted: bool = True

    def order(self) -> dict[str, Any]:
        """What the measured process is told."""
        return {key: asdict(self)[key] for key in ("module", "work", "arguments")}


def _mlp(batch: int, best: float) -> Row:
    target = Target(best, torch=2.2, empty=0.5, kept=0.1)
    title = f"MLP 784-128-10, Adam step, batch {batch}"
    return Row(f"mlp-{batch}", "mlp", title, "dense", "mlp", {"batch": batch}, target, trains=True)


def _recurrent(kind: str) -> Row:
    title = f"{kind} 32→64, 2 layers, 50 steps, batch 32, Adam step"
    arguments = {"kind": kind, "batch": 32}
    return Row(
        kind.lower(), "rnn", title, "sequence", "recurrent", arguments, Target(2.5), trains=True
    )


def _answer(batch: int) -> Row:
    title = f"ResNet-18 at 224×224, inference, batch {batch}"
    arguments = {"batch": batch}
    return Row(
        f"resnet-{batch}", "resnet", title, "vision", "resnet_inference", arguments, Target(1.3)
    )


def _product(size: int, target: Target) -> Row:
    title = f"matrix product {size}×{size}"
    return Row(
        f"matmul-{size}", "matmul", title, "maths", "matrix_product", {"size": size}, target,
        flops=2.0 * size**3,
    )  # fmt: skip


ROWS = (
    _mlp(1, 1.3),
    _mlp(64, 1.5),
    _mlp(512, 1.2),
    Row("cnn", "cnn", "CNN for 28×28, batch 64, Adam step", "vision", "cnn", {"batch": 64},
        Target(2.0), trains=True),
    _recurrent("RNN"),
    _recurrent("LSTM"),
    _recurrent("GRU"),
    Row("cell", "cell", "Python loop of 50 RNNCell steps, SGD step", "sequence", "cell",
        {"batch": 32}, Target(1.2), trains=True),
    Row("resnet-train", "resnet", "ResNet-18 for 32×32, batch 16, SGD step", "vision",
        "resnet_training", {"batch": 16}, Target(1.3, empty=8.0, kept=1.0, memory=True),
        trains=True),
    _answer(1),
    _answer(8),
    Row("gpt-train", "gpt", "GPT 4×128, 256 tokens, batch 4, AdamW step", "sequence",
        "gpt_training", {"batch": 4}, Target(1.8, memory=True), trains=True),
    Row("gpt-1", "gpt", "GPT 4×128, 256 tokens, inference of one sequence", "sequence",
        "gpt_inference", target=Target(1.8)),
    Row("pinn", "pinn", "physics-informed network, 1,024 points, Adam step", "dense", "pinn",
        {"points": 1024}, Target(2.0), trains=True),
    _product(128, Target(1.0)),
    _product(512, Target(1.0, torch=1.8)),
    _product(1024, Target(1.0, torch=1.8, peak=0.8)),
    Row("formula", "elementwise", "tanh(2a+1)*sigmoid(a)-a on 1M", "maths", "formula",
        {"count": 1_000_000}, Target(2.0)),
    Row("softmax", "elementwise", "softmax 1000×1000", "maths", "softmax",
        {"rows": 1000, "columns": 1000}, Target(1.0)),
    Row("norm-gelu", "elementwise", "layer norm + GELU 2048×768", "maths", "norm_gelu",
        {"rows": 2048, "columns": 768}, Target(1.5)),
    Row("moments", "elementwise", "variance and mean of rows, 4096×1024", "maths", "moments",
        {"rows": 4096, "columns": 1024}, Target(1.0)),
    Row("chain", "chain", "1,000 dependent operations on 8 numbers", "maths", "chain",
        {"count": 1000}, Target(1.2)),
    Row("chain-compiled", "chain", "the same as one compiled function (not counted)", "maths",
        "chain_compiled", {"count": 1000}, counted=False),
)  # fmt: skip


def chosen(names: list[str]) -> list[Row]:
    """Rows by name or by group, in the table's order; all of them for no names.

    Raises:
        KeyError: no row and no group has one of the names.
    """
    known = {name for row in ROWS for name in (row.name, row.group)}
    for name in names:
        if name not in known:
            raise KeyError(name)
    return [row for row in ROWS if not names or row.name in names or row.group in names]
