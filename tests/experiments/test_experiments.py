"""Every ready experiment trains from one command, to the figures that it promises."""

from __future__ import annotations

import json
import shutil
import subprocess
from functools import partial
from importlib.resources import files
from pathlib import Path

import pytest
from PIL import Image

import rushlight as rl
from rushlight.config import main, resume_main
from rushlight.experiments.networks import cnn
from rushlight.experiments.transfer import FineTuner
from rushlight.optim import SGD
from rushlight.train.callbacks import Callback
from rushlight.train.checkpoint import read_checkpoint

# What the test of the best checkpoint has to come to, and words that make a test shorter.
PROMISED = {
    "digits_mlp": ("test_accuracy", 0.96, ()),
    "digits_cnn": ("test_accuracy", 0.98, ("trainer.max_epochs=8",)),
    "demand": ("test_skill", 0.3, ("trainer.max_epochs=5",)),
    "glyphs": ("test_accuracy", 0.7, ("trainer.max_epochs=6", "data.count=2000")),
    "vae": ("test_explained", 0.75, ("trainer.max_epochs=15",)),
    "vowels": ("test_accuracy", 0.8, ("trainer.max_epochs=2", "data.count=160")),
    "passages": ("test_accuracy", 0.86, ("trainer.max_epochs=2",)),
}
# As they are: minutes.
LONGER = {
    "digits_resnet": ("test_accuracy", 0.95),
    "characters": ("test_bits", 2.3),
    "vowels": ("test_accuracy", 0.97),
    "passages": ("test_accuracy", 0.91),
    "glyphs": ("test_accuracy", 0.9),
}
LESS_IS_BETTER = {"test_bits"}
ELSEWHERE = {"finetune"}  # has a test of its own


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def trained(name: str, *words: str) -> dict[str, float]:
    """The metrics of a run in the folder ``name``."""
    return trained_in(name, f"experiment={name}", *words)


def trained_in(folder: str, *words: str) -> dict[str, float]:
    assert main([f"hydra.run.dir={folder}", *words]) == 0
    return json.loads(Path(folder, "result.json").read_text())["metrics"]


def test_all_experiments_are_here():
    shipped = files("rushlight.config.conf").joinpath("experiment").iterdir()
    names = {Path(file.name).stem for file in shipped if file.name.endswith(".yaml")}
    assert names == {*PROMISED, *LONGER, *ELSEWHERE}


@pytest.mark.parametrize("name", PROMISED)
def test_an_experiment_keeps_its_promise(name: str):
    metric, least, words = PROMISED[name]
    assert trained(name, *words)[metric] >= least
    written = {path.name for path in Path(name).iterdir()}
    assert written >= {"best.ckpt", "last.ckpt", "config.yaml", "metrics.csv", "result.json"}


@pytest.mark.slow
@pytest.mark.parametrize("name", LONGER)
def test_a_longer_experiment_keeps_its_promise(name: str):
    metric, bound = LONGER[name]
    reached = trained(name)[metric]
    assert reached <= bound if metric in LESS_IS_BETTER else reached >= bound


def test_a_gpt_learns_and_writes():
    words = ("trainer.max_epochs=1", "data.steps=60", "task.layers=1", "task.write=80")
    metrics = trained("characters", *words, "trainer.limit_test_batches=2")
    assert metrics["test_bits"] < 3.9  # a guess costs 6.2 bits, the letters' shares 4.3
    text = Path("characters/written.txt").read_text()
    assert text.startswith("Elizabeth ")
    assert len(text) == 81


@pytest.mark.skipif(shutil.which("chromium") is None, reason="no browser here")
def test_a_browser_shows_the_page_without_a_complaint():
    trained("digits_cnn", "trainer.max_epochs=2")
    page = Path("digits_cnn/report.html").absolute()
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--v=0"]
    shown = subprocess.run(
        ["chromium", *options, "--dump-dom", page.as_uri()],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert "CONSOLE" not in shown.stderr
    for words in ("Confusion matrix", "Curves", "Loss by epoch", "Conv2d", "Do it again"):
        assert words.lower() in shown.stdout.lower()
    assert shown.stdout.count("<img") >= 4
    assert "<svg" in shown.stdout


def test_the_autoencoder_draws():
    trained("vae", "trainer.max_epochs=2")
    with Image.open("vae/vae.png") as picture:
        assert picture.size == (10 * 50 + 2, 5 * 50 + 2)  # five rows of ten images


@pytest.mark.slow
def test_fine_tuning_beats_training_from_nothing():
    trained("glyphs")
    accuracy = {
        start: sum(
            trained_in(f"{start}{seed}", "experiment=finetune", f"seed={seed}", *words)[
                "test_accuracy"
            ]
            for seed in range(3)
        )
        / 3
        for start, words in {
            "tuned": ["task.checkpoint=glyphs/best.ckpt"],
            "scratch": ["task.checkpoint=null", "task.frozen_epochs=0", "task.body_rate=1.0"],
        }.items()
    }
    assert accuracy["tuned"] > accuracy["scratch"] + 0.03
    assert accuracy["tuned"] > 0.85


def test_a_run_that_was_stopped_early_goes_on():
    trained("digits_mlp", "trainer.max_epochs=2")
    assert resume_main(["digits_mlp", "trainer.max_epochs=4"]) == 0
    told = json.loads(Path("digits_mlp/result.json").read_text())
    assert (told["epochs"], told["steps"]) == (4, 4 * 40)


WRONG = {
    "experiment=digits_mpl": "experiment has no option digits_mpl; did you mean digits_mlp?",
    "experiment=vae task.latnt=3": "task.latnt is not a setting; did you mean task.latent?",
    "experiment=vae task.latent=x": "task.latent=x is not a whole number",
    "experiment=vae +task.hiden=3": "did you mean task.hidden?",
    "experiment=finetune": "task.checkpoint has no value: give it one with task.checkpoint=",
    "experiment=vae task._target_=rushlight.No": "task._target_=rushlight.No does not exist",
    "experiment=vae trainer.precision=7": "trainer: Precision 7 is invalid",
    "experiment=vae ~task": "~task takes away a setting that a run needs",
    "experiment=vae ~callbacks.nobody": "callbacks.nobody is not a setting",
}


@pytest.mark.parametrize("words, sentence", WRONG.items())
def test_what_is_wrong_is_told_before_any_work(words, sentence, capsys):
    assert main(words.split()) == 2
    said = capsys.readouterr().err
    assert said.startswith("rushlight train: ")
    assert sentence in said
    assert said.count("\n") == 1


def test_resume_names_what_is_missing(capsys):
    assert resume_main(["nowhere"]) == 2
    assert "nowhere is not a run folder" in capsys.readouterr().err
    trained("digits_mlp", "trainer.max_epochs=1")
    assert resume_main(["digits_mlp", "task.label_smoothing=0.1"]) == 2
    assert "can change trainer.max_epochs alone" in capsys.readouterr().err


def test_fine_tuning_takes_the_body_and_not_the_head():
    trained("glyphs", "trainer.max_epochs=1", "data.count=200")
    stored = read_checkpoint("glyphs/best.ckpt")["state_dict"]
    network = cnn([32, 64], 10)
    FineTuner(network, partial(SGD, lr=0.1), "glyphs/best.ckpt", head="head")
    for name, value in network.state_dict().items():
        assert rl.equal(value, stored[f"network.{name}"]) == (not name.startswith("head."))
    with pytest.raises(ValueError, match="is not of this network"):
        FineTuner(cnn([32], 10), partial(SGD, lr=0.1), "glyphs/best.ckpt", head="head")
    with pytest.raises(ValueError, match="pool has no parameters"):
        FineTuner(network, partial(SGD, lr=0.1), None, head="pool")


def test_fine_tuning_frees_the_body_later_and_lets_it_learn_slower():
    trained("glyphs", "trainer.max_epochs=1", "data.count=200")
    words = ("task.checkpoint=glyphs/best.ckpt", "trainer.max_epochs=2", "task.frozen_epochs=1")
    trained("finetune", *words, "+callbacks.every={_target_: test_experiments.EveryEpoch}")
    first, second = EveryEpoch.bodies
    before = read_checkpoint("glyphs/best.ckpt")["state_dict"]["network.features.0.weight"]
    assert rl.equal(first, before)
    assert not rl.equal(second, before)


class EveryEpoch(Callback):
    """Notes the first layer after each epoch."""

    bodies: list[rl.Tensor] = []

    def on_train_epoch_end(self, trainer, task):
        self.bodies.append(task.network.features[0].weight.detach().clone())


def test_callbacks_can_be_left_out():
    trained("digits_mlp", "trainer.max_epochs=1", "~callbacks.update_ratios")
    assert "UpdateRatios" not in Path("digits_mlp/config.yaml").read_text()
    assert not Path("digits_mlp/update_ratios.svg").exists()
