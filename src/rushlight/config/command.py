"""What happens between ``rushlight train`` and a run: check everything, then hand over."""

from __future__ import annotations

import math
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rushlight.train.faults import EXIT_SETTING, RunFault, RunInterrupted, require
from rushlight.train.place import report_command, shown

from .flags import Flags, read_flags

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from .compose import Job

NEEDED = ("hydra", "rich", "matplotlib", "safetensors")
# A file system's names have at most 255 bytes; beyond this a sweep's folders are only numbered.
LONGEST_NAME = 150


def main(argv: list[str]) -> int:
    """See :func:`rushlight.config.main`."""
    try:
        require(*NEEDED)
        flags = read_flags(argv)
        return _train(flags, argv)
    except RunFault as fault:
        return _told(fault)
    except KeyboardInterrupt:
        print("rushlight train: interrupted before the first step", file=sys.stderr)
        return 128 + signal.SIGINT


def resume(argv: list[str]) -> int:
    """See :func:`rushlight.config.resume_main`."""
    if len(argv) == 0 or argv[0].startswith("-"):
        print("usage: rushlight resume FOLDER [key=value ...]", file=sys.stderr)
        return 0 if argv and argv[0] in ("-h", "--help") else EXIT_SETTING
    folder, *words = argv
    try:
        require(*NEEDED)
        from .resume import resume as go_on

        return go_on(Path(folder), words)
    except RunFault as fault:
        return _told(fault, "resume")


def _told(fault: RunFault, command: str = "train") -> int:
    print(f"rushlight {command}: {fault}", file=sys.stderr)
    return fault.code


def _train(flags: Flags, argv: list[str]) -> int:
    from . import resume
    from .compose import opened
    from .processes import alone, speaks, together

    if not flags.showing and (asked := resume.to_resume(flags)) is not None:
        return resume.resume(*asked)
    kind = _kind(flags)
    with opened(kind.flags, kind.read) as composer:
        jobs = composer.jobs()
    if flags.showing:
        _hand_over(argv, kind, lambda config: None)
        return 0
    from rushlight.train.folder import claim

    for job in jobs:
        kind.check(job.settings)
    if flags.multirun:
        for job in jobs:
            alone(job.settings)
        return _sweep(argv, kind, jobs)
    folder = together(jobs[0].settings, jobs[0].run_folder)
    if speaks():
        claim(folder)
    _hand_over([*argv, _word("hydra.run.dir", folder)], kind, kind.run)
    return 0


@dataclass(frozen=True)
class Kind:
    """What a command line trains.

    Attributes:
        flags: the command line, with the name of the file that such runs begin with.
        read: from a composed configuration to a checked experiment.
        check: finds what is wrong with an experiment beyond its values, before any work.
    """

    flags: Flags
    read: Callable[..., DictConfig]
    check: Callable[[DictConfig], object]

    def run(self, config: DictConfig) -> float:
        """What Hydra calls for each run; a sweeper that searches is told what it returns."""
        from hydra.core.hydra_config import HydraConfig

        from rushlight.train.folder import claim

        from . import experiment
        from .processes import speaks

        hydra = HydraConfig.get()
        folder = Path(hydra.runtime.output_dir)
        whole = self.read(config, lambda key: "")
        if speaks():
            claim(folder)
        return experiment.run(whole, folder, list(hydra.overrides.task))


def _kind(flags: Flags) -> Kind:
    from . import experiment, images

    if experiment.asks_for_one(flags):
        experiment.from_here()
        return Kind(experiment.of_experiments(flags), experiment.checked, lambda whole: None)
    return Kind(flags, images.checked, experiment.rehearse)


def _sweep(argv: list[str], kind: Kind, jobs: list[Job[Any]]) -> int:
    """Trains every run of a sweep. One that cannot go on does not keep the others from it."""
    from hydra.core.hydra_config import HydraConfig

    worst = 0

    def one_of_many(config: DictConfig) -> float:
        nonlocal worst
        job = HydraConfig.get()
        count = f" of {len(jobs)}" if job.job.num < len(jobs) else ""
        print(f"\nrun {job.job.num + 1}{count}: {' '.join(job.overrides.task)}")
        try:
            return kind.run(config)
        except RunInterrupted:
            raise
        except RunFault as fault:
            worst = max(worst, _told(fault))
            return math.nan

    from rushlight.train.folder import claim

    folder = jobs[0].sweep_folder
    claim(folder)
    extra = [_word("hydra.sweep.dir", folder)]
    named = ("hydra.sweep.subdir", "override_dirname")
    if not any(name in word for word in kind.flags.words for name in named):
        extra.append(_names(jobs))
    _hand_over([*argv, *extra], kind, one_of_many)
    print(f"\nthe runs are in {shown(folder)}: `{report_command([folder])}` draws them")
    return worst


def _names(jobs: list[Job[Any]]) -> str:
    """A word that names the runs' folders after what differs between them."""
    same = set(jobs[0].words).intersection(*(job.words for job in jobs))
    names = [",".join(word for word in job.words if word not in same) for job in jobs]
    if any(len(name) > LONGEST_NAME or "/" in name for name in names):
        return "hydra.sweep.subdir='${hydra.job.num}'"
    keys = ",".join(repr(word.partition("=")[0]) for word in sorted(same))
    return f"hydra.job.config.override_dirname.exclude_keys=[{keys}]"


@contextmanager
def _as_command(argv: list[str]) -> Iterator[None]:
    before = sys.argv
    sys.argv = ["rushlight train", *argv]
    try:
        yield
    finally:
        sys.argv = before


def _hand_over(argv: list[str], kind: Kind, task: Callable[[DictConfig], Any]) -> None:
    """Lets Hydra run ``task`` once for each run that the words ask for."""
    import hydra

    faults: list[RunFault] = []

    def guarded(config: DictConfig) -> Any:
        try:
            return task(config)
        except RunFault as fault:
            # Hydra would print a traceback for it. SystemExit it lets pass.
            faults.append(fault)
            raise SystemExit(fault.code) from None

    start = hydra.main(version_base="1.3", config_path="pkg://rushlight.config.conf",
                       config_name=kind.flags.name)  # fmt: skip
    try:
        with _as_command(argv):
            start(guarded)()
    except SystemExit:
        if faults:
            raise faults[0] from None
        raise


def _word(key: str, path: Path) -> str:
    from .compose import quoted

    return f"{key}={quoted(str(path))}"
