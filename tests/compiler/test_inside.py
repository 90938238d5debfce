"""What is told of programs: explanations, tables, files, and every stage of one example as text."""

import re
from dataclasses import replace

import pytest

import rushlight as rl
import rushlight.nn.functional as F
from rushlight.base import config as configuration
from rushlight.base.amounts import lasting, sized
from rushlight.base.config import Config, read
from rushlight.compiler.inside import accounts, show_schedule, table
from rushlight.compiler.llvm.machine import Machine, optimised
from rushlight.compiler.program import stages
from rushlight.execute import nancheck, tier, watched
from rushlight.execute.cut import Cut
from rushlight.execute.realize import programs
from rushlight.graph.show import show

# The text is that of a machine that is not asked which it is.
MACHINE = Machine("x86_64-unknown-linux-gnu", "skylake", "+avx2,+fma", 256, 16)


def ready(*shape):
    x = rl.zeros(*shape) + 1
    rl.realize(x)
    return x


def softmax_of_linear():
    x, weight, bias = ready(64, 20), ready(100, 20), ready(100)
    logits = F.linear(x, weight, bias)
    return rl.softmax(logits, dim=1)


@pytest.fixture(scope="module")
def made():
    return stages(Cut([softmax_of_linear().node]).graph(), MACHINE)


def test_graph(made, golden):
    golden("softmax_linear_1_graph.txt", show(made.graph))


def test_expanded(made, golden):
    golden("softmax_linear_2_expanded.txt", show(made.expanded))


def test_schedule(made, golden):
    # Kernels' names end in two digits of their code's, which has a file of its own.
    text = re.sub(r"_[0-9a-f]{2} \(", " (", show_schedule(made))
    golden("softmax_linear_3_schedule.txt", text)


def test_llvm(made, golden):
    (code,) = [code for codes in made.codes for code in codes if code.name.startswith("loops")]
    golden("softmax_linear_4_kernel.ll", code.text())
    assert f"@{code.name}(" in optimised(code.text(), MACHINE)


def test_table(made):
    rows = table(accounts(made), [1e-3, 2e-6]).splitlines()
    assert rows[0].split() == ["kernel", "ops", "loops", "reads", "writes", "time", "GB/s",
                               "GFLOP/s", "from"]  # fmt: skip
    assert "64x100x20" in rows[1] and "1.0 ms" in rows[1] and "test_inside.py:" in rows[1]
    assert "2.0 us" in rows[2]


def test_sizes_and_times():
    assert [sized(n) for n in (0, 999, 1000, 32_768, 5 * 10**9)] == [
        "0 B", "999 B", "1.0 kB", "32.8 kB", "5.0 GB"]  # fmt: skip
    assert [lasting(s) for s in (3.1e-6, 2e-3, 4.0)] == ["3.1 us", "2.0 ms", "4.0 s"]


def test_lines_are_joined():
    from rushlight.base import site as sites

    assert sites._ranges([3, 4, 5, 9, 11, 12]) == "3-5,9,11-12"
    assert sites._ranges([]) == "" and sites._ranges([7]) == "7"


# explain ----------------------------------------------------------------------------------------


def test_explain_tells_kernels_and_lines():
    x, weight = ready(64, 20), ready(10, 20)
    found = rl.explain(lambda: F.linear(x, weight).relu())
    (kernel,) = found.kernels
    assert kernel.template == "contract" and kernel.ops == ("matmul", "relu")
    assert kernel.flops == 2 * 64 * 10 * 20 + 640 and kernel.lines.startswith("test_inside.py:")
    assert kernel.writes == 64 * 10 * 4 and found.references == []
    assert found.result.shape == (64, 10)
    for word in ("recorded:", "expanded:", "schedule {", kernel.name, "memory: arena", "code: "):
        assert word in str(found)


def test_explain_tells_why_a_reference_is_run():
    x = ready(3, 3) + rl.eye(3)
    found = rl.explain(lambda x: rl.linalg.inv(x) * 2, x)
    (reference,) = found.references
    assert reference.name == "linalg_inv" and "lowering" in reference.why
    z = rl.ones(3, dtype=rl.complex64)
    assert "complex" in rl.explain(lambda: z * z).references[0].why


def test_explain_counts_programs_and_runs():
    def work(x):
        for _ in range(3):
            rl.realize(x.cos() * 2)
        return {"last": [x.sin()]}

    found = rl.explain(work, ready(5))
    assert [program.runs for program in found.programs] == [3, 1]
    assert "run 3 times" in str(found) and len(found.kernels) == 2
    assert str(rl.explain(lambda: 3)) == "nothing had to be computed"


def test_explain_tells_in_place_results():
    weight = ready(4, 5)
    found = rl.explain(lambda: weight.mul_(2))
    assert found.programs[0].in_place == {"y0": "x0"}


# The environment --------------------------------------------------------------------------------


def test_nothing_and_zero_are_off():
    off = {f"RUSHLIGHT_{name}": "0" for name in ("LOG", "DEBUG", "DUMP", "NANCHECK")}
    assert read({}) == read(off) == Config()
    assert not Config().tells


def test_words_are_read():
    found = read({"RUSHLIGHT_LOG": "timing, kernels", "RUSHLIGHT_DEBUG": "6"})
    assert found.log == {"kernels", "timing"} and found.debug == 6 and found.tells
    assert read({"RUSHLIGHT_NANCHECK": "1"}) == Config(nancheck=True)


@pytest.mark.parametrize(
    "name, given, said",
    [
        ("LOG", "kernel", "words are kernels and timing"),
        ("DEBUG", "7", "0 to 6"),
        ("DEBUG", "yes", "0 to 6"),
        ("NANCHECK", "2", "0 or 1"),
    ],
)
def test_other_words_are_refused(name, given, said):
    with pytest.raises(ValueError, match=rf"(?s)RUSHLIGHT_{name}.*{given}.*{said}"):
        read({f"RUSHLIGHT_{name}": given})


@pytest.fixture
def told(monkeypatch, capsys):
    """Has a configuration in force; gives what work then prints to stderr."""

    def ask(config, work):
        for module in (tier, watched):
            monkeypatch.setattr(module, "config", config)
        before = tier.choose("compiled")
        programs._kept.clear()
        try:
            work()
        finally:
            tier.choose(before)
            programs._kept.clear()
        return capsys.readouterr().err

    return ask


def test_log_times_each_kernel(told):
    x = rl.eye(16)
    rl.realize(x)

    def work():
        for _ in range(2):
            rl.realize(rl.linalg.inv(x[:16]) * 3)

    text = told(read({"RUSHLIGHT_LOG": "kernels,timing"}), work)
    assert text.count("in its calls") == 2 and text.count("linalg_inv (reference)") == 2
    assert "GB/s" not in told(read({"RUSHLIGHT_LOG": "kernels"}), work)


def test_debug_tells_ever_more(told):
    x = ready(33)
    texts = [told(Config(debug=k), lambda: rl.realize(x.exp() + 1)) for k in range(1, 7)]
    words = ["arena", "expand:", "schedule {", "for i < 33", "define", ".text"]
    assert [word in text for word, text in zip(words, texts)] == [True] * 6
    assert sorted(texts, key=len) == texts


def test_dump_writes_every_stage(told, tmp_path):
    x = ready(33)
    told(Config(dump=str(tmp_path / "new")), lambda: rl.realize(x.exp() + 1))
    names = sorted(file.name[4:] for file in (tmp_path / "new").iterdir())
    assert names[:3] == ["_1_graph.txt", "_2_expanded.txt", "_3_schedule.txt"]
    assert [name.partition(".")[2] for name in names[3:]] == [
        "loops.txt",
        "ll",
        "optimised.ll",
        "s",
    ]


def test_nancheck_names_operation_and_line():
    x = ready(4) * -1
    graph = Cut([(x.log() * 2).node]).graph()
    from rushlight.execute.reference import ReferenceProgram

    inputs = [leaf.buffer for leaf in Cut([(x.log() * 2).node]).leaves]
    results = ReferenceProgram(graph).run(inputs)
    with pytest.raises(RuntimeError, match=r"(?s)\[log\] made 4 nan of 4 .*-1.*test_inside.py:"):
        nancheck.check(graph, inputs, results)


def test_nancheck_lets_given_nan_pass():
    x = rl.tensor([1.0, float("nan")])
    cut = Cut([(x * 2).node])
    from rushlight.execute.reference import ReferenceProgram

    inputs = [leaf.buffer for leaf in cut.leaves]
    nancheck.check(cut.graph(), inputs, ReferenceProgram(cut.graph()).run(inputs))


def test_configuration_is_that_of_the_environment():
    assert replace(configuration.config) == configuration.config
