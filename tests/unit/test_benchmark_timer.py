"""``utils.benchmark``: tables and texts as PyTorch's, and times with the work in them."""

import pickle

import pytest

import rushlight as rl
from rushlight.execute.realize import programs

torch_benchmark = pytest.importorskip("torch.utils.benchmark")
OURS, THEIRS = rl.utils.benchmark, torch_benchmark


def measured(B, times, number=10, **spec):
    spec = {"stmt": "x + y", "setup": "pass", **spec}
    return B.Measurement(number_per_run=number, raw_times=times, task_spec=B.TaskSpec(**spec))


TIMES = [[3e-4], [1e-3, 2e-3, 1.5e-3, 4e-3], [2e-6] * 5, [0.5, 0.52, 0.55, 0.6, 0.8], [3.0, 3.1]]
SPECS = [
    {}, {"label": "adding"}, {"label": "adding", "sub_label": "64"}, {"sub_label": "64"},
    {"stmt": "x\ny", "setup": "a = 1"}, {"setup": "a = 1\nb = 2", "description": "mine"},
    {"num_threads": 4},
]  # fmt: skip


@pytest.mark.parametrize("times", TIMES, ids=str)
@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_texts_are_pytorchs(times, spec):
    ours, theirs = measured(OURS, times, **spec), measured(THEIRS, times, **spec)
    assert repr(ours).splitlines()[1:] == repr(theirs).splitlines()[1:]
    for name in ("median", "mean", "iqr", "significant_figures", "has_warnings", "as_row_name"):
        assert getattr(ours, name) == pytest.approx(getattr(theirs, name)), name
    assert ours.times == theirs.times and ours.title == theirs.title
    assert pickle.loads(pickle.dumps(ours)) == ours


def group(B, count):
    many = []
    for k in range(1, count):
        for by in ("one", "other"):
            for t in (1, 2):
                if k + t != 3:
                    spec = {"label": "a", "sub_label": f"{k}", "description": by, "num_threads": t}
                    many.append(measured(B, [k * 1e-5, k * 1.1e-5], **spec))
    return [*many, measured(B, [1e-3] * 4, description="alone"), *many[:1]]


@pytest.mark.parametrize("trimmed", [False, True])
@pytest.mark.parametrize("count", [2, 3, 12])
def test_tables_are_pytorchs(count, trimmed):
    tables = []
    for B in (OURS, THEIRS):
        compared = B.Compare(group(B, count))
        if trimmed:
            compared.trim_significant_figures()
        tables.append(str(compared))
    assert tables[0] == tables[1]
    with pytest.raises(ValueError, match="instance of `Measurement`"):
        OURS.Compare([1])


def test_units():
    for t in (1e-9, 5e-7, 2e-6, 3e-4, 0.2, 1.0, 59.0, 1e4):
        assert OURS.select_unit(t) == THEIRS.select_unit(t)
    for x, n in ((3.14159, 2), (1234.5, 3), (0.00123, 1)):
        assert OURS.trim_sigfig(x, n) == pytest.approx(THEIRS.trim_sigfig(x, n), rel=1e-6)
    assert OURS.unit_to_english("us") == THEIRS.unit_to_english("us")


@pytest.mark.parametrize(
    "code",
    [
        "x + 1",
        "y = x + 1",
        "z = x.clone()\nz += 1",
        "a, b = x + 1, x + 2",
        "torch.ones(2)\n{'y': [x + 1]}",
    ],
)
def test_what_a_statement_records_is_computed(code):
    before = programs.ran
    found = OURS.Timer(code, globals={"x": rl.ones(3)}).timeit(5)
    assert programs.ran - before >= 5 + 3 and found.number_per_run == 5
    assert len(found.raw_times) == 1 and found.median > 0


def test_statements_of_other_kinds_and_setups():
    lines = []
    timer = OURS.Timer(
        "\n    for _ in range(2):\n        lines.append(k)\n", "k = 7", globals={"lines": lines}
    )
    timer.timeit(3)
    assert lines == [7] * 2 * (3 + 3)
    assert OURS.Timer().timeit(3).stmt == "pass"


def test_ranges_of_blocks():
    seen = []
    found = OURS.Timer("sum(range(50))", label="sum").blocked_autorange(
        callback=lambda number, seconds: seen.append((number, seconds)), min_run_time=0.005
    )
    assert [seconds for _, seconds in seen] == found.raw_times and sum(found.raw_times) >= 0.005
    assert {number for number, _ in seen} == {found.number_per_run} and found.label == "sum"
    found = OURS.Timer("sum(range(50))").adaptive_autorange(10.0, max_run_time=0.05)
    assert len(found.raw_times) > 3 or sum(found.raw_times) > 0.05


def test_threads_are_put_back():
    before = rl.get_num_threads()
    seen = []
    OURS.Timer(
        "f()", globals={"f": lambda: seen.append(rl.get_num_threads())}, num_threads=2
    ).timeit(1)
    assert set(seen) == {2} and rl.get_num_threads() == before


def test_what_there_is_not_is_refused():
    for options in ({"language": "c++"}, {"language": OURS.Language.CPP}):
        with pytest.raises(NotImplementedError):
            OURS.Timer("x", **options)
    for options in ({"stmt": print}, {"language": "basic"}, {"global_setup": "x"}):
        with pytest.raises(ValueError):
            OURS.Timer(**options)
    for name in ("repeat", "autorange", "collect_callgrind"):
        with pytest.raises(NotImplementedError):
            getattr(OURS.Timer("1"), name)()
    for name in ("colorize", "highlight_warnings"):
        with pytest.raises(NotImplementedError):
            getattr(OURS.Compare([]), name)()
