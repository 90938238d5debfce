"""``rushlight report``, the figures and the page of a run."""

from __future__ import annotations

import csv
import json
import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from rushlight.base.amounts import duration
from rushlight.config import main
from rushlight.experiments.curves import draw_curves
from rushlight.experiments.predictions import wilson
from rushlight.train import compare, report_main
from rushlight.train.faults import RunFault
from rushlight.train.figures import image_png, matrix, save_figure
from rushlight.train.metrics import read_metrics, write_metrics
from rushlight.train.result import read_finished

COLUMNS = ("epoch", "train_loss", "validation_loss", "validation_accuracy", "seconds")


def rows(epochs: int, seed: int = 0) -> list[dict[str, float]]:
    random = np.random.default_rng(seed)
    return [
        {
            "epoch": epoch,
            "train_loss": float(2 / epoch + random.random() / 10),
            "train_accuracy": float(1 - 0.9 / epoch),
            "validation_loss": float(1.5 / epoch + random.random() / 10),
            "validation_accuracy": float(1 - 0.8 / epoch),
            "learning_rate": 0.001,
            "samples_per_second": 12345.6,
            "seconds": 0.25,
        }
        for epoch in range(1, epochs + 1)
    ]


def run(
    folder: Path, epochs: int = 3, right: int = 95, finished: bool = True, **settings: Any
) -> Path:
    folder.mkdir(parents=True)
    write_metrics(folder, rows(epochs, seed=len(folder.name)))
    optimizer = settings.get("optimizer", "Adam")
    whole = {
        "seed": settings.get("seed", 0),
        "task": {
            "network": {"_target_": "some.mlp", "activation": settings.get("activation", "relu")},
            "optimizer": {"_target_": f"some.{optimizer}", "lr": settings.get("lr", 0.1)},
            "scheduler": {"_target_": "some.Cosine", "T_max": epochs},
        },
        "trainer": {"max_epochs": epochs},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(whole))
    if finished:
        metrics = {"test_accuracy": right / 100, "test_loss": 0.25}
        told = {"metrics": metrics, "parameters": 1234}
        (folder / "result.json").write_text(json.dumps(told))
    return folder


def report(*words: object) -> int:
    return report_main([str(word) for word in words])


def refusal(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    assert report(*words) == 2
    told = capsys.readouterr()
    assert told.out == "" and told.err.count("\n") == 1
    return told.err


class Links(HTMLParser):
    """Everything that a page would load or link to, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "href":
                self.links.append(str(value))
            elif name in ("src", "srcset", "data", "poster", "action"):
                self.loads.append(str(value))
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def check_page(path: Path) -> Links:
    text = path.read_text(encoding="utf-8")
    links = Links(text)
    assert not links.open, "every element is closed"
    assert all(load.startswith("data:image/") for load in links.loads), "nothing is loaded"
    assert "@import" not in text and "url(" not in text and "<script" not in text
    assert 'name="viewport"' in text
    return links


def check_figure(path: Path) -> None:
    from PIL import Image

    with Image.open(path.with_suffix(".png")) as image:
        assert image.format == "PNG" and min(image.size) > 400
        assert len(set(image.convert("L").resize((64, 64)).get_flattened_data())) > 5, "not blank"
    root = ElementTree.parse(path.with_suffix(".svg")).getroot()
    assert root.tag.endswith("svg") and b"<text" not in path.with_suffix(".svg").read_bytes()


# Several runs.


def test_two_runs_give_figure_page_and_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = run(tmp_path / "a", optimizer="SGD", right=97)
    other = run(tmp_path / "b", optimizer="Adam", right=95)
    assert report(one, other) == 0
    table = capsys.readouterr().out.splitlines()
    assert table[0].startswith("run") and table[1].startswith("SGD") and "97.0%" in table[1]
    assert table[2].startswith("Adam") and "95.0%" in table[2]
    check_figure(tmp_path / "comparison")
    page = check_page(tmp_path / "comparison.html")
    assert "2 runs compared" in page.text and "97.0%" in page.text


def test_a_folder_of_runs_stands_for_them(tmp_path: Path) -> None:
    for i, activation in enumerate(("relu", "tanh", "gelu")):
        run(tmp_path / "sweep" / f"{i}_{activation}", activation=activation)
    (tmp_path / "sweep" / "multirun.yaml").write_text("")
    assert report(tmp_path / "sweep") == 0
    assert report(*(tmp_path / "sweep").iterdir()) == 0, "its own files are no runs"
    page = check_page(tmp_path / "sweep" / "comparison.html")
    assert all(name in page.text for name in ("relu", "tanh", "gelu"))


def test_a_run_that_goes_on_is_told_as_such(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(run(tmp_path / "a", finished=False), run(tmp_path / "b")) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("b ") and lines[2].startswith("a ")
    assert "not finished" in lines[2]


@pytest.mark.parametrize("count", [1, 2, 8, 30])
def test_any_number_of_runs(tmp_path: Path, count: int) -> None:
    folders = [run(tmp_path / str(i), epochs=1 + i % 4, seed=i) for i in range(count)]
    assert report(*folders) == 0
    check_figure(tmp_path / "comparison")
    styles = [(told.colour, told.line) for told in _dressed(folders)]
    assert len(set(styles)) == min(count, 28)


def _dressed(folders: list[Path]) -> list[compare.Told]:
    runs = [compare._read(folder) for folder in folders]
    factors = compare._factors(runs)
    compare._name(runs, factors)
    compare._dress(runs, factors)
    return runs


def test_labels_tell_what_differs_and_nothing_else(tmp_path: Path) -> None:
    folders = [
        run(tmp_path / "0", optimizer="SGD", lr=0.1, activation="relu"),
        run(tmp_path / "1", optimizer="Adam", lr=0.2, activation="relu"),
        run(tmp_path / "2", optimizer="SGD", lr=0.1, activation="tanh"),
        run(tmp_path / "3", optimizer="Adam", lr=0.2, activation="tanh"),
    ]
    runs = _dressed(folders)
    # The rate follows from the optimizer, so that it is not named.
    assert [told.label for told in runs] == ["relu, SGD", "relu, Adam", "tanh, SGD", "tanh, Adam"]
    assert runs[0].colour == runs[2].colour or runs[0].line == runs[2].line
    assert len({(told.colour, told.line) for told in runs}) == 4


def test_labels_of_numbers_say_which_number(tmp_path: Path) -> None:
    folders = [run(tmp_path / str(i), lr=lr) for i, lr in enumerate((0.1, 0.01))]
    assert [told.label for told in _dressed(folders)] == ["lr 0.1", "lr 0.01"]


def test_equal_runs_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    folders = [run(tmp_path / "one"), run(tmp_path / "two")]
    assert [told.label for told in _dressed(folders)] == ["one", "two"]


def test_the_page_links_to_the_runs_pages(tmp_path: Path) -> None:
    folder = run(tmp_path / "a b")
    (folder / "report.html").write_text("")
    assert report(folder, run(tmp_path / "c"), "--to", tmp_path / "deep" / "er") == 0
    page = check_page(tmp_path / "deep" / "er" / "comparison.html")
    (link,) = page.links
    assert (tmp_path / "deep" / "er" / link.replace("%20", " ")).resolve().exists()


def test_names_are_escaped(tmp_path: Path) -> None:
    assert report(run(tmp_path / "<b>&'\"", activation="<i>"), run(tmp_path / "c")) == 0
    assert "<i>" in check_page(tmp_path / "comparison.html").text


def test_only_what_lies_beside_runs_is_no_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "no run was named" in refusal(capsys, tmp_path / "comparison.html")


@pytest.mark.parametrize("name", ["nowhere", "empty", "file"])
def test_what_is_no_run_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    sentence = refusal(capsys, run(tmp_path / "a"), tmp_path / name)
    assert name in sentence and "folder" in sentence
    assert not (tmp_path / "comparison.html").exists()


@pytest.mark.parametrize(
    "file, text",
    [
        ("metrics.csv", "a,b\n1,2\n"),
        ("metrics.csv", ",".join(COLUMNS) + "\n1,2,3\n"),
        ("metrics.csv", ",".join(COLUMNS) + "\n" + ",".join(["x"] * len(COLUMNS)) + "\n"),
        ("metrics.csv", "\0\0\0"),
        ("config.yaml", "a: [\n"),
        ("config.yaml", "- 3\n"),
        ("result.json", "{"),
        ("result.json", "[]"),
        ("result.json", '{"metrics": {}}'),
    ],
)
def test_damaged_folders_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], file: str, text: str
) -> None:
    folder = run(tmp_path / "a")
    (folder / file).write_text(text)
    assert file in refusal(capsys, folder)


def test_a_run_without_an_epoch_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = run(tmp_path / "a", finished=False)
    write_metrics(folder, [], COLUMNS)
    assert "has not finished an epoch" in refusal(capsys, folder)


def test_a_folder_that_cannot_be_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert "could not write into" in refusal(capsys, run(tmp_path / "a"), "--to", tmp_path / "file")


# One run.


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was told everything about."""
    there = tmp_path_factory.mktemp("one") / "run"
    words = ["model.hidden=8", "trainer.epochs=2", "model.channels=[4]"]
    assert main([*words, f"hydra.run.dir={there}"]) == 0
    return there


def test_a_run_s_page_stands_alone(folder: Path) -> None:
    links = check_page(folder / "report.html")
    found = json.loads((folder / "result.json").read_text())["metrics"]
    right = round(found["test_accuracy"] * 355)
    low, high = wilson(right, 355)
    for words in (
        f"{found['test_accuracy']:.1%} test accuracy",
        f"{right} of 355 that the network never saw",
        f"95% interval {low:.1%} to {high:.1%}",
        "rushlight train model.hidden=8",
        f"rushlight resume {folder}",
        "sure",
        "CC BY 4.0",
        "MemoryCheck",
    ):
        assert words in links.text
    for name in ("loss", "accuracy", "confusion", "learning_rate"):
        check_figure(folder / name)


def test_figures_are_the_same_bytes_each_time(tmp_path: Path) -> None:
    counts = np.diag(np.full(10, 9)) + 1
    for draw in (lambda: draw_curves(rows(3), "loss"), lambda: draw_curves(rows(3), "accuracy"),
                 lambda: matrix(counts, list("0123456789"), "told")):  # fmt: skip
        assert save_figure(draw(), tmp_path / "a") == save_figure(draw(), tmp_path / "b")


@pytest.mark.parametrize("accuracy", [0.0, 1.0])
def test_a_run_that_learned_nothing_or_all(tmp_path: Path, accuracy: float) -> None:
    flat = [row | {"validation_accuracy": accuracy, "train_accuracy": accuracy} for row in rows(1)]
    save_figure(draw_curves(flat, "accuracy"), tmp_path / "accuracy")
    check_figure(tmp_path / "accuracy")


def test_results_are_read(tmp_path: Path) -> None:
    assert read_finished(run(tmp_path / "a", right=90)).metrics["test_accuracy"] == 0.9
    assert read_finished(tmp_path / "none") is None


def test_metrics_keep_every_digit(tmp_path: Path) -> None:
    table = [dict.fromkeys(COLUMNS, 0.1) | {"epoch": 1.0, "train_loss": 1 / 3}]
    write_metrics(tmp_path, table)
    assert read_metrics(tmp_path) == table
    with open(tmp_path / "metrics.csv", newline="") as file:
        assert next(csv.reader(file)) == list(COLUMNS)
    with pytest.raises(RunFault, match="not a run folder"):
        read_metrics(tmp_path / "nowhere")


@pytest.mark.parametrize("right, count", [(0, 10), (10, 10), (350, 355), (1, 2)])
def test_wilson_is_scipy_s(right: int, count: int) -> None:
    from scipy.stats import binomtest

    expected = binomtest(right, count).proportion_ci(0.95, "wilson")
    assert wilson(right, count) == pytest.approx((expected.low, expected.high), abs=1e-6)


@pytest.mark.parametrize(
    "seconds, told", [(0.04, "0.0 s"), (59.9, "59.9 s"), (60, "1 min 0 s"), (7265, "2 h 1 min")]
)
def test_durations(seconds: float, told: str) -> None:
    assert duration(seconds) == told


@pytest.mark.parametrize("shape, mode", [((1, 8, 8), "L"), ((3, 4, 5), "RGB")])
def test_images_keep_their_pixels(shape: tuple[int, ...], mode: str) -> None:
    import io

    from PIL import Image

    image = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    with Image.open(io.BytesIO(image_png(image, 255))) as read:
        assert read.mode == mode
        pixels = np.asarray(read)
    assert np.array_equal(pixels, 255 - image[0] if mode == "L" else image.transpose(1, 2, 0))


def test_help_is_short(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        report("--help")
    assert ended.value.code == 0 and re.search(r"usage: rushlight report", capsys.readouterr().out)
