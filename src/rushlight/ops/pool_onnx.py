"""How pooling is said in ONNX, called by what the operations say beside themselves.

``to`` is the export's writer; sizes may be integers that vary.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rushlight.base.shapes import prod

from .windows import Sliding, Windows, lengths


def max_pooled(to: Any, x: Any, windows: Windows) -> Any:
    """The largest elements and their places in the windowed dimensions as one."""
    if not x.dtype.is_floating_point or x.ndim - len(windows) not in (1, 2):
        return None
    form = _form(x, windows)
    if form is None:
        return None
    values, places = _with_batch(to, x, windows, "MaxPool", 2, **form)
    size = 1
    for n in x.shape[-len(windows) :]:
        size = size * n
    return values, to("Mod", places, to.sizes([size]))


def averaged(to: Any, x: Any, windows: Any, divisor: int | str) -> Any:
    """The sum of each window over ``divisor``, or over how many elements it has."""
    if not x.dtype.is_floating_point or x.ndim - len(windows) not in (1, 2):
        return None
    if not isinstance(windows[0], Sliding):
        return _adaptive(to, x, windows)
    form = _form(x, windows)
    if form is None:
        return None
    inside = divisor == "inside"
    kernel = prod(form["kernel_shape"])
    plain = all(w.padding == p for w, p in zip(windows, form["pads"][len(windows) :], strict=True))
    form.pop("dilations")
    y = _with_batch(to, x, windows, "AveragePool", 1, count_include_pad=not inside, **form)
    if inside or (divisor == "padded" and plain) or divisor == kernel:
        return y
    if divisor == "padded":  # windows that reach beyond the padding have fewer
        size = x.shape[-len(windows) :]
        if not all(isinstance(n, int) for n in size):
            return None
        counts = lengths(windows, size, padded=True)
        return to("Mul", y, to.like(kernel / np.asarray(counts), x))
    return to("Mul", y, to.like(kernel / int(divisor), x))


def _form(x: Any, windows: Any) -> dict[str, Any] | None:
    """ONNX's attributes; None where it cannot say them."""
    size = x.shape[-len(windows) :]
    if not isinstance(windows[0], Sliding):
        if any(not isinstance(n, int) for n in size):
            return None
        steps = [divmod(n, w.outputs) if w.outputs else (0, 1) for n, w in zip(size, windows)]
        if any(rest for _, rest in steps):
            return None
        kernel = [step for step, _ in steps]
        zeros, ones = [0] * 2 * len(kernel), [1] * len(kernel)
        return {"kernel_shape": kernel, "strides": kernel, "pads": zeros, "dilations": ones}
    behind = [_behind(n, w) for n, w in zip(size, windows, strict=True)]
    if None in behind:
        return None
    return {
        "kernel_shape": [w.kernel for w in windows],
        "strides": [w.stride for w in windows],
        "pads": [*(w.padding for w in windows), *behind],
        "dilations": [w.dilation for w in windows],
    }


def _behind(n: Any, w: Any) -> Any:
    """The padding behind, with which there are just as many windows as there should be."""
    reach = w.dilation * (w.kernel - 1) + 1
    if (n + 2 * w.padding - reach) // w.stride + 1 == w.outputs:
        return w.padding
    needed = (w.outputs - 1) * w.stride + reach - n - w.padding
    return needed if isinstance(needed, int) and needed >= 0 else None


def _with_batch(to: Any, x: Any, windows: Windows, kind: str, results: int, **form: Any) -> Any:
    """Pools images, of which one alone gets a batch of its own."""
    alone = x.ndim == len(windows) + 1
    given = to("Unsqueeze", x, [0]) if alone else x
    made = to(kind, given, results=results, **form)
    if not alone:
        return made
    if results == 1:
        return to("Squeeze", made, [0])
    return tuple(to("Squeeze", each, [0]) for each in made)


def _adaptive(to: Any, x: Any, windows: Windows) -> Any:
    """Averages of nearly equal parts: a product with what each element counts for."""
    if all(w.outputs == 1 for w in windows):
        dims = list(range(x.ndim - len(windows), x.ndim))
        return to.axes("ReduceMean", x, dims, keepdims=1)
    form = _form(x, windows)
    if form is not None:
        form.pop("dilations")
        return _with_batch(to, x, windows, "AveragePool", 1, **form)
    y: Any = x
    for k, (n, window) in enumerate(zip(x.shape[-len(windows) :], windows, strict=True)):
        if not isinstance(n, int):
            return None
        y = product_along(
            to, y, x.ndim, x.ndim - len(windows) + k, _shares(window, n).astype(x.dtype.numpy)
        )
    return y


def _shares(window: Any, size: int) -> np.ndarray:
    """What each element counts for in each average."""
    shares = np.zeros((size, window.outputs))
    starts, counts = window.starts(size), window.lengths(size, padded=False)
    for k, (start, count) in enumerate(zip(starts, counts, strict=True)):
        shares[start : start + count, k] = 1 / count
    return shares


def product_along(to: Any, x: Any, rank: int, dim: int, matrix: np.ndarray) -> Any:
    """A product with a matrix along a dimension."""
    order = list(range(rank))
    order[dim], order[-1] = order[-1], order[dim]
    if dim == rank - 1:
        return to("MatMul", x, matrix)
    return to("Transpose", to("MatMul", to("Transpose", x, perm=order), matrix), perm=order)
