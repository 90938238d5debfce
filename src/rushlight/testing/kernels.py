"""How many kernels work took, and whether it was new."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def assert_kernels(count: int) -> Iterator[None]:
    """Fails unless what is computed in the block takes ``count`` kernels, over all programs run.

    Work recorded before the block and computed in it counts. Programs are compiled for it, whatever
    ``RUSHLIGHT_TIER`` says; a step that is run by its reference counts as a kernel.

    Raises:
        AssertionError: there were more or fewer; it lists them.
    Example:
        >>> import rushlight as rl
        >>> x, bias = rl.ones(4, 3), rl.ones(3)
        >>> rl.realize(x, bias)
        >>> with rl.testing.assert_kernels(1):
        ...     rl.realize((x + bias).relu())
    """
    from rushlight.compiler.inside import table
    from rushlight.execute.watching import watching

    with watching() as watch:
        yield
    programs = [(ran, ran.explained()) for ran in watch.found.values()]
    found = sum(ran.runs * len(told.calls) for ran, told in programs)
    if found != count:
        lists = [
            f"run {ran.runs} times:\n{table(told.calls)}\nof\n{told.graph}"
            for ran, told in programs
        ]
        rows = "\n".join(lists) or "nothing was computed"
        raise AssertionError(f"{found} kernels instead of {count}\n{rows}")


@contextmanager
def assert_no_recompile() -> Iterator[None]:
    """Fails if a graph is computed in the block that was never computed before.

    Raises:
        AssertionError: there was one; it shows the graph.
    Example:
        >>> import rushlight as rl
        >>> def double(x):
        ...     return rl.realize(x * 2)
        >>> x = rl.ones(3)
        >>> rl.realize(x)
        >>> double(x)
        >>> with rl.testing.assert_no_recompile():
        ...     double(x)
    """
    from rushlight.execute.watching import watching

    with watching() as watch:
        yield
    fresh = [ran.explained().graph for ran in watch.found.values() if not ran.known]
    if fresh:
        graphs = "\n".join(fresh)
        raise AssertionError(f"{len(fresh)} graphs were new, and had to be compiled:\n{graphs}")
