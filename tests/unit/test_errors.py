"""What a mistake is told: PyTorch's exception and sentence, a way out, the line, the layer."""

from __future__ import annotations

import linecache
import re
import traceback
from pathlib import Path
from typing import Any

import mistakes
import pytest
import torch

import rushlight as rl
from rushlight.base.errors import Fault

PACKAGE = str(Path(rl.__file__).parent)
README = Path(__file__).resolve().parents[2] / "README.md"

TABLES = ("SHAPES", "DTYPES", "INDICES", "GRADIENTS", "NUMBERS")

# Where our first sentence is another one, and what both have in common.
OTHER_WORDS = {
    ("DTYPES", "softmax"): "not implemented for 'Long'",
    ("DTYPES", "and"): "not implemented for 'Float'",
    ("NUMBERS", "device"): "device type at start of device string: gpu",
    ("NUMBERS", "no device"): "device type at start of device string: nowhere",
    ("SHAPES", "pooled away"): "Output size is too small",
    ("GRADIENTS", "deepcopy"): "Only Tensors created explicitly by the user (graph leaves)",
    ("COMPUTED", "bernoulli"): "Expected p_in >= 0 && p_in <= 1 to be true",
}


def cases(*tables: str) -> list[Any]:
    return [
        pytest.param(table, name, program, words, id=f"{table.lower()}-{name}")
        for table in tables
        for name, (program, words) in getattr(mistakes, table).items()
    ]


def builtin(error: BaseException) -> str:
    """The exception's type as Python has it, which is what a program catches."""
    return next(kind for kind in type(error).__mro__ if kind.__module__ == "builtins").__name__


def caught(program: Any, *given: Any) -> Exception:
    with pytest.raises(Exception) as error:
        program(*given)
    return error.value


def last_line(error: Exception, file: str) -> int:
    """The innermost line of a file in a traceback."""
    frames = traceback.extract_tb(error.__traceback__)
    return next(frame.lineno for frame in reversed(frames) if frame.filename == file)


def said_line(fault: Fault) -> tuple[str, int, str]:
    """The file, the number and the text of the line that a fault tells."""
    found = re.search(r"^  recorded at ([\w.]+):(\d+): (.*)$", str(fault), re.M)
    assert found, str(fault)
    return found[1], int(found[2]), found[3]


def check_form(fault: Exception, words: str) -> None:
    """The promised form, whatever the mistake was."""
    assert isinstance(fault, Fault), repr(fault)
    first, *rest = str(fault).splitlines()
    assert re.match(r"\[\w+\] \S", first), first
    assert rest and all(line.startswith("  ") for line in rest)
    assert re.search(words, str(fault)), f"{words!r} is not in:\n{fault}"
    assert PACKAGE not in str(fault)
    assert fault.__context__ is None or fault.__suppress_context__, "it hides another exception"


def check_sentence(fault: Fault, theirs: Exception, other: str | None) -> None:
    sentence = other or str(theirs).splitlines()[0].split("  ")[0].strip().rstrip(".")
    assert sentence in str(theirs).replace("\n", " ")
    assert sentence in str(fault).replace("\n", " "), f"\nours:   {fault}\ntheirs: {theirs}"


# At top level -------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("table, name, program, words", cases(*TABLES))
def test_a_mistake(table: str, name: str, program: Any, words: str) -> None:
    ours, theirs = caught(program, rl), caught(program, torch)
    check_form(ours, words)
    assert builtin(ours) == builtin(theirs), f"\nours:   {ours}\ntheirs: {theirs!r}"
    check_sentence(ours, theirs, OTHER_WORDS.get((table, name)))
    line = last_line(ours, mistakes.__file__)
    text = linecache.getline(mistakes.__file__, line).strip()
    assert said_line(ours) == ("mistakes.py", line, text)


def test_there_are_many() -> None:
    assert len(cases(*TABLES, "COMPUTED")) > 100


@pytest.mark.parametrize("use", [lambda t: t.zeros(2).to("cuda"), lambda t: t.zeros(2, device=0)])
def test_a_device_that_is_not_there(use: Any) -> None:
    # PyTorch's exception depends on how it was built: AssertionError here, RuntimeError with CUDA.
    caught(use, torch)
    ours = caught(use, rl)
    check_form(ours, r"rushlight.cuda.is_available\(\)")
    assert builtin(ours) == "RuntimeError"


def test_operators_leave_other_types_to_python() -> None:
    for other in ("a", None, [1, 2], {}):
        for t in (rl, torch):
            with pytest.raises(TypeError, match=r"unsupported operand type\(s\) for \+: 'Tensor'"):
                t.zeros(2) + other


# Found when computed ------------------------------------------------------------------------------


@pytest.mark.parametrize("table, name, program, words", cases("COMPUTED"))
def test_a_mistake_in_values(table: str, name: str, program: Any, words: str) -> None:
    recorded = program(rl)
    after = recorded * 2 + 1
    ours = caught(after.tolist)
    theirs = caught(lambda: program(torch).tolist())
    check_form(ours, words)
    assert builtin(ours) == builtin(theirs), f"\nours:   {ours}\ntheirs: {theirs!r}"
    check_sentence(ours, theirs, OTHER_WORDS.get((table, name)))
    file, number, text = said_line(ours)
    assert file == "mistakes.py"
    assert text == linecache.getline(mistakes.__file__, number).strip()
    own = {line for *_, line in program.__code__.co_lines()}
    helpers = {line for *_, line in mistakes.loss.__code__.co_lines()}
    assert number in own | helpers


def test_looking_again_tells_the_same() -> None:
    bad = mistakes.COMPUTED["label"][0](rl)
    first, second = caught(bad.item), caught(bad.item)
    assert str(first) == str(second)


def test_others_can_still_be_looked_at() -> None:
    index = mistakes.later(rl, 2)
    good, bad = rl.zeros(4)[index], rl.zeros(3)[index]
    assert isinstance(caught(lambda: rl.realize(good, bad)), IndexError)
    assert good.tolist() == [0.0]
    assert isinstance(caught(bad.tolist), IndexError)


def test_a_mistake_found_by_the_optimizer() -> None:
    model = rl.nn.Linear(4, 3)
    optimizer = rl.optim.SGD(model.parameters(), lr=0.1)
    before = model.weight.tolist()
    labels = mistakes.later(rl, 0, 2)
    loss = mistakes.loss(rl, model(rl.ones(2, 4)), labels)
    loss.backward()
    error = caught(optimizer.step)
    assert isinstance(error, IndexError)
    assert said_line(error)[0] == "mistakes.py"
    assert model.weight.tolist() == before


# Inside modules -----------------------------------------------------------------------------------


def nets(t: Any) -> dict[str, tuple[Any, Any, str]]:
    """Networks with a mistake each, an input, and the layer at fault as it is told."""
    nn = t.nn

    class Block(nn.Module):
        def __init__(self, wide: int) -> None:
            super().__init__()
            self.weight = nn.Parameter(t.ones(4, wide))

        def forward(self, x: Any) -> Any:
            return x @ self.weight.T  # mistake: Block

    class Head(nn.Module):
        def __init__(self, wide: int) -> None:
            super().__init__()
            self.fc1, self.fc2 = nn.Linear(8, wide), nn.Linear(4, 2)

        def forward(self, x: Any) -> Any:
            x = t.relu(self.fc1(x))  # mistake: fc1
            return self.fc2(x)  # mistake: fc2

    class Net(nn.Module):
        def __init__(self, head: Any = None, blocks: Any = ()) -> None:
            super().__init__()
            self.classifier = head
            self.blocks = nn.ModuleList(blocks)
            self.table = nn.ModuleDict({"words": nn.Embedding(5, 8)})

        def forward(self, x: Any) -> Any:
            for block in self.blocks:
                x = block(x)  # through: blocks
            if not x.is_floating_point():
                x = self.table["words"](x)  # mistake: words
            if self.classifier is None:
                return x.view(-1, 7)  # mistake: Net
            return self.classifier(x)  # through: classifier

    deep = nn.Sequential(nn.Flatten(), nn.Sequential(nn.Linear(8, 3), nn.ReLU(), nn.Linear(4, 2)))
    convs = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(5))
    return {
        "fc1": (Net(Head(4)), t.ones(2, 9), "classifier.fc1 (Linear)"),
        "fc2": (Net(Head(5)), t.ones(2, 8), "classifier.fc2 (Linear)"),
        "words": (Net(Head(4)), t.tensor([5]), "table.words (Embedding)"),
        "Block": (Net(Head(4), [Block(8), Block(5)]), t.ones(2, 8), "blocks.1 (Block)"),
        "Net": (Net(), t.ones(2, 8), "(Net)"),
        "deep": (deep, t.ones(2, 2, 4), "1.2 (Linear)"),
        "convs": (convs, t.ones(1, 1, 5, 5), "1 (BatchNorm2d)"),
        "wrapped": (nn.Sequential(Net(Head(4))), t.ones(2, 9), "0.classifier.fc1 (Linear)"),
    }


@pytest.mark.parametrize("name", nets(rl))
def test_a_mistake_in_a_module(name: str) -> None:
    errors = []
    for t in (rl, torch):
        model, x, layer = nets(t)[name]
        errors.append(caught(model, x))
    ours, theirs = errors
    check_form(ours, "")
    assert builtin(ours) == builtin(theirs)
    assert str(theirs).splitlines()[0].rstrip(".") in ours.problem
    assert str(ours).splitlines()[-1] == f"  in layer {layer}"
    file, number, text = said_line(ours)
    assert file == "test_errors.py"
    assert number == last_line(ours, __file__)
    if name in ("fc1", "fc2", "words", "Block", "Net"):
        assert text.endswith(f"# mistake: {name}")


def test_a_layer_is_named_through_hooks_and_data_parallel_code() -> None:
    model, x, layer = nets(rl)["fc2"]
    seen = []
    model.classifier.fc1.register_forward_hook(lambda *_: seen.append(1))
    model.register_forward_pre_hook(lambda *_: None)
    assert str(caught(model, x)).endswith(f"in layer {layer}")
    assert seen


def test_a_layer_called_by_itself() -> None:
    fault = caught(rl.nn.Linear(3, 2), rl.ones(2, 4))
    assert str(fault).splitlines()[-1] == "  in layer (Linear)"


def test_no_layer_is_named_once_the_model_has_returned() -> None:
    model = rl.nn.Linear(3, 2)
    y = model(rl.ones(2, 3))
    assert "\n  in layer" not in str(caught(lambda: y.view(3)))


# The README ---------------------------------------------------------------------------------------


class Scores(rl.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = rl.nn.Parameter(rl.randn(10, 784))

    def forward(self, x: rl.Tensor) -> rl.Tensor:
        logits = x @ self.weight
        return logits


class Classifier(rl.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scores = Scores()

    def forward(self, x: rl.Tensor) -> rl.Tensor:
        return self.scores(x)


def test_the_readme_shows_what_is_told() -> None:
    shown = re.search(r"^ShapeError: .*?(?=\n```)", README.read_text("utf-8"), re.M | re.S)
    assert shown is not None
    fault = caught(Classifier(), rl.ones(32, 784))
    told = re.sub(r"recorded at test_errors.py:\d+", "recorded at train.py:41", str(fault))
    assert shown[0] == f"ShapeError: {told}"
