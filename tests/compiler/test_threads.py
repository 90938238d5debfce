"""How many threads: what the user says, the environment, affinity, the container's quota."""

from __future__ import annotations

import math
import warnings
from pathlib import Path

import pytest

from rushlight.runtime import available, get_num_threads, set_num_threads, threads
from rushlight.runtime.threads import quota

LINE_2 = "30 24 0:26 {root} {point} rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
LINE_1 = "31 24 0:27 {root} {point} rw,nosuid shared:5 - cgroup cgroup rw,cpu,cpuacct\n"


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """As if nobody had asked yet, in an empty environment."""
    monkeypatch.setattr(threads._Setting, "count", None)
    for variable in threads.VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    return monkeypatch


@pytest.mark.parametrize(
    "environment, count",
    [
        ({}, None),
        ({"OMP_NUM_THREADS": "3"}, 3),
        ({"OMP_NUM_THREADS": "5,2"}, 5),
        ({"RUSHLIGHT_NUM_THREADS": "7", "OMP_NUM_THREADS": "3"}, 7),
        ({"RUSHLIGHT_NUM_THREADS": "", "OMP_NUM_THREADS": " 3 "}, 3),
        ({"RUSHLIGHT_NUM_THREADS": "100000"}, 1024),
    ],
    ids=str,
)
def test_the_environment(
    fresh: pytest.MonkeyPatch, environment: dict[str, str], count: int | None
) -> None:
    for name, value in environment.items():
        fresh.setenv(name, value)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert get_num_threads() == (count or available())


@pytest.mark.parametrize("text", ["0", "-1", "many", "1.5", "²"])
def test_nonsense_in_the_environment_is_named(fresh: pytest.MonkeyPatch, text: str) -> None:
    fresh.setenv("RUSHLIGHT_NUM_THREADS", text)
    with pytest.warns(UserWarning, match=f"RUSHLIGHT_NUM_THREADS={text} is not a positive number"):
        assert get_num_threads() == available()
    assert get_num_threads() == available()  # said once


def test_set_and_get() -> None:
    before = get_num_threads()
    try:
        set_num_threads(3)
        assert get_num_threads() == 3
        with pytest.raises(ValueError, match="positive"):
            set_num_threads(0)
        assert get_num_threads() == 3
    finally:
        set_num_threads(before)


@pytest.fixture
def process(tmp_path: Path) -> Path:
    (tmp_path / "cgroup").write_text("0::/a/b\n")
    (tmp_path / "mountinfo").write_text(LINE_2.format(root="/", point=tmp_path / "fs"))
    (tmp_path / "fs/a/b").mkdir(parents=True)
    return tmp_path


def test_quota_of_version_2(process: Path) -> None:
    assert quota(str(process)) == math.inf
    (process / "fs/a/b/cpu.max").write_text("max 100000\n")
    assert quota(str(process)) == math.inf
    (process / "fs/a/cpu.max").write_text("150000 100000\n")
    assert quota(str(process)) == 1.5  # of a group around ours
    (process / "fs/a/b/cpu.max").write_text("400000 100000\n")
    assert quota(str(process)) == 1.5
    (process / "fs/a/b/cpu.max").write_text("50000 100000\n")
    assert quota(str(process)) == 0.5


def test_quota_of_version_1(process: Path) -> None:
    (process / "cgroup").write_text("5:memory:/a\n4:cpu,cpuacct:/a/b\n0::/\n")
    (process / "mountinfo").write_text(LINE_1.format(root="/", point=process / "fs"))
    for file, text in (("cpu.cfs_quota_us", "-1"), ("cpu.cfs_period_us", "100000")):
        (process / "fs/a/b" / file).write_text(text)
    assert quota(str(process)) == math.inf
    (process / "fs/a/b/cpu.cfs_quota_us").write_text("250000")
    assert quota(str(process)) == 2.5


def test_a_container_shows_its_own_group_as_the_root(process: Path) -> None:
    (process / "mountinfo").write_text(LINE_2.format(root="/a/b", point=process / "fs"))
    (process / "fs/cpu.max").write_text("200000 100000\n")
    assert quota(str(process)) == 2
    (process / "cgroup").write_text("0::/\n")  # and so does a namespace of groups
    assert quota(str(process)) == 2


def test_no_groups_at_all(tmp_path: Path) -> None:
    assert quota(str(tmp_path)) == math.inf
    (tmp_path / "cgroup").write_text("")
    (tmp_path / "mountinfo").write_text("")
    assert quota(str(tmp_path)) == math.inf
