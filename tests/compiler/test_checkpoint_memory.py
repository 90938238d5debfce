"""What checkpointing is for: how much memory a program needs while it runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import rushlight as rl
from rushlight import nn
from rushlight.compiler.llvm.machine import host
from rushlight.compiler.program import Stages, stages
from rushlight.execute import tier
from rushlight.execute.realize import watchers
from rushlight.execute.reference import ReferenceProgram
from rushlight.graph.graph import Graph
from rushlight.ops import matmul
from rushlight.utils.checkpoint import checkpoint, checkpoint_sequential

ROWS, WIDTH = 512, 8
ACTIVATION = ROWS * WIDTH * 4
"""Bytes of what one layer makes; its parameters are a few hundred."""


def network(depth: int) -> nn.Sequential:
    return nn.Sequential(*[nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.Tanh()) for _ in range(depth)])


@contextmanager
def planned() -> Iterator[list[Stages]]:
    """What would be compiled for each graph that is run in the block, by references."""
    found: list[Stages] = []
    watcher = lambda cut, known: found.append(stages(cut.graph(), host()))
    watchers.append(watcher)
    try:
        with tier.only("reference"):
            yield found
    finally:
        watchers.remove(watcher)


def trained(depth: int, segments: int, step: bool) -> Stages:
    """The one program of a training step, or of a loss and its gradients."""
    net = network(depth)
    optimizer = rl.optim.SGD(net.parameters(), lr=0.1)
    x = rl.randn(ROWS, WIDTH)
    rl.realize(x, *net.parameters())
    with planned() as found:
        y = checkpoint_sequential(net, segments, x, use_reentrant=False) if segments else net(x)
        loss = y.square().mean()
        loss.backward()
        if step:
            optimizer.step()
        else:
            rl.realize(loss, *(p.grad for p in net.parameters()))
    (plan,) = found
    return plan


def layers(bytes: int) -> float:
    return bytes / ACTIVATION


@pytest.mark.parametrize("step", [True, False], ids=["step", "gradients"])
def test_the_peak_grows_with_segments_and_their_length(step: bool) -> None:
    peaks = {
        (depth, segments): layers(trained(depth, segments, step).program.arena)
        for depth, segments in ((4, 0), (16, 0), (4, 2), (16, 4))
    }
    assert peaks[16, 0] > 16 and peaks[16, 0] > 3 * peaks[4, 0]
    for (depth, segments), peak in peaks.items():
        if segments:
            assert peak <= segments + depth / segments + 1.1


def test_what_is_computed_again_is_not_what_was_computed() -> None:
    products = [
        sum(step.op is matmul for step in trained(6, segments, True).expanded.steps)
        for segments in (0, 3)
    ]
    # 6 for the forward pass, 6 of weights and 5 of inputs; 4 of the first two segments once more.
    assert products == [17, 21]


def test_regions_inside_of_regions_need_less_still() -> None:
    def halves(layers: list[Any]) -> Any:
        if len(layers) <= 2:
            return lambda x: layers[1](layers[0](x))
        first, second = halves(layers[: len(layers) // 2]), halves(layers[len(layers) // 2 :])
        return lambda x: checkpoint(second, checkpoint(first, x, use_reentrant=False),
                                    use_reentrant=False)  # fmt: skip

    net = network(16)
    x = rl.randn(ROWS, WIDTH)
    rl.realize(x, *net.parameters())
    with planned() as found:
        loss = halves(list(net))(x).square().mean()
        loss.backward()
        rl.realize(loss, *(p.grad for p in net.parameters()))
    (plan,) = found
    assert layers(plan.program.arena) < 8  # about 2 for each of 3 levels


def test_only_inputs_are_kept_from_a_forward_pass_for_its_gradients() -> None:
    net = network(12)
    x = rl.randn(ROWS, WIDTH)
    rl.realize(x, *net.parameters())
    with planned() as found:
        loss = checkpoint_sequential(net, 4, x, use_reentrant=False).square().mean()
        loss.item()
    (plan,) = found
    graph = plan.graph
    kept = [graph.steps[k - len(graph.inputs)].spec for k in graph.outputs]
    # Three segments' results, the last segment's three layers, and the loss.
    assert sum(spec.numel == ROWS * WIDTH for spec in kept) <= 3 + 6 and len(kept) < 12


def peak_of_references(graph: Graph) -> float:
    """The most bytes of intermediate results at a time when references run a graph."""
    program, first = ReferenceProgram(graph), len(graph.inputs)
    alive: dict[int, int] = {}
    most = 0
    for k, finished in zip(program.order, program.finished, strict=True):
        spec: Any = graph.steps[k].spec
        specs = spec if isinstance(spec, tuple) else (spec,)
        alive[first + k] = sum(each.nbytes for each in specs)
        most = max(most, sum(alive.values()))
        for value in finished:
            alive.pop(value, None)
    return layers(most)


def test_references_spare_memory_too() -> None:
    plain, spared = (trained(16, k, False).graph for k in (0, 4))
    assert peak_of_references(plain) > 32
    assert peak_of_references(spared) < 16
