"""The tests that the onnx package carries for runtimes, run on models that rushlight loads."""

import os
import tempfile
import warnings
from collections import Counter
from dataclasses import dataclass

# The models of nine networks are written there, with inputs that the tests make.
os.environ.setdefault("ONNX_HOME", tempfile.mkdtemp(prefix="rushlight-onnx-"))

import onnx.backend.test
from onnx.backend.base import Backend

from rushlight.execute import tier
from rushlight.onnx.loading import load

# Why a test cannot pass, by a part of its name or of the fault.
MEANT = {
    "strings": (
        ("holds strings", "'String", "'RegexFullMatch'"),
        "Strings. A tensor holds numbers; a model with strings in it is refused when it is loaded.",
    ),
    "draws": (
        ("bernoulli", "training_dropout"),
        "Random draws, compared with those that NumPy makes from the test's own seed. No other "
        "generator gives the same ones.",
    ),
    "comparison": (
        ("loop16_seq_none",),
        "A sequence that holds a single number, whose length the test's own comparison asks for. "
        "The result is the one wanted.",
    ),
    "gradient": (
        ("'Gradient'",),
        "`Gradient`, which asks for derivatives inside of a file. Call `backward` on what the "
        "model gives.",
    ),
    "trees": (("'TreeEnsemble'",), "Forests of decision trees (`ai.onnx.ml`)."),
    "half": (
        ("attention_4d_causal_fp16_expanded",),
        "Two of 192 float16 results differ in their last bits: each operation is computed in "
        "float32 and rounded once.",
    ),
}


class Rushlight(Backend):
    """Runs models as onnx's tests want it."""

    @classmethod
    def prepare(cls, model, device="CPU", **kwargs):
        return load(model)

    @classmethod
    def supports_device(cls, device):
        return device == "CPU"


@dataclass(frozen=True)
class Case:
    kind: str
    name: str
    run: object

    def fault(self):
        """What went wrong; None when the test passes."""
        before = tier.choose("reference")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self.run(None)
        except Exception as error:
            return error
        finally:
            tier.choose(before)
        return None

    def reason(self, error):
        """The entry of `MEANT` that explains a fault; None when nothing does."""
        text = f"{self.name} {error}"
        found = [key for key, (parts, _) in MEANT.items() if any(part in text for part in parts)]
        return found[0] if found else None


KINDS = {
    "NodeModel": "single operators", "SimpleModel": "`simple`",
    "PyTorchConvertedModel": "`pytorch-converted`", "PyTorchOperatorModel": "`pytorch-operator`",
    "RealModel": "whole networks",
}  # fmt: skip


def cases(kinds=tuple(KINDS)):
    """All tests of these kinds, in the order of their names."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = onnx.backend.test.BackendTest(Rushlight)._test_items
    return [
        Case(kind, name.removesuffix("_cpu"), found[kind][name].func)
        for kind in kinds
        for name in sorted(found[kind])
        if name.endswith("_cpu")
    ]


def tally(wanted):
    """For each kind how many passed of how many, how often each reason holds, and the unexplained.

    onnx repeats what fails a few times when it fetches a file; nothing is fetched here.
    """
    passed, total, reasons, odd = Counter(), Counter(), Counter(), []
    for case in wanted:
        total[case.kind] += 1
        error = case.fault()
        if error is None:
            passed[case.kind] += 1
            continue
        reason = case.reason(error)
        reasons[reason] += 1
        if reason is None:
            odd.append(f"{case.name}: {error}")
    return passed, total, reasons, odd
