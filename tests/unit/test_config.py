"""How ``rushlight train`` reads its words and files, and what it says about wrong ones."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rushlight.config import main
from rushlight.config.compose import Job, opened
from rushlight.config.fill import fill
from rushlight.config.flags import read_flags
from rushlight.config.images import as_experiment
from rushlight.config.nearest import suggestion
from rushlight.config.targets import check_targets
from rushlight.train.settings import CHOICES, Settings


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def jobs(*argv: str) -> list[Job[Settings]]:
    with opened(read_flags(list(argv)), fill) as composer:
        return composer.jobs()


def refusal(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    """What the command says to words that it must refuse before it does anything."""
    assert main(list(argv)) == 2
    told = capsys.readouterr()
    assert told.out == "" and told.err.startswith("rushlight train: ")
    assert told.err.count("\n") == 1, "one sentence on one line"
    assert os.listdir() == [], "nothing was made"
    return told.err.removeprefix("rushlight train: ").rstrip()


# What is chosen.


def test_the_defaults_are_the_documented_ones() -> None:
    (job,) = jobs()
    names = {group: job.settings.__dict__[group].name for group in CHOICES if group != "trainer"}
    assert names == {
        "model": "cnn",
        "data": "digits",
        "optimizer": "adam",
        "scheduler": "cosine",
    }
    assert job.run_folder.parent == Path("runs")


@pytest.mark.parametrize(
    "group, name", [(g, n) for g, names in CHOICES.items() for n in names], ids=str
)
def test_every_choice_has_a_file_that_fills_it(group: str, name: str) -> None:
    (job,) = jobs(f"{group}={name}")
    chosen = getattr(job.settings, group)
    assert type(chosen) is CHOICES[group][name]
    assert group == "trainer" or chosen.name == name


def test_there_is_no_file_that_fills_nothing() -> None:
    with opened(read_flags([]), fill) as composer:
        found = {group: set(options) for group, options in composer.groups.items()}
    assert found.pop("experiment")  # test_experiments.py trains each of them
    assert found == {group: set(names) for group, names in CHOICES.items()}


def test_values_reach_the_settings_in_their_types() -> None:
    (job,) = jobs(
        "model=mlp",
        "model.hidden=[7]",
        "model.activation=gelu",
        "optimizer.lr=1e-3",
        "optimizer.betas=[0.5,0.6]",
        "optimizer.amsgrad=true",
        "trainer.clip=1",
        "trainer.epochs=3",
    )
    assert job.settings.model.hidden == [7]
    assert job.settings.optimizer.lr == 0.001 and job.settings.optimizer.amsgrad is True
    assert job.settings.optimizer.betas == [0.5, 0.6]
    assert job.settings.trainer.clip == 1.0 and type(job.settings.trainer.clip) is float
    assert job.settings.scheduler.T_max == 3  # follows the run's length


def test_an_empty_list_of_hidden_layers_is_allowed() -> None:
    assert jobs("model=mlp", "model.hidden=[]")[0].settings.model.hidden == []


def test_a_sweep_is_the_product_of_its_lists() -> None:
    found = jobs("-m", "optimizer=sgd,adam", "model.activation=relu,tanh,gelu", "trainer.seed=5")
    pairs = [(job.settings.optimizer.name, job.settings.model.activation) for job in found]
    assert pairs == [(o, a) for o in ("sgd", "adam") for a in ("relu", "tanh", "gelu")]
    assert all(job.settings.trainer.seed == 5 for job in found)
    assert len({job.sweep_folder for job in found}) == 1


def test_a_sweep_may_be_a_range() -> None:
    found = jobs("--multirun", "trainer.seed=range(2,5)", "trainer.batch_size=choice(8,16)")
    assert [job.settings.trainer.seed for job in found] == [2, 2, 3, 3, 4, 4]


def test_a_list_in_a_sweep_stays_a_list() -> None:
    found = jobs("-m", "model=mlp", "model.hidden=[8],[16,8]")
    assert [job.settings.model.hidden for job in found] == [[8], [16, 8]]


def test_an_experiment_says_the_same_as_its_settings() -> None:
    (job,) = jobs("optimizer=sgd", "scheduler=multistep", "model=lstm", "trainer.clip=2")
    whole = as_experiment(job.settings)
    check_targets(whole, lambda key: "")  # every class is there, and takes what it is given
    task = whole.task
    assert task.network._target_ == "rushlight.experiments.images.lstm"
    assert (task.network.hidden, task.network.data) == (64, "digits")
    assert task.optimizer._target_ == "rushlight.optim.SGD" and task.optimizer.lr == 0.05
    assert task.scheduler._target_.endswith(".MultiStepLR") and task.scheduler.gamma == 0.1
    assert (whole.trainer.max_epochs, whole.trainer.gradient_clip_val) == (20, 2.0)
    assert as_experiment(jobs("scheduler=none")[0].settings).task.scheduler is None


# What is refused.


@pytest.mark.parametrize(
    "words, sentence",
    [
        ("optimizer.lrr=1", "optimizer.lrr is not a setting; did you mean optimizer.lr?"),
        ("+optimizer.lrr=1", "optimizer.lrr is not a setting; did you mean optimizer.lr?"),
        ("++optimizer.lrr=1", "optimizer.lrr is not a setting; did you mean optimizer.lr?"),
        ("lr=0.1", "lr is not a setting; did you mean optimizer.lr?"),
        ("optimiser=sgd", "optimiser is not a setting; did you mean optimizer?"),
        ("optimiser.lr=1", "optimiser.lr is not a setting; did you mean optimizer.lr?"),
        ("epoch=3", "epoch is not a setting; did you mean trainer.epochs?"),
        ("optimizer=sdg", "optimizer has no option sdg; did you mean sgd?"),
        ("data=mnits", "data has no option mnits; did you mean mnist?"),
        ("data=fashionmnist", "data has no option fashionmnist; did you mean fashion_mnist?"),
        ("data=3", "data=3: data is chosen by a name"),
        ("model=null", "model=null: model is chosen by a name"),
        ("hydra.run.dri=x", "hydra.run.dri is not a setting; did you mean hydra.run.dir?"),
        ("optimizer.name=sgd", "optimizer.name follows from the group: choose with optimizer=..."),
        ("optimizer=sgd,adam", "optimizer=sgd,adam lists several values: --multirun trains one"),
        ("-m optimizer=sgd,adm", "optimizer has no option adm; did you mean adam?"),
        ("-m optimizer.lr=1,-1", "optimizer.lr must be above 0, not -1.0"),
        ("optimizer.lr=abc", "optimizer.lr must be a number, not abc"),
        ("optimizer.lr=0", "optimizer.lr must be above 0, not 0.0"),
        ("optimizer.lr=nan", "optimizer.lr must be above 0, not nan"),
        ("optimizer.lr=inf", "optimizer.lr must be finite, not inf"),
        ("optimizer.lr=[1]", "optimizer.lr must be a number, not [1]"),
        ("optimizer.lr=null", "optimizer.lr must be a number, not None"),
        ("optimizer.lr=", "optimizer.lr must be a number, not ''"),
        ("optimizer.betas=[0.9]", "optimizer.betas must be a list of 2, not [0.9]"),
        ("optimizer.betas=[1,0]", "optimizer.betas must be a list of numbers below 1, not [1.0"),
        ("optimizer.betas=3", "optimizer.betas must be a list of numbers, not 3"),
        ("optimizer.amsgrad=maybe", "optimizer.amsgrad must be true or false, not maybe"),
        ("trainer.epochs=0", "trainer.epochs must be at least 1, not 0"),
        ("trainer.epochs=2.5", "trainer.epochs must be a whole number, not 2.5"),
        ("trainer.epochs=true", "trainer.epochs must be a whole number, not True"),
        ("trainer.clip=0", "trainer.clip must be above 0, not 0.0"),
        ("trainer.clip=x", "trainer.clip must be a number or null, not x"),
        ("trainer.seed=-1", "trainer.seed must be at least 0, not -1"),
        ("trainer.seed=9223372036854775808", "trainer.seed must be at most 9.22337e+18"),
        ("model.activation=rleu", "model.activation must be one of relu, leaky_relu"),
        ("model.dropout=1", "model.dropout must be below 1, not 1.0"),
        ("model.hidden=[3]", "model.hidden must be a whole number, not [3]"),
        ("model.channels=[0]", "model.channels must be a list of numbers at least 1, not [0]"),
        ("model=mlp model.hidden=3", "model.hidden must be a list of whole numbers, not 3"),
        ("model=mlp model.channels=[3]", "model.channels is not a setting"),
        ("model=linear model.hidden=3", "model.hidden is not a setting; there is model.name"),
        ("trainer.epochs=${nothing}", "trainer.epochs: Interpolation key 'nothing' not found"),
        ("model", "model is not of the form key=value"),
        ("=3", "=3 is not of the form key=value"),
        ("model.channels=[1", "model.channels=[1 is not of the form key=value"),
        ("~model", "~model takes away a setting that a run needs"),
        ("--multi", "--multi is not a flag of rushlight train; did you mean --multirun?"),
        ("--config-dir", "--config-dir needs a value"),
        ("--config-dir nowhere", "--config-dir nowhere is not a folder"),
        ("--config-name nothing", "the configuration cannot be composed: Cannot find primary"),
        ("resume=nowhere", "resume=nowhere is not a folder"),
        ("resume=.", ". is not a run folder: it has no config.yaml"),
        ("resume=a,b", "resume goes on with one run"),
        ("-m resume=.", "resume goes on with one run"),
        ("hydra.run.dir=/dev/null/x", "could not make the folder /dev/null/x: Not a directory"),
    ],
)
def test_refusals(capsys: pytest.CaptureFixture[str], words: str, sentence: str) -> None:
    assert refusal(capsys, *words.split()).startswith(sentence)


def test_a_missing_extra_is_one_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rushlight.train.faults.find_spec", lambda name: None)
    told = refusal(capsys)
    assert "hydra" in told and 'pip install "rushlight[train]"' in told


# Files of the user's own.


@pytest.fixture
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("conf")
    (folder / "optimizer").mkdir()
    (folder / "optimizer" / "mine.yaml").write_text(
        "name: sgd\nlr: 0.3\nmomentum: 0.5\ndampening: 0.0\nweight_decay: 0.0\nnesterov: false\n"
    )
    (folder / "small.yaml").write_text(
        "defaults:\n  - config\n  - override optimizer: mine\n  - _self_\ntrainer:\n  epochs: 4\n"
    )
    return folder


def test_a_group_file_of_one_s_own(files: Path) -> None:
    (job,) = jobs("--config-dir", str(files), "optimizer=mine", "optimizer.momentum=0.7")
    assert (job.settings.optimizer.lr, job.settings.optimizer.momentum) == (0.3, 0.7)


def test_a_whole_configuration_of_one_s_own(files: Path) -> None:
    (job,) = jobs(f"--config-dir={files}", "--config-name=small")
    assert (job.settings.optimizer.lr, job.settings.trainer.epochs) == (0.3, 4)


@pytest.mark.parametrize(
    "file, wrong, right, sentence",
    [
        ("optimizer/mine.yaml", "momentun: 0.5", "momentum: 0.5",
         "optimizer.momentun is not a setting, in {file}, line 3; did you mean"),
        ("optimizer/mine.yaml", "lr: fast", "lr: 0.3",
         "optimizer.lr must be a number, not fast, in {file}, line 2"),
        ("optimizer/mine.yaml", "lr: -1", "lr: 0.3",
         "optimizer.lr must be above 0, not -1.0, in {file}, line 2"),
        ("optimizer/mine.yaml", "name: sdg", "name: sgd",
         "optimizer.name is sdg, which is no optimizer, in {file}, line 1; did you mean sgd?"),
        ("optimizer/mine.yaml", "", "lr: 0.3\n",
         "optimizer.lr has no value: add optimizer.lr=... or put it in a file"),
        ("small.yaml", "epochs: many", "epochs: 4",
         "trainer.epochs must be a whole number, not many, in {file}, line 6"),
        ("small.yaml", "trainre:\n", "trainer:\n",
         "trainre is not a setting, in {file}, line 5; did you mean trainer?"),
        ("small.yaml", "epochs: [", "epochs: 4", "the configuration cannot be composed: "),
        ("small.yaml", "override optimizer: nobody", "override optimizer: mine",
         "the configuration cannot be composed: In 'config': Could not find 'optimizer/nobody'"),
    ],
)  # fmt: skip
def test_faults_in_files_name_file_and_line(
    capsys: pytest.CaptureFixture[str],
    files: Path,
    file: str,
    wrong: str,
    right: str,
    sentence: str,
) -> None:
    path = files / file
    path.write_text(path.read_text().replace(right, wrong))
    told = refusal(capsys, "--config-dir", str(files), "--config-name", "small")
    assert told.startswith(sentence.format(file=path))


@pytest.mark.parametrize("flag", ["--help", "--cfg=job", "--version", "--info=all"])
def test_hydra_s_own_flags_show_and_train_nothing(
    capsys: pytest.CaptureFixture[str], flag: str
) -> None:
    try:
        status = main([flag])
    except SystemExit as ended:
        status = ended.code
    assert status in (0, None) and os.listdir() == []
    assert capsys.readouterr().out


@pytest.mark.parametrize(
    "wrong, right, told",
    [
        ("lr", ["optimizer.lr", "trainer.seed"], "; did you mean optimizer.lr?"),
        ("a.xyz", ["a.b", "a.c", "q.xyz"], "; there are a.b, a.c"),
        ("zzz", ["abc"], "; there is abc"),
        ("zzz", [], "; rushlight train --help lists what there is"),
    ],
)
def test_suggestions(wrong: str, right: list[str], told: str) -> None:
    assert suggestion(wrong, right) == told
