"""The tables, for a terminal and as Markdown."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

from .measure import OURS, Figures, Result
from .rows import ROWS, Row

BEGIN, END = "<!-- benchmarks: begin -->", "<!-- benchmarks: end -->"
NAMES = {"rushlight": "rushlight", "torch": "PyTorch", "compile": "torch.compile", "jax": "JAX"}
HOW = """\
Every framework runs in a process of its own, and the processes take turns on the same processors.
A time is the median of its rounds' medians. The ratio is the quickest peer's time over rushlight's:
above 1, rushlight is quicker. rushlight and PyTorch run the same source, a plain loop; JAX runs
jitted functions whose state is donated. The first step is what the first five take together beyond
four later ones. Peak memory is that of the whole process until its last round. Where inputs stay
the same from step to step, as in inference and in the matrix products, rushlight keeps what it
packed of them, and the peers pack at every step."""
QUIET = 0.1  # processors that other programs may keep busy
KNOWN = {row.name: row for row in ROWS}

Line = list[str]


def speed(results: Sequence[Result]) -> list[Line]:
    """Times of a step and ratios, with a heading."""
    peers = _frameworks(results)
    lines = [["work", *(NAMES[name] for name in peers), "best peer ÷ rushlight", "target", ""]]
    for result in results:
        row = KNOWN[result.name]
        times = [_shown(result.figures.get(name), lambda one: one.step) for name in peers]
        lines.append([row.title, *times, _ratio(result, row), _target(row), verdict(result, row)])
    return lines


def beginnings(results: Sequence[Result]) -> list[Line]:
    """First steps of training, and first steps with another batch size, with a heading."""
    trained = [result for result in results if KNOWN[result.name].trains]
    peers = _frameworks(trained)
    heading = ["first step", "rushlight", "again, kept on disk", "target", ""]
    heading += [NAMES[name] for name in peers[1:]]
    lines = [[*heading, *(f"2nd size: {NAMES[name]}" for name in peers)]]
    for result in trained:
        row, ours = KNOWN[result.name], result.figures[OURS]
        line = [row.title, _shown(ours, lambda one: one.first), _shown(ours, lambda one: one.kept)]
        line += [_limits(row), _late(ours, row)]
        every = [result.figures.get(name) for name in peers]
        line += [_shown(one, lambda one: one.first) for one in every[1:]]
        line += [_shown(one, lambda one: one.second) for one in every]
        lines.append(line)
    return lines


def memory(results: Sequence[Result]) -> list[Line]:
    """The most memory that training takes, with a heading."""
    trained = [result for result in results if KNOWN[result.name].trains]
    peers = _frameworks(trained)
    lines = [["peak memory", *(NAMES[name] for name in peers), "target", ""]]
    for result in trained:
        row, ours, torch = KNOWN[result.name], result.figures[OURS], result.figures.get("torch")
        every = [result.figures.get(name) for name in peers]
        line = [row.title, *(_shown(one, lambda one: one.memory, megabytes) for one in every)]
        missed = bool(torch and ours.memory and torch.memory and ours.memory > torch.memory)
        line.append("PyTorch's" if row.target.memory else "")
        lines.append([*line, "MISSED" if row.target.memory and missed else ""])
    return lines


def tables(results: Sequence[Result]) -> list[list[Line]]:
    """Every table that has lines below its heading."""
    every = [speed(results), beginnings(results), memory(results)]
    return [lines for lines in every if len(lines) > 1]


def summary(results: Sequence[Result]) -> list[str]:
    """Sentences below the tables: the mean, what was lost, what failed, the machine's rate."""
    counted = [result for result in results if KNOWN[result.name].counted]
    ratios = {result.name: result.ratio() for result in counted}
    known = {name: ratio for name, ratio in ratios.items() if ratio is not None}
    sentences = []
    if known:
        mean = math.exp(sum(map(math.log, known.values())) / len(known))
        sentences.append(f"Geometric mean of {len(known)} rows: {mean:.2f} (target 2).")
        lost = [name for name, ratio in known.items() if ratio < 1]
        sentences.append(f"Lost: {', '.join(lost) if lost else 'none'}.")
    disturbed = [f"{one.name} ({one.others:.1f})" for one in results if (one.others or 0) > QUIET]
    if disturbed:
        listed = ", ".join(disturbed)
        sentences.append(f"Disturbed, with the processors that other programs kept busy: {listed}.")
    missing = [name for name in ratios if name not in known]
    if missing:
        sentences.append(f"Without a ratio: {', '.join(missing)}.")
    for result in results:
        for name, figures in result.figures.items():
            if figures.error:
                sentences.append(f"Failed: {result.name} in {NAMES[name]}: {figures.error}")
        if result.peak:
            sentences.append(_rates(result))
    return sentences


def brief(result: Result) -> str:
    """One row's times of a step in one line."""
    every = [
        (NAMES[name], _shown(one, lambda one: one.step)) for name, one in result.figures.items()
    ]
    return ", ".join(f"{name} {shown}" for name, shown in every)


def verdict(result: Result, row: Row) -> str:
    """What became of a row: ``""`` where it reached its targets."""
    ratio, torch = result.ratio(), result.ratio("torch")
    if result.figures[OURS].error:
        return "FAILED"
    if ratio is None:
        return "no peer"
    if not row.counted:
        return ""
    if ratio < 1:
        return "LOSS"
    below = ratio < row.target.best
    below |= bool(row.target.torch and torch is not None and torch < row.target.torch)
    below |= bool(row.target.peak and _share(result, OURS) < row.target.peak)
    return "below target" if below else ""


def text(lines: list[Line]) -> str:
    """A table for a terminal."""
    widths = [max(map(len, column)) for column in zip(*lines)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths))
        ).rstrip()
        for line in lines
    )


def markdown(results: Sequence[Result], machine: dict[str, str]) -> str:
    """The tables with the machine named."""
    facts = "; ".join(f"{name} {value}" for name, value in machine.items())
    parts = ["Measured by `python -m benchmarks` on: " + facts + ".", HOW]
    for heading, *lines in tables(results):
        rule = ["---", *["---:"] * (len(heading) - 1)]
        parts.append("\n".join(f"| {' | '.join(line)} |" for line in (heading, rule, *lines)))
    parts.append("\n".join(f"- {sentence}" for sentence in summary(results)))
    return "\n\n".join(parts)


def write(path: Path, tables: str) -> None:
    """Puts the tables between the marks of a page; makes a page where there is none.

    Raises:
        ValueError: the page has no marks.
    """
    page = path.read_text() if path.exists() else f"# Performance\n\n{BEGIN}\n{END}\n"
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{path} has no lines {BEGIN} and {END}")
    path.write_text(f"{before}{BEGIN}\n\n{tables}\n\n{END}{after}")


def seconds(value: float) -> str:
    """A time with three digits."""
    if value >= 1:
        return f"{value:.3g} s"
    unit, scale = ("ms", 1e3) if value >= 1e-3 else ("us", 1e6)
    number = value * scale
    return f"{number:.0f} {unit}" if number >= 100 else f"{number:.3g} {unit}"


def megabytes(value: float) -> str:
    """An amount of memory."""
    return f"{value / 2**20:.0f} MiB"


def _frameworks(results: Sequence[Result]) -> list[str]:
    present = {name for result in results for name in result.figures}
    return [name for name in NAMES if name in present]


def _shown(
    figures: Figures | None,
    look: Callable[[Figures], float | None],
    show: Callable[[float], str] = seconds,
) -> str:
    value = None if figures is None else look(figures)
    if value is not None:
        return show(value)
    return "failed" if figures is not None and figures.error else "-"


def _ratio(result: Result, row: Row) -> str:
    ratio, torch = result.ratio(), result.ratio("torch")
    if ratio is None:
        return "-"
    shown = f"{ratio:.2f}"
    if row.target.torch and torch is not None:
        shown += f" (PyTorch {torch:.2f})"
    if row.target.peak and result.peak:
        shown += f" ({_share(result, OURS):.0%} of peak)"
    return shown


def _target(row: Row) -> str:
    if not row.counted:
        return ""
    shown = f"{row.target.best:g}"
    if row.target.torch:
        shown += f" (PyTorch {row.target.torch:g})"
    if row.target.peak:
        shown += f" ({row.target.peak:.0%} of peak)"
    return shown


def _limits(row: Row) -> str:
    if row.target.empty is None or row.target.kept is None:
        return ""
    return f"{seconds(row.target.empty)}, {seconds(row.target.kept)}"


def _late(ours: Figures, row: Row) -> str:
    """Whether a first step took longer than it should."""
    limits = ((ours.first, row.target.empty), (ours.kept, row.target.kept))
    late = any(value and limit and value > limit for value, limit in limits)
    return "MISSED" if late else ""


def _share(result: Result, name: str) -> float:
    """The part of the machine's rate that a framework reaches."""
    figures = result.figures.get(name)
    if not result.peak or figures is None or not figures.step:
        return math.nan
    return KNOWN[result.name].flops / figures.step / result.peak


def _rates(result: Result) -> str:
    assert result.peak is not None
    shares = [
        f"{NAMES[name]} {_share(result, name):.0%}"
        for name, figures in result.figures.items()
        if figures.step
    ]
    return (
        f"Rate of fused multiply-adds measured beside {result.name}:"
        f" {result.peak / 1e9:.0f} GFLOP/s; reached: {', '.join(shares)}."
    )
