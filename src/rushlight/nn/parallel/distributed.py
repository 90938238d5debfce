"""DistributedDataParallel: one network on several ranks, each with its own part of the batch."""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

import rushlight as rl
from rushlight import distributed as dist
from rushlight.autograd import walk
from rushlight.base import site as sites
from rushlight.distributed import pending
from rushlight.distributed.membership import default
from rushlight.distributed.memory import fill, many_stored
from rushlight.distributed.process_group import Call, ProcessGroup
from rushlight.distributed.reducer import Reducer
from rushlight.tensor.tensor import Tensor

from ..module import Module


class DistributedDataParallel(Module):
    """Trains a module on several ranks at once.

    Rank 0's parameters and buffers are given to all when it is made. In the backward pass the
    gradients are averaged over the ranks, in buckets that travel while others are computed. The
    average is part of the program of the training step: it is recorded in ``backward``, and
    computed with the optimizer's step, or when somebody looks at a gradient. It is summed in the
    order of the ranks, so all ranks have the same bits, and so have two runs.

    Args:
        module: the network, which every rank has made.
        process_group: among whom; all ranks by default.
        bucket_cap_mb: how much travels together; 25 MiB if nothing is said.
        broadcast_buffers: whether rank 0's buffers are given to all before each forward pass.
        init_sync: whether the first values are compared and given to all.
        find_unused_parameters: whether a backward pass may leave parameters out, others on each
            rank; a parameter that no rank has used keeps the gradient that it had.
        gradient_as_bucket_view, static_graph, check_reduction, dim: accepted; they change nothing.
    Attributes:
        averages_what_comes: whether each backward pass averages the gradients that it brings, as
            where several optimizers take turns; the ranks' passes bring the same ones.
    Raises:
        ValueError: there is no process group.
        RuntimeError: nothing in the module is trained; ranks have made different modules.
    Reference:
        Li et al. 2020, "PyTorch Distributed", section 3, arXiv:2006.15704.
    Example:
        In each rank, after ``init_process_group``::

            net = DistributedDataParallel(net)
            for x, y in loader:              # with a DistributedSampler
                optimizer.zero_grad()
                criterion(net(x), y).backward()
                optimizer.step()
    """

    def __init__(
        self, module: Module, device_ids: Any = None, output_device: Any = None, dim: int = 0,
        broadcast_buffers: bool = True, init_sync: bool = True, process_group: Any = None,
        bucket_cap_mb: float | None = None, find_unused_parameters: bool = False,
        check_reduction: bool = False, gradient_as_bucket_view: bool = False,
        static_graph: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.process_group: ProcessGroup = process_group or default()
        self.module, self.dim = module, dim
        self.device_ids, self.output_device = None, None
        self.broadcast_buffers = broadcast_buffers
        self.find_unused_parameters = find_unused_parameters
        self.gradient_as_bucket_view, self.static_graph = gradient_as_bucket_view, static_graph
        self.require_backward_grad_sync = self.require_forward_param_sync = True
        left_out = getattr(module, "_ddp_params_and_buffers_to_ignore", ())
        named = {
            name: parameter
            for name, parameter in module.named_parameters()
            if parameter.requires_grad and name not in left_out
        }
        if not named:
            raise RuntimeError(
                "DistributedDataParallel is not needed when a module doesn't have any parameter"
                " that requires a gradient."
            )
        if device_ids:
            raise ValueError(
                f"DistributedDataParallel(device_ids={device_ids}): the CPU has no number; leave"
                " device_ids out"
            )
        self._names, self._parameters_here = list(named), list(named.values())
        self._buffers_here = [buffer for _, buffer in module.named_buffers()]
        self._shared, self._buffers_group = "", self._twin("buffers")
        self._kept_in_step = [
            each
            for name, each in [*module.named_parameters(), *module.named_buffers()]
            if name not in left_out
        ]
        if init_sync:
            self._compare()
            self._share(self._kept_in_step)
        cap = 25.0 if bucket_cap_mb is None else bucket_cap_mb
        specs = [parameter.node.spec for parameter in self._parameters_here]
        self._reducer = Reducer(self._twin("gradients"), specs, int(cap * (1 << 20)))
        self._reached: set[int] = set()
        self._expects, self._missing = False, list[int]()
        self.averages_what_comes = False
        self._watch_gradients()

    # Before the first step.

    def _twin(self, what: str) -> ProcessGroup:
        """The same ranks with an order of their own, so nothing else comes between."""
        group = self.process_group
        call = Call("DistributedDataParallel", what, sites.current(3))
        return group.perform(call, lambda _: group.twin())  # type: ignore[no-any-return]

    def _compare(self) -> None:
        """Checks that all ranks have made the same parameters.

        Raises:
            RuntimeError: one differs; it is named.
        """
        mine = [
            (name, tuple(p.shape), str(p.dtype))
            for name, p in zip(self._names, self._parameters_here, strict=True)
        ]
        found: list[Any] = [None] * self.process_group.size()
        dist.all_gather_object(found, mine, self.process_group)
        for rank, theirs in enumerate(found):
            for one, other in zip(found[0], theirs):
                if one != other:
                    raise RuntimeError(
                        f"DistributedDataParallel: parameter {one[0]} is {one[2]} {one[1]} on rank"
                        f" {self.process_group.ranks[0]}, and on rank"
                        f" {self.process_group.ranks[rank]} there is {other[0]}, {other[2]}"
                        f" {other[1]}; all ranks make the same module"
                    )
            if len(theirs) != len(found[0]):
                raise RuntimeError(
                    "DistributedDataParallel: the module has"
                    f" {len(found[0])} parameters on rank {self.process_group.ranks[0]} and"
                    f" {len(theirs)} on rank {self.process_group.ranks[rank]}"
                )

    def _share(self, tensors: list[Tensor]) -> None:
        """Gives all ranks what the first has."""
        if not tensors or self.process_group.size() == 1:
            return
        pending.settle()
        specs = [tensor.node.spec for tensor in tensors]
        first = self.process_group.rank() == 0
        if first:
            arrays = many_stored(tensors)
            flat = np.concatenate([array.reshape(-1).view(np.uint8) for array in arrays])
        else:
            flat = np.empty(sum(spec.nbytes for spec in specs), np.uint8)
        what = f"{len(tensors)} tensors of {flat.size} bytes"
        # The same every time: after the first one, lengths cannot differ.
        call = Call("DistributedDataParallel", what, sites.current(2), sealed=what == self._shared)
        self._shared = what
        found = self._buffers_group.perform(call, lambda ranks: ranks.broadcast(flat, 0))
        if first:
            return
        start = 0
        for tensor, spec in zip(tensors, specs, strict=True):
            part = found[start : start + spec.nbytes]
            fill(tensor, part.view(spec.dtype.storage))
            start += spec.nbytes

    # Each step.

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """What the module makes of its inputs."""
        self.begin()
        return self.module(*inputs, **kwargs)

    def begin(self) -> None:
        """Does what precedes a forward pass, for who calls the module itself."""
        pending.settle()
        self._check_finished()
        if self.broadcast_buffers and self.require_forward_param_sync:
            self.share_buffers()
        if rl.is_grad_enabled():
            self._expects = self.require_backward_grad_sync
            self.require_forward_param_sync = self.require_backward_grad_sync

    def share_buffers(self) -> None:
        """Gives all ranks the first one's buffers."""
        self._share(self._buffers_here)

    def release(self) -> None:
        """Leaves the gradients of the module to themselves again."""
        for handle in self._handles:
            handle.remove()
        pending.settle()

    @contextlib.contextmanager
    def no_sync(self) -> Iterator[None]:
        """Gradients of forward passes in here wait, and are averaged with those of the next."""
        before = self.require_backward_grad_sync
        self.require_backward_grad_sync = False
        try:
            yield
        finally:
            self.require_backward_grad_sync = before

    def join(self, *args: Any, **kwargs: Any) -> Any:
        """Not supported.

        Raises:
            NotImplementedError: always; it says what to do instead.
        """
        raise NotImplementedError(
            "DistributedDataParallel.join: ranks cannot have different numbers of batches; a"
            " DistributedSampler gives all of them as many"
        )

    def register_comm_hook(self, state: Any, hook: Any) -> None:
        """Not supported.

        Raises:
            NotImplementedError: always; it says what to do instead.
        """
        raise NotImplementedError(
            "DistributedDataParallel.register_comm_hook: gradients are averaged in the order of the"
            " ranks; use no_sync() and reduce them yourself"
        )

    def _check_finished(self) -> None:
        if not self._missing:
            return
        names = ", ".join(self._names[i] for i in self._missing)
        indices = " ".join(map(str, self._missing))
        self._missing = []
        raise RuntimeError(
            "Expected to have finished reduction in the prior iteration before starting a new one."
            " This error indicates that your module has parameters that were not used in producing"
            f" loss: {names}. You can enable unused parameter detection by passing the keyword"
            " argument `find_unused_parameters=True` to"
            " `torch.nn.parallel.DistributedDataParallel`.\nParameter indices which did not receive"
            f" grad for rank {self.process_group.world.rank}: {indices}"
        )

    def _watch_gradients(self) -> None:
        this = weakref.ref(self)
        self._handles = [
            parameter.register_post_accumulate_grad_hook(partial(_arrived, this, i))
            for i, parameter in enumerate(self._parameters_here)
        ]

    def _take(self, i: int) -> None:
        """Notes that a gradient is there; all are averaged once the walk is over."""
        if not self._expects or self.process_group.size() == 1:
            return
        if not self._reached:
            walk.ended.append(self._reduce)
        self._reached.add(i)

    def _reduce(self) -> None:
        """Records the average of the gradients that a backward pass has brought."""
        reached, self._reached = self._reached, set()
        self._expects = self.averages_what_comes
        averaged = set(reached)
        everyone = set(range(len(self._parameters_here)))
        if self.find_unused_parameters:
            averaged = self._reducer.agree_on_used(reached)
        elif reached != everyone and not self.averages_what_comes:
            self._missing = sorted(everyone - reached)
            whole = [set(b) for b in self._reducer.buckets if reached.issuperset(b)]
            averaged = set().union(*whole)
        for i in averaged - reached:
            parameter = self._parameters_here[i]
            if parameter.grad is None:
                parameter.grad = rl.zeros_like(parameter)
        if not averaged:
            return
        gradients = {i: self._parameters_here[i].grad for i in sorted(averaged)}
        averages = self._reducer.average({i: grad.node for i, grad in gradients.items()})
        for i, node in averages.items():
            gradients[i]._write_untracked(node)

    def __getstate__(self) -> dict[str, Any]:
        raise TypeError(
            "DistributedDataParallel belongs to its process group and cannot be pickled or copied;"
            " take its module"
        )


def _arrived(owner: Any, i: int, parameter: Tensor) -> None:
    found = owner()
    if found is not None:
        found._take(i)
