"""ZeRO, stage 1: each rank remembers and steps a share of the parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rushlight.base import site as sites
from rushlight.distributed import pending
from rushlight.distributed.membership import default
from rushlight.distributed.memory import fill, many_stored
from rushlight.distributed.objects import gather_object
from rushlight.distributed.process_group import Call, ProcessGroup
from rushlight.optim.optimizer import Optimizer
from rushlight.tensor.tensor import Tensor


class ZeroRedundancyOptimizer(Optimizer):
    """An optimizer of which each rank has the state of some parameters only.

    Parameters are divided by size, the largest first, each to the rank that has least. A step
    changes a rank's own and then gives them to the others, so all have the same bits.

    Args:
        params: parameters or groups of them, the same on all ranks.
        optimizer_class: what steps a rank's own, such as ``optim.Adam``.
        process_group: among whom; all ranks by default.
        parameters_as_bucket_view: accepted; it changes nothing.
        overlap_with_ddp: not supported, as the step is one program with the backward pass already.
        defaults: options of ``optimizer_class``.
    Attributes:
        optim: the optimizer of this rank's own.
    Raises:
        ValueError: ``overlap_with_ddp``, or there is no process group.
    Reference:
        Rajbhandari et al. 2020, "ZeRO", section 5.1, arXiv:1910.02054.
    Example:
        In each rank, after ``init_process_group``::

            optimizer = ZeroRedundancyOptimizer(net.parameters(), rl.optim.Adam, lr=1e-3)
    """

    def __init__(
        self, params: Any, optimizer_class: type[Optimizer], process_group: Any = None,
        parameters_as_bucket_view: bool = False, overlap_with_ddp: bool = False, **defaults: Any,
    ) -> None:  # fmt: skip
        if overlap_with_ddp:
            raise ValueError("ZeroRedundancyOptimizer: overlap_with_ddp is not supported")
        self.process_group: ProcessGroup = process_group or default()
        self._owners: dict[Tensor, int] = {}
        self._whole: dict[str, Any] | None = None
        super().__init__(params, defaults)
        self._owners = _divided(self._everything(), self.process_group.size())
        self.optim = optimizer_class(self._own_groups(), **defaults)
        for group in self.param_groups:
            for name, value in self.optim.defaults.items():
                group.setdefault(name, value)
        self.defaults = self.optim.defaults

    def _everything(self) -> list[Tensor]:
        return [one for group in self.param_groups for one in group["params"]]

    def _own_groups(self) -> list[dict[str, Any]]:
        rank = self.process_group.rank()
        return [
            {**group, "params": [p for p in group["params"] if self._owners[p] == rank]}
            for group in self.param_groups
        ]

    def step(self, closure: Callable[[], Any] | None = None, **kwargs: Any) -> Any:
        """One step of this rank's own parameters, which all ranks then get."""
        for group, own in zip(self.param_groups, self.optim.param_groups, strict=True):
            own.update({name: value for name, value in group.items() if name != "params"})
        result = self.optim.step(**kwargs) if closure is None else self.optim.step(closure)
        pending.settle()  # where nothing of this rank's own was stepped
        self._share()
        return result

    def _share(self) -> None:
        """Gives all ranks what each has stepped."""
        site = sites.current(2)
        for rank in range(self.process_group.size()):
            tensors = [p for p in self._everything() if self._owners[p] == rank]
            if tensors:
                self._give(tensors, rank, site)

    def _give(self, tensors: list[Tensor], root: int, site: sites.Site) -> None:
        arrays = many_stored(tensors)
        flat = np.concatenate([array.reshape(-1).view(np.uint8) for array in arrays])
        call = Call("ZeroRedundancyOptimizer.step", f"{flat.size} bytes, src={root}", site)
        found = self.process_group.perform(call, lambda ranks: ranks.broadcast(flat, root))
        if self.process_group.rank() == root:
            return
        start = 0
        for tensor, array in zip(tensors, arrays, strict=True):
            fill(tensor, found[start : start + array.nbytes].view(array.dtype))
            start += array.nbytes

    # Its state.

    def consolidate_state_dict(self, to: int = 0) -> None:
        """Brings the state of all ranks to one, whose :meth:`state_dict` then has it whole."""
        mine = {self._number()[p]: state for p, state in self.optim.state.items()}
        at_root = self.process_group.rank() == to
        found: list[Any] | None = [None] * self.process_group.size() if at_root else None
        gather_object(mine, found, group=self.process_group, group_dst=to)
        self._whole = None
        if found is not None:
            self._whole = dict(sorted(item for part in found for item in part.items()))

    def state_dict(self) -> dict[str, Any]:
        """The state of all ranks, on the one that :meth:`consolidate_state_dict` brought it to.

        Raises:
            RuntimeError: it was not called, or for another rank.
        """
        if self._whole is None:
            raise RuntimeError(
                "Optimizer state has not been consolidated on this rank. Please call"
                f" `consolidate_state_dict(to={self.process_group.rank()})` on all ranks beforehand"
                " if you meant to save the global state."
            )
        number = self._number()
        groups = [
            {**group, "params": [number[p] for p in group["params"]]} for group in self.param_groups
        ]
        return {"state": self._whole, "param_groups": groups}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes this rank's share of a whole state."""
        number = self._number()
        own = [p for group in self.optim.param_groups for p in group["params"]]
        state = {k: state_dict["state"][number[p]] for k, p in enumerate(own)
                 if number[p] in state_dict["state"]}  # fmt: skip
        start, groups = 0, []
        for theirs, ours in zip(state_dict["param_groups"], self.optim.param_groups, strict=True):
            count = len(ours["params"])
            groups.append({**theirs, "params": list(range(start, start + count))})
            start += count
        self.optim.load_state_dict({"state": state, "param_groups": groups})
        for group, own_group in zip(self.param_groups, self.optim.param_groups, strict=True):
            group.update({k: v for k, v in own_group.items() if k != "params"})

    def _number(self) -> dict[Tensor, int]:
        return {p: k for k, p in enumerate(self._everything())}


def _divided(parameters: list[Tensor], count: int) -> dict[Tensor, int]:
    """The owner of each parameter."""
    loads = [0] * count
    owners = {}
    for parameter in sorted(parameters, key=lambda p: p.numel(), reverse=True):
        least = loads.index(min(loads))
        owners[parameter] = least
        loads[least] += parameter.numel()
    return owners
