"""The load test runs, and batches pay where a model has much to read."""

import re
from pathlib import Path

import pytest

import rushlight as rl

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_batches_answer_more_requests(capsys, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks import serving

    # A model whose weights are read once for a batch: 80 MB.
    wide = {name: model for name, model in serving.models(rl).items() if "4096" in name}
    monkeypatch.setattr(serving, "models", lambda library: wide)
    monkeypatch.setattr(serving, "CLIENTS", (1, 4, 16))
    serving.main(rounds=2, seconds=1.0)
    told = capsys.readouterr().out
    ratios = [float(ratio) for ratio in re.findall(r"([\d.]+) times", told)]
    assert ratios and max(ratios) > 1.5, told  # twice and more on a machine that is free
