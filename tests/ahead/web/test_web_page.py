"""The page in headless Chromium: drawn on, trained in, damaged."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from handwriting import DIGITS
from web_browser import Tab, chromium, needs_chromium, served
from web_models import made, reader

import rushlight as rl
from rushlight.ahead.web import write_folder
from rushlight.experiments.characters import Writer
from rushlight.experiments.webpage import page_of
from rushlight.export import export, train_step
from rushlight.nn import functional as F

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def tab() -> Iterator[Tab]:
    with chromium() as tab:
        yield tab


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a network that reads digits, with its training step."""
    task, data = reader()
    images, labels = data.train.tensors
    program = export(task.network, (images[:1],))
    task.network.train()
    example = (images[:32], labels[:32])
    step = train_step(task.network, F.cross_entropy, task.new_optimizer(), example)
    task.network.eval()
    folder = tmp_path_factory.mktemp("digits")
    write_folder(program, folder, step=step, page=page_of(task, data))
    return folder


@pytest.fixture
def quiet(tab: Tab) -> Iterator[Tab]:
    """The tab, on whose console nothing may appear."""
    tab.complaints.clear()
    tab.look(1100, 900)
    yield tab
    assert tab.complaints == []


def draw(tab: Tab, digit: int) -> None:
    tab.value(
        "[...document.querySelectorAll('button')].find(b => b.textContent == 'Clear').click()"
    )
    for stroke in DIGITS[digit]:
        x, y, width, height = tab.box(".pad canvas")
        tab.stroke([(x + a * width, y + b * height) for a, b in stroke])


def test_drawn_digits_are_read(quiet: Tab, digits: Path) -> None:
    with served(digits) as url:
        quiet.go(url)
        assert "Checked: the recorded example gives" in quiet.text("#proof")
        for digit in range(10):
            draw(quiet, digit)
            assert quiet.text(".verdict").startswith(f"It reads {digit} (")
        best = quiet.value("document.querySelectorAll('.bars li')[9].className")
        assert best == "best" and quiet.value("document.querySelectorAll('.best').length") == 1
        quiet.click(".scans button:nth-child(4)")
        assert quiet.text(".verdict").startswith("It reads 3 (")


def test_a_page_without_a_server(quiet: Tab, digits: Path) -> None:
    quiet.go((digits / "index.html").as_uri())
    draw(quiet, 2)
    assert quiet.text(".verdict").startswith("It reads 2 (")


def number(tab: Tab, tile: str) -> float:
    script = f"""[...document.querySelectorAll('.tile')]
        .find(t => t.lastChild.textContent == '{tile}').firstChild.textContent"""
    text = str(tab.value(script)).replace(",", "").replace(" %", "")
    return float("nan") if text == "–" else float(text)


def test_training_in_the_page(quiet: Tab, digits: Path) -> None:
    with served(digits) as url:
        quiet.go(url)
        draw(quiet, 5)
        train = "document.querySelectorAll('button.main')[0]"
        quiet.value(f"{train}.click()")
        quiet.wait("document.querySelectorAll('.tile b')[0].textContent.replace(',', '') > 400")
        quiet.wait(f"{train}.textContent == 'Go on' || ({train}.click(), false)")
        steps = number(quiet, "steps")
        assert number(quiet, "accuracy") > 93 and number(quiet, "loss") < 0.5
        assert quiet.text(".verdict").startswith("It reads 5 (")
        curve = "document.querySelector('.curve').getAttribute('d').split(/[ML]/).length"
        assert quiet.value(curve) > 100
        # It began with weights that know nothing: the first point is low.
        top, low = 8, 168
        path = quiet.value("document.querySelector('.curve.warm').getAttribute('d')")
        assert float(path[1:].split("L")[0].split()[1]) > top + 0.6 * (low - top)
        assert number(quiet, "steps") == steps  # it has stopped
        quiet.value("""[...document.querySelectorAll('button')]
            .find(b => b.textContent.startsWith('Back')).click()""")
        assert quiet.value("rushlight.model.selftest() < 1e-5")


def test_the_state_can_be_set(quiet: Tab, digits: Path) -> None:
    script = """(() => {
        const { model, description } = rushlight, { page } = description;
        const before = model.firstState.slice(), scan = new Float32Array(64).fill(0.5);
        const known = model.run([scan]).output;
        model.setState(new Uint8Array(before.length));
        const nothing = model.run([scan]).output;
        model.setState(before);
        const again = model.run([scan]).output;
        return [nothing.every((x) => x === 0), again.every((x, k) => x === known[k])];
    })()"""
    with served(digits) as url:
        quiet.go(url)
        assert quiet.value(script) == [True, True]


@pytest.mark.parametrize("width", [320, 600, 1400])
@pytest.mark.parametrize("dark", [False, True])
def test_nothing_sticks_out(quiet: Tab, digits: Path, width: int, dark: bool) -> None:
    quiet.look(width, 700, dark)
    with served(digits) as url:
        quiet.go(url)
        assert quiet.value("document.documentElement.scrollWidth") == width
        colour = str(quiet.value("getComputedStyle(document.body).backgroundColor"))
        assert colour == ("rgb(22, 21, 19)" if dark else "rgb(247, 245, 240)")


def test_everything_has_a_name(quiet: Tab, digits: Path) -> None:
    """Buttons, fields and pictures say what they are to who does not see them."""
    script = """[...document.querySelectorAll('button, input, textarea, canvas[role], svg')]
        .filter(e => !(e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.length))
        .map(e => e.outerHTML)"""
    with served(digits) as url:
        quiet.go(url)
        assert quiet.value(script) == []


@pytest.mark.parametrize("name", ["model.wasm", "model.weights", "model.goldens", "page.data"])
def test_a_damaged_file_is_told_on_the_page(
    tab: Tab, digits: Path, name: str, tmp_path: Path
) -> None:
    shutil.copytree(digits, tmp_path, dirs_exist_ok=True)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[:99] + bytes([whole[99] ^ 4]) + whole[100:])
    with served(tmp_path) as url:
        tab.go(url)
        assert tab.text(".fault").startswith(f"{name} is damaged: its checksum")
        assert tab.text("#proof") == "The model was refused."
        assert tab.value("document.querySelectorAll('button').length") == 0
        (tmp_path / name).unlink()
        tab.go(url)
        assert tab.text(".fault") == (
            f"{name} cannot be read (the server answers 404). Copy the whole folder."
        )


def test_a_form_for_any_model(quiet: Tab, tmp_path: Path) -> None:
    program = made("lstm")
    write_folder(program, tmp_path)
    with served(tmp_path) as url:
        quiet.go(url)
        assert "all 3 recorded examples" in quiet.text("#proof")
        right = program.goldens[0][1][0][0, 1]
        cell = "document.querySelectorAll('td')[1].textContent"
        assert abs(float(quiet.value(cell)) - right) < 1e-5
        quiet.value("document.querySelector('textarea').value = '1 2 x'")
        quiet.click("button.main")
        assert quiet.text(".fault") == "x: “x” is not a number of type float32."
        quiet.value("document.querySelector('textarea').value = '1 2'")
        quiet.click("button.main")
        assert "takes x (2, 9, 5); it was given 2 numbers" in quiet.text(".fault")
        for name in ("Random numbers", "Zeros", "Recorded example"):
            quiet.value(f"""[...document.querySelectorAll('button')]
                .find(b => b.textContent == '{name}').click()""")
            assert quiet.value("document.querySelectorAll('td').length") == 6


def test_a_text_that_goes_on(quiet: Tab, tmp_path: Path) -> None:
    rl.manual_seed(3)
    task = Writer(lambda parameters: None, length=16, width=24, layers=1, heads=2).eval()
    ids = rl.randint(0, 75, (1, 16))
    write_folder(export(task.network, (ids,)), tmp_path, page=page_of(task, None))
    with served(tmp_path) as url:
        quiet.go(url)
        quiet.click("button.main")
        quiet.wait("document.querySelector('.written').textContent.length > 40")
        quiet.click("button.main")
        text = quiet.text(".written")
        assert text.startswith("Elizabeth ")
        quiet.value("""(() => {
            const field = document.getElementById('begin');
            field.value = 'Ä'; field.dispatchEvent(new Event('input'));
        })()""")
        assert quiet.text(".fault") == "The model has never seen “Ä”."
        assert quiet.value("document.querySelector('button.main').disabled")
        # What it writes is drawn from what Python expects, too.
        symbols = quiet.value("rushlight.description.page.symbols")
        known = {symbol: k for k, symbol in enumerate(symbols)}
        read = rl.tensor([[known[symbol] for symbol in text[:16]]])
        right = task.network(read)[0, -1].detach().numpy()
        script = f"""Array.from(rushlight.model.run([{read.tolist()[0]}]).output.slice(-75))"""
        found = quiet.value(script)
        assert max(abs(a - b) for a, b in zip(found, right.tolist(), strict=True)) < 1e-5
