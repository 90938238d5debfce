"""The benchmarks measure, compare and keep figures. No test looks at how long anything takes."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from benchmarks import report
from benchmarks.measure import OURS, Figures, Options, Result, measured
from benchmarks.rows import ROWS, Row, chosen

ROOT = Path(__file__).resolve().parent.parent
OPTIONS = Options(peers=("torch",), threads=1, rounds=2, seconds=0.0, limit=60.0)
TINY = Row(
    "mlp-64", "mlp", "a tiny network", "dense", "mlp",
    {"batch": 2, "inputs": 3, "hidden": 4, "classes": 2}, trains=True,
)  # fmt: skip


def test_row_in_two_frameworks() -> None:
    result = measured(TINY, OPTIONS)
    for figures in result.figures.values():
        assert figures.error is None
        assert figures.step and figures.first and figures.second and figures.memory
        assert figures.parameters == 3 * 4 + 4 + 4 * 2 + 2
        assert len(figures.rounds) == 2
    assert result.figures[OURS].kept and result.ratio() == result.ratio("torch")
    assert result.figures[OURS].look == pytest.approx(0.7, abs=1.0)
    assert Result.from_dict(json.loads(json.dumps(result.as_dict()))) == result


def test_failure_is_shown_with_its_first_line() -> None:
    wrong = replace(TINY, arguments={"batch": 2, "inputs": -3}, trains=False)
    result = measured(wrong, replace(OPTIONS, peers=()))
    error = result.figures[OURS].error
    assert error and "\n" not in error
    assert result.figures[OURS].step is None and result.ratio() is None
    assert report.verdict(result, TINY) == "FAILED"
    assert f"Failed: mlp-64 in rushlight: {error}" in report.summary([result])


def test_slow_answer_is_a_failure() -> None:
    result = measured(replace(TINY, trains=False), replace(OPTIONS, peers=(), limit=0.01))
    assert result.figures[OURS].error == "no answer to 'prepare' in 0.01 s"


def test_loss_is_called_one() -> None:
    results = [_result("mlp-1", 1.0, 0.5), _result("rnn", 1.0, 2.0), _result("cnn", 1.0, 3.0)]
    verdicts = [line[-1] for line in report.speed(results)[1:]]
    assert verdicts == ["LOSS", "below target", ""]
    said = report.summary(results)
    assert said[0] == f"Geometric mean of 3 rows: {3 ** (1 / 3):.2f} (target 2)."
    assert said[1] == "Lost: mlp-1."


def test_shortest_steps_can_be_compared() -> None:
    result = _result("cnn", 1.0, 3.0)
    result.figures[OURS].rounds[0]["least"] = 0.5
    assert result.shortest().ratio() == 6.0 and result.ratio() == 3.0


def test_page_keeps_what_stands_around_the_tables(tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    page.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    report.write(page, report.markdown([_result("cnn", 1.0, 3.0)], {"processor": "an abacus"}))
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("after\n") and "old" not in text
    assert "processor an abacus" in text and "| 3.00 |" in text
    page.write_text("no marks")
    with pytest.raises(ValueError, match="has no lines"):
        report.write(page, "tables")


def test_rows_are_asked_for_by_name_or_group() -> None:
    assert [row.name for row in chosen(["mlp-64", "chain"])] == [
        "mlp-64",
        "chain",
        "chain-compiled",
    ]
    assert chosen([]) == list(ROWS)
    assert len({row.name for row in ROWS}) == len(ROWS)
    with pytest.raises(KeyError, match="mpl"):
        chosen(["mpl"])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_work_of_a_row_exists(row: Row) -> None:
    for language in ("in_torch", "in_jax"):
        source = (ROOT / "benchmarks" / language / f"{row.module}.py").read_text()
        assert f"def {row.work}(" in source


def test_command_line_names_what_it_does_not_know() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "mpl"], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode != 0 and "no row and no group called mpl" in done.stderr


@pytest.mark.skipif(not importlib.util.find_spec("jax"), reason="JAX is not installed")
def test_row_in_jax() -> None:
    result = measured(TINY, replace(OPTIONS, peers=("jax",), rounds=1))
    assert result.figures["jax"].error is None
    assert result.figures["jax"].parameters == result.figures[OURS].parameters


def _result(name: str, ours: float, torch: float) -> Result:
    def figures(step: float) -> Figures:
        return Figures(rounds=[{"median": step, "least": step, "count": 1}])

    return Result(name, {OURS: figures(ours), "torch": figures(torch)})
