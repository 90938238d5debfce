"""The profiler: what its events are, its table, its files, and its schedule as PyTorch's."""

import gzip
import itertools
import json
import threading

import pytest
import torch

import rushlight as rl
from rushlight.autograd.profiler_table import lasting
from rushlight.execute import tier
from rushlight.graph.op import Op
from rushlight.ops.elementwise import Elementwise

profile, record_function = rl.profiler.profile, rl.profiler.record_function


def work(x):
    return (x * 2 + 1).relu().sum().item()


@pytest.fixture(params=["reference", "compiled"])
def one_tier(request):
    with tier.only(request.param):
        yield request.param


def test_every_stage_is_an_event(one_tier):
    x = rl.randn(8, 16)
    rl.realize(x)
    with profile(record_shapes=True) as prof:
        total = work(x)
    assert total == pytest.approx((x.numpy() * 2 + 1).clip(0).sum(), rel=1e-5)
    kinds = [event.kind for event in prof.events()]
    assert kinds[:4] == ["record"] * 4
    assert [event.name for event in prof.events()][:4] == [
        "record mul", "record add", "record relu", "record sum",
    ]  # fmt: skip
    assert kinds.count("cut") == 1 and kinds.count("run") == 1 and "prepare" in kinds
    computed = [event for event in prof.events() if event.kind in ("kernel", "reference")]
    ops = list(itertools.chain.from_iterable(event.ops for event in computed))
    assert ops == ["mul", "add", "relu", "sum"]
    assert len(computed) == (1 if one_tier == "compiled" else 4)
    assert all(event.source.startswith("test_profiler.py:") for event in computed)
    assert all(event.cpu_parent.kind == "run" and event.bytes > 0 for event in computed)
    assert prof.events()[0].input_shapes == [[8, 16]]


def test_events_lie_inside_of_each_other(one_tier):
    with profile() as prof:
        with record_function("outer"), record_function("inner"):
            work(rl.ones(4))
        work(rl.ones(4))
    found = prof.events()
    outer, inner = found[0], found[1]
    assert (outer.name, inner.name) == ("outer", "inner")
    assert inner.cpu_parent is outer and outer.cpu_children == [inner]
    assert outer.is_user_annotation and not found[2].is_user_annotation
    for event in found:
        assert event.time_range.start <= event.time_range.end
        for child in event.cpu_children:
            assert event.time_range.start <= child.time_range.start
            assert child.time_range.end <= event.time_range.end
    whole = sum(event.self_cpu_time_total for event in found if event.kind != "profiler")
    assert found.self_cpu_time_total == pytest.approx(whole)


def test_averages_add_up():
    with profile(with_flops=True) as prof, tier.only("reference"):
        for _ in range(3):
            work(rl.ones(4, 5))
        (rl.ones(4, 5) @ rl.ones(5, 6)).sum().item()
    rows = {row.key: row for row in prof.key_averages()}
    assert rows["record mul"].count == rows["mul (ref)"].count == 3
    assert rows["mul (ref)"].flops == 3 * 20
    assert rows["matmul (ref)"].flops == 2 * 4 * 5 * 6
    row = rows["mul (ref)"]
    assert row.cpu_time == pytest.approx(row.cpu_time_total / 3)
    assert row.bytes == 3 * (20 * 4 + 4 + 20 * 4)
    total = prof.key_averages().total_average()
    assert total.self_cpu_time_total == pytest.approx(prof.events().self_cpu_time_total)


def test_groups_by_shape_and_by_stack():
    def caller(n):
        return work(rl.ones(n))

    with profile(record_shapes=True, with_stack=True) as prof, tier.only("reference"):
        caller(3), caller(4)
        work(rl.ones(3))
    named = [row for row in prof.key_averages() if row.key == "record mul"]
    assert [row.count for row in named] == [3]
    shaped = [row for row in prof.key_averages(True) if row.key == "record mul"]
    assert sorted((row.count, row.input_shapes) for row in shaped) == [(1, "[[4]]"), (2, "[[3]]")]
    stacked = [r for r in prof.key_averages(group_by_stack_n=2) if r.key == "record mul"]
    assert sorted(row.count for row in stacked) == [1, 2]
    assert stacked[0].stack[0].endswith(": work") and stacked[0].stack[1].endswith(": caller")
    assert "Input Shapes" in prof.key_averages(True).table()
    assert "Stack" in prof.key_averages(group_by_stack_n=2).table()


def test_table_fits_and_is_sorted(one_tier):
    model = rl.nn.Sequential(rl.nn.Linear(6, 8), rl.nn.GELU(), rl.nn.Linear(8, 2))
    with profile(profile_memory=True) as prof:
        model(rl.ones(3, 6)).sum().backward()
        rl.realize(*[p.grad for p in model.parameters()])
    rows = prof.key_averages()
    text = rows.table(sort_by="self_cpu_time_total", row_limit=5)
    lines = text.splitlines()
    for head in ("Name", "Self %", "Self CPU", "CPU total", "Calls", "CPU Mem", "GFLOP/s"):
        assert head in lines[0]
    assert len(lines) == 1 + 1 + 5 + 1 + 1 and lines[-1].startswith("Self CPU time total: ")
    assert max(map(len, lines)) <= 120 and "time kernels apart" not in text
    times = sorted(row.self_cpu_time_total for row in rows if row.kind != "profiler")
    assert f" {lasting(times[-1])} " in lines[2]
    assert rows.table(row_limit=-1, header="said above").startswith("said above\n")
    assert "us" not in rows.table(time_unit="ms").split("From")[1]
    with pytest.raises(AttributeError):
        rows.table(sort_by="no such thing")


def test_chrome_trace_is_one(tmp_path, one_tier):
    with profile(record_shapes=True, with_stack=True) as prof, record_function("all"):
        work(rl.ones(3))
    prof.add_metadata("who", "me")
    prof.add_metadata_json("many", "[1, 2]")
    for name, opened in (("trace.json", open), ("trace.json.gz", gzip.open)):
        prof.export_chrome_trace(str(tmp_path / name))
        with opened(tmp_path / name, "rt") as file:
            trace = json.load(file)
        assert trace["schemaVersion"] == 1 and trace["displayTimeUnit"] == "ms"
        assert trace["who"] == "me" and trace["many"] == [1, 2] and trace["record_shapes"] == 1
        complete = [event for event in trace["traceEvents"] if event["ph"] == "X"]
        assert len(complete) == len(prof.events())
        for event in complete:
            assert {"name", "cat", "pid", "tid", "ts", "dur", "args"} <= event.keys()
            assert event["dur"] >= 0 and isinstance(event["ts"], float)
        assert complete[0]["name"] == "all" and complete[0]["cat"] == "user_annotation"
        said = [event["name"] for event in trace["traceEvents"] if event["ph"] == "M"]
        assert said == ["process_name", "thread_name"]
        nested_in_time(complete)


def nested_in_time(events):
    """Viewers need complete events of a thread to lie inside of each other or apart."""
    ends = []
    for event in sorted(events, key=lambda event: (event["ts"], -event["dur"])):
        while ends and ends[-1] <= event["ts"]:
            ends.pop()
        end = event["ts"] + event["dur"]
        assert not ends or end <= ends[-1] + 1e-6
        ends.append(end)


def test_stacks_are_written_as_flame_graphs_read_them(tmp_path):
    with profile(with_stack=True) as prof:
        work(rl.ones(3))
    prof.export_stacks(str(tmp_path / "stacks.txt"))
    lines = (tmp_path / "stacks.txt").read_text().splitlines()
    assert lines and all(line.rpartition(" ")[2].isdigit() for line in lines)
    assert any(line.rpartition(" ")[0].endswith(":_work") for line in lines)
    with pytest.raises(ValueError, match="metric should be one of"):
        prof.export_stacks(str(tmp_path / "stacks.txt"), "nothing")


def test_nothing_is_left_behind():
    before = Op.record, Op.node, Elementwise.pair
    with pytest.raises(ZeroDivisionError), profile() as prof:
        assert before[0] is not Op.record
        with record_function("breaks"):
            raise ZeroDivisionError
    assert before == (Op.record, Op.node, Elementwise.pair)
    count = len(prof.events())
    work(rl.ones(3))
    assert len(prof.events()) == count == 1


def test_a_refused_value_ends_its_spans(one_tier):
    with profile() as prof, pytest.raises(IndexError):
        rl.ones(3)[rl.tensor([5]) + 0].sum().item()
    after = rl.autograd.profiler.profile()
    with after:
        work(rl.ones(2))
    assert after.function_events[0].cpu_parent is None
    assert any(event.kind == "run" for event in prof.events())


def test_there_is_one_at_a_time():
    with profile(), pytest.raises(RuntimeError, match="already enabled"):
        profile().start()
    used = rl.autograd.profiler.profile()
    with used, pytest.raises(RuntimeError, match="not reentrant"), used:
        pass


def test_other_threads_are_seen():
    with profile() as prof:
        thread = threading.Thread(target=work, args=(rl.ones(3),))
        thread.start()
        thread.join()
    assert len({event.thread for event in prof.events()}) == 2


def test_record_function_decorates_and_costs_nothing_outside():
    @record_function("named")
    def double(x):
        """Twice."""
        return x * 2

    assert double.__doc__ == "Twice." and double(rl.ones(2)).tolist() == [2, 2]
    with profile() as prof:
        double(double(rl.ones(2)))
    assert [event.name for event in prof.events()].count("named") == 2


def test_values_are_the_same_bits_and_memory_is_taken_over(one_tier):
    def train(observed):
        rl.manual_seed(0)
        model = rl.nn.Linear(7, 3)
        optimizer = rl.optim.Adam(model.parameters())
        losses = []
        for _ in range(4):
            with profile() if observed else record_function("plain"):
                optimizer.zero_grad()
                loss = model(rl.ones(5, 7)).square().mean()
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
        return losses

    assert train(False) == train(True)


SCHEDULES = [
    {"wait": 1, "warmup": 1, "active": 2},
    {"wait": 0, "warmup": 1, "active": 1, "repeat": 2},
    {"wait": 2, "warmup": 1, "active": 3, "repeat": 1, "skip_first": 3},
    {"wait": 3, "warmup": 2, "active": 1, "repeat": 2, "skip_first": 2, "skip_first_wait": 1},
]


@pytest.mark.parametrize("given", SCHEDULES, ids=str)
def test_schedule_is_pytorchs(given):
    ours, theirs = rl.profiler.schedule(**given), torch.profiler.schedule(**given)
    assert [ours(k).name for k in range(30)] == [theirs(k).name for k in range(30)]


@pytest.mark.parametrize(
    "given", [{"wait": -1, "warmup": 0, "active": 1}, {"wait": 0, "warmup": 0, "active": 0}]
)
def test_schedules_that_make_no_sense(given):
    for T in (rl, torch):
        with pytest.raises(AssertionError, match="Invalid profiler schedule arguments"):
            T.profiler.schedule(**given)
    with pytest.warns(UserWarning, match="won't be using warmup"):
        rl.profiler.schedule(wait=0, warmup=0, active=1)


@pytest.mark.parametrize("steps", range(9))
@pytest.mark.parametrize("given", SCHEDULES, ids=str)
def test_traces_are_ready_when_pytorchs_are(given, steps):
    def run(T):
        ready = []
        prof = T.profiler.profile(
            activities=[T.profiler.ProfilerActivity.CPU], schedule=T.profiler.schedule(**given),
            on_trace_ready=lambda p: ready.append((p.step_num, p.current_action.name)),
        )  # fmt: skip
        with prof:
            for _ in range(steps):
                prof.step()
        return ready

    assert run(rl) == run(torch)


def test_only_active_steps_are_in_a_trace(tmp_path):
    plan = rl.profiler.schedule(wait=1, warmup=1, active=2, repeat=2)
    found = []
    with profile(schedule=plan, on_trace_ready=found.append) as prof:
        for _ in range(9):
            work(rl.ones(3))
            prof.step()
    names = [event.name for event in prof.events() if event.is_user_annotation]
    assert names == ["ProfilerStep#6", "ProfilerStep#7"] and len(found) == 2


def test_tensorboard_files(tmp_path):
    for packed in (False, True):
        write = rl.profiler.tensorboard_trace_handler(str(tmp_path / "logs"), "w", use_gzip=packed)
        with profile(on_trace_ready=write):
            work(rl.ones(3))
    names = sorted(path.name for path in (tmp_path / "logs").iterdir())
    assert [name.startswith("w.") for name in names] == [True, True]
    assert {name.rpartition(".")[2] for name in names} == {"json", "gz"}
    (tmp_path / "file").write_text("")
    with pytest.raises(RuntimeError, match="Can't create directory"):
        rl.profiler.tensorboard_trace_handler(str(tmp_path / "file"))(prof=None)


def test_what_there_is_not_is_refused():
    CUDA = rl.profiler.ProfilerActivity.CUDA
    with pytest.warns(UserWarning, match="CUDA is not available"), pytest.raises(ValueError):
        profile(activities=[CUDA])
    with pytest.warns(UserWarning, match="CUDA is not available"):
        assert profile(activities=[CUDA, rl.profiler.ProfilerActivity.CPU]).activities == {
            rl.profiler.ProfilerActivity.CPU
        }
    for name in ("emit_nvtx", "emit_itt"):
        with pytest.raises(RuntimeError, match="not installed"):
            with getattr(rl.autograd.profiler, name)():
                pass
        with getattr(rl.autograd.profiler, name)(enabled=False):
            pass
    with pytest.raises(NotImplementedError):
        rl.autograd.profiler.profile(use_device="cuda")
    with pytest.raises(NotImplementedError):
        rl.profiler.ExecutionTraceObserver()
    with pytest.raises(NotImplementedError):
        profile().export_memory_timeline("x.html")
    with pytest.raises(RuntimeError, match="didn't finish"):
        _ = rl.autograd.profiler.profile(enabled=False).function_events


def test_names_are_pytorchs():
    assert set(torch.profiler.__all__) - {"DeviceType"} == set(rl.profiler.__all__)
    assert {"profile", "record_function", "emit_itt", "emit_nvtx"} <= set(dir(rl.autograd.profiler))
    ours, theirs = rl.profiler.ProfilerActivity, torch.profiler.ProfilerActivity
    assert {one.name for one in ours} == set(theirs.__members__)


def test_pause_and_resume():
    with profile() as prof:
        work(rl.ones(2))
        count = len(prof.profiler.timeline.spans)
        prof.toggle_collection_dynamic(False, [rl.profiler.ProfilerActivity.CPU])
        work(rl.ones(2))
        assert len(prof.profiler.timeline.spans) == count
        prof.toggle_collection_dynamic(True, [rl.profiler.ProfilerActivity.CPU])
        work(rl.ones(2))
    assert len(prof.events()) > count
