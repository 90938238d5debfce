"""The page in a browser: digits are drawn, forms are filled in, faults are told."""

import sys
from pathlib import Path

import numpy as np
import pytest
from process import Server

import rushlight as rl

sys.path.append(str(Path(__file__).parent.parent / "ahead" / "web"))
from web_browser import chromium, needs_chromium

pytestmark = needs_chromium
HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    """A model of digits and another one, as saved programs."""
    folder = tmp_path_factory.mktemp("shelf")
    batch = rl.export.Dim("batch")
    # It looks where the ink is: class k for the k-th of ten columns.
    columns = rl.nn.Sequential(rl.nn.Flatten(), rl.nn.Linear(100, 10, bias=False)).eval()
    with rl.no_grad():
        columns[1].weight.copy_(rl.eye(10).repeat(1, 10))
    linear = rl.nn.Linear(3, 2).eval()
    for name, net, example in (
        ("columns", columns, rl.linspace(-1, 3, 200).reshape(2, 1, 10, 10)),
        ("linear", linear, rl.tensor([[1.0, 2.0, 3.0], [0.0, 1.0, 2.0]])),
    ):
        (folder / name / "1").mkdir(parents=True)
        program = rl.export.export(net, (example,), dynamic_shapes={"input": {0: batch}})
        rl.export.save(program, folder / name / "1" / "model.pt2")
    return folder


def server(*words):
    return Server(*words, script=HERE / "real_server.py")


def test_the_page(shelf, tmp_path):
    with server(shelf) as running, chromium() as tab:
        tab.look(900, 900)
        tab.go(f"http://127.0.0.1:{running.port}/")
        names = "[...document.querySelectorAll('#models button')].map(b => b.textContent)"
        assert tab.value(names) == ["columns", "linear"]
        assert tab.text("#name") == "columns"
        assert "requests are batched" in tab.text("#about")
        _draws(tab)
        _fills_in(tab)
        assert not tab.complaints
        for dark in (False, True):
            tab.look(900, 900, dark)
            tab.picture(tmp_path / f"dark-{dark}.png")
        light, dark = ((tmp_path / f"dark-{dark}.png").read_bytes() for dark in (False, True))
        assert light != dark


def _draws(tab):
    """A stroke in a column, which is stretched to the square: all columns have ink."""
    x, y, width, height = tab.box("#ink")
    tab.stroke([(x + width * 0.5, y + height * t / 10) for t in range(1, 10)])
    tab.wait("document.querySelectorAll('.bars .bar').length === 10")
    shares = tab.value(
        "[...document.querySelectorAll('.bars span.number')].map(b => parseFloat(b.textContent))"
    )
    assert sum(shares) == pytest.approx(100, abs=1)
    assert 3 <= int(np.argmax(shares)) <= 6  # in the middle of the square
    assert tab.text("#curl").startswith("curl -d '{")
    tab.click("#clear")
    assert tab.text("#answer") == ""


def _fills_in(tab):
    tab.click("#models li:nth-child(2) button")
    tab.wait("document.querySelector('#name').textContent === 'linear'")
    tab.wait("document.querySelector('textarea') !== null")
    assert tab.value("document.querySelector('textarea').value") == "[1,2,3]"
    tab.click("#ask")
    tab.wait("document.querySelectorAll('.bars .bar').length === 2")
    tab.value("document.querySelector('textarea').value = '[1,2'; 0")
    tab.click("#ask")
    tab.wait("document.querySelector('#problem').textContent.startsWith('Not JSON')")
    tab.value("document.querySelector('textarea').value = '[1,2,3,4]'; 0")
    tab.click("#ask")
    tab.wait("document.querySelector('#problem').textContent.includes('does not fit the shape')")
    tab.complaints.clear()  # the browser notes an answer of 400, as it should


def test_the_page_asks_for_the_token(shelf, tmp_path):
    (tmp_path / "token").write_text("sesame")
    with server(shelf, "--token-file", tmp_path / "token") as running, chromium() as tab:
        tab.go(f"http://127.0.0.1:{running.port}/")
        assert tab.value("document.querySelector('#models').children.length") == 0
        assert tab.value("!document.querySelector('#lock').hidden")
        tab.value("document.querySelector('#token').value = 'sesame'; 0")
        tab.click("#open")
        tab.wait("document.querySelector('#models').children.length === 2")
        assert tab.value("document.querySelector('#lock').hidden")


def test_the_page_loads_nothing_from_elsewhere():
    from rushlight.serve.page import POLICY, whole

    page = whole()
    assert "<!-- page" not in page and "<!-- canvas" not in page
    assert "http://" not in page and "https://" not in page
    assert "default-src 'none'" in POLICY


def test_a_reader_of_files_meets_what_is_damaged(shelf, tmp_path):
    """What ``toys`` stands in for elsewhere: saved programs, read as they are served."""
    from rushlight.serve.models import read

    path = shelf / "linear" / "1" / "model.pt2"
    assert [one.name for one in read(path).inputs] == ["input"]
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "model.pt2").write_bytes(content)
    with pytest.raises(RuntimeError):
        read(tmp_path / "model.pt2")
