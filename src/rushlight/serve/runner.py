"""Running a model on arrays: batches of a few sizes, prepared before the first request."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

import rushlight as rl
from rushlight.export import ExportedProgram

from .signature import Model, Signature

Arrays = list[np.ndarray]


class Runner:
    """A model and the batch sizes that it is run at.

    A batch is filled up to the next of ``sizes`` with copies of its first row. So a model meets few
    sizes, all of them compiled before the first request, and a request's answer depends on its own
    rows and on the size alone.

    Args:
        model: what is called.
        signature: its inputs and outputs.
        max_batch: most rows that are computed together.
    """

    def __init__(self, model: Model, signature: Signature, max_batch: int) -> None:
        self.model, self.signature = model, signature
        self.sizes = allowed(sizes_up_to(max_batch), model, signature)
        if changed := getattr(model, "changes", ()):
            raise ValueError(
                f"the program changes its own state ({changed[0]}), so a request would change the"
                " answers to others; export the model in eval mode"
            )

    @property
    def batched(self) -> bool:
        """Whether rows of several requests are computed together."""
        return not self.signature.apart

    def run(self, arrays: Sequence[np.ndarray]) -> Arrays:
        """The outputs for one batch of inputs."""
        if not self.batched:
            return self.call(arrays)
        rows = len(arrays[0])
        size = next(size for size in self.sizes if size >= rows)
        outputs = self.call([filled(array, size) for array in arrays])
        return [output[:rows] for output in outputs]

    def call(self, arrays: Sequence[np.ndarray]) -> Arrays:
        """The model's outputs for exactly these inputs."""
        with rl.no_grad():
            tensors = self._tensors([rl.tensor(array) for array in arrays])
            rl.realize(*tensors)  # in one program, not one for each output
            return [tensor.numpy() for tensor in tensors]

    def _tensors(self, inputs: list[rl.Tensor]) -> list[rl.Tensor]:
        """The outputs one by one, in whatever form the model returns them."""
        if isinstance(self.model, ExportedProgram):
            return self.model.run(inputs)
        found = self.model(*inputs)
        return [found] if isinstance(found, rl.Tensor) else list(found)

    def prepare(self) -> None:
        """Compiles for every size, and finds out whether rows are independent.

        Every size is run twice: what is packed of the weights is kept from the second time on.
        """
        with compiled_at_once():
            self._prepare()

    def _prepare(self) -> None:
        example = example_of(self.model, self.signature)
        if not self.batched:
            for _ in range(2):
                self._check(self.call(example))
            return
        if reason := self._mixing(example):
            self.signature = replace(self.signature, apart=reason)
            return self._prepare()
        for size in self.sizes:
            for _ in range(2):
                self._check(self.call([filled(array[:1], size) for array in example]), size)
        return None

    def _check(self, outputs: Arrays, rows: int | None = None) -> None:
        """Holds a model to the outputs that it states."""
        ports = self.signature.outputs
        if len(outputs) != len(ports):
            raise ValueError(f"the model states {len(ports)} outputs and gives {len(outputs)}")
        for port, output in zip(ports, outputs):
            if output.dtype != port.dtype or output.ndim != len(port.shape):
                raise ValueError(
                    f"output '{port.name}' is stated as {port.datatype} {port.sizes} and is"
                    f" {output.dtype} {list(output.shape)}"
                )
            if rows is not None and len(output) != rows:
                raise ValueError(f"output '{port.name}' has {len(output)} rows for {rows}")

    def _mixing(self, example: Arrays) -> str:
        """Why rows may not be computed together: one of them changes another's answer."""
        if self.sizes[-1] == 1:
            return ""
        size = next(size for size in self.sizes if size > 1)
        pair = [filled(array[:1], size) for array in example]
        others = [array.copy() for array in pair]
        for array in others:
            array[1] = np.nan if array.dtype.kind == "f" else 1 - array[1].astype(bool)
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                alone, beside = self.call(pair), self.call(others)
        except Exception as error:  # whatever a model does with two rows, it serves one
            return f"it does not take two rows: {str(error).splitlines()[0]}"
        for port, a, b in zip(self.signature.outputs, alone, beside):
            if len(a) != size or not _close(a[0], b[0]):
                return f"a row of '{port.name}' depends on other rows"
        return ""


@contextmanager
def compiled_at_once() -> Iterator[None]:
    """Leaves out the references, which run a graph the first time: they are slow for a batch."""
    before = rl.are_deterministic_algorithms_enabled()
    rl.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        rl.use_deterministic_algorithms(before)


def _close(a: np.ndarray, b: np.ndarray) -> bool:
    """Equal but for rounding: a model may be anything that can be called."""
    if a.dtype.kind != "f":
        return np.array_equal(a, b)
    scale = float(np.max(np.abs(a), initial=0.0, where=np.isfinite(a)))
    loose = 1e-2 if a.dtype == np.float16 else 1e-4
    return np.allclose(a, b, rtol=0, atol=loose * max(scale, 1e-6), equal_nan=True)


def sizes_up_to(most: int) -> list[int]:
    """Powers of two below ``most``, and ``most``.

    Example:
        >>> sizes_up_to(12)
        [1, 2, 4, 8, 12]
    """
    sizes = [1]
    while sizes[-1] * 2 < most:
        sizes.append(sizes[-1] * 2)
    return sizes if most == 1 else [*sizes, most]


def allowed(sizes: list[int], model: Model, signature: Signature) -> list[int]:
    """Those of ``sizes`` that the model was exported for, with its own bounds among them.

    Raises:
        ValueError: there is none.
    """
    if signature.apart or not isinstance(model, ExportedProgram):
        return sizes
    [dim] = [dim for dim in model.dims if dim.name == signature.inputs[0].shape[0]]
    bounds = [bound for bound in (dim.min, dim.max) if bound and bound <= sizes[-1]]
    found = sorted({size for size in [*sizes, *bounds] if dim.allows(size)})
    if not found:
        raise ValueError(
            f"the program takes at least {dim.min} rows; the server computes {sizes[-1]} at most"
        )
    return found


def filled(array: np.ndarray, rows: int) -> np.ndarray:
    """``array`` with its first row repeated behind it, up to ``rows``."""
    if len(array) == rows:
        return array
    whole = np.empty((rows, *array.shape[1:]), array.dtype)
    whole[: len(array)] = array
    whole[len(array) :] = array[0]
    return whole


def example_of(model: Model, signature: Signature) -> Arrays:
    """Inputs that the model is known to take: those of its export, or zeros of the least size."""
    goldens = getattr(model, "goldens", None)
    if goldens:
        return [
            np.asarray(array, port.dtype) for array, port in zip(goldens[0][0], signature.inputs)
        ]
    return [
        np.zeros([size if isinstance(size, int) else 1 for size in port.shape], port.dtype)
        for port in signature.inputs
    ]
