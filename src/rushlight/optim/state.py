"""An optimizer's groups and state as a dictionary that can be saved, in PyTorch's form."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from copy import deepcopy
from typing import Any

from rushlight.base.dtypes import float32
from rushlight.base.errors import ArgValueError
from rushlight.tensor.tensor import Tensor

Group = dict[str, Any]
State = defaultdict[Any, Any]
StateDict = dict[str, Any]


def pack(groups: list[Group], state: State) -> StateDict:
    """The dictionary, with a number from 0 in place of each parameter."""
    numbers: dict[int, int] = {}
    packed_groups = []
    start = 0
    for group in groups:
        params = group["params"]
        for number, param in enumerate(params, start):
            numbers.setdefault(id(param), number)
        packed = {key: value for key, value in group.items() if key != "params"}
        packed["params"] = [numbers[id(param)] for param in params]
        packed_groups.append(packed)
        start += len(params)
    packed_state = {
        (numbers[id(key)] if isinstance(key, Tensor) else key): value
        for key, value in state.items()
    }
    return {"state": packed_state, "param_groups": packed_groups}


def unpack(name: str, saved: StateDict, groups: list[Group]) -> tuple[list[Group], State]:
    """The groups and the state of an optimizer called ``name`` that has ``groups`` now.

    Raises:
        ValueError: the saved groups are of other sizes.
    """
    saved_groups: list[Group] = deepcopy(saved["param_groups"])
    _check_sizes(name, groups, saved_groups)
    owners: dict[Any, tuple[Tensor, Group]] = {}
    for group, saved_group in zip(groups, saved_groups, strict=True):
        for number, param in zip(saved_group["params"], group["params"], strict=True):
            owners[number] = (param, saved_group)
    state: State = defaultdict(dict)
    for key, value in saved["state"].items():
        if key in owners:
            param, saved_group = owners[key]
            state[param] = _moved(value, param, saved_group)
        else:
            state[key] = value
    for group, saved_group in zip(groups, saved_groups, strict=True):
        saved_group["params"] = group["params"]
        if "param_names" in group:
            saved_group.setdefault("param_names", group["param_names"])
    return saved_groups, state


def _check_sizes(name: str, groups: list[Group], saved_groups: list[Group]) -> None:
    if len(groups) != len(saved_groups):
        raise ArgValueError(
            name,
            "loaded state dict has a different number of parameter groups",
            rule=f"The optimizer has {len(groups)}, the state {len(saved_groups)}.",
        )
    for index, (group, saved_group) in enumerate(zip(groups, saved_groups, strict=True)):
        here, there = len(group["params"]), len(saved_group["params"])
        if here != there:
            raise ArgValueError(
                name,
                "loaded state dict contains a parameter group that doesn't match the size of "
                "optimizer's group",
                rule=f"Group {index} has {here} parameters here and {there} in the state.",
            )


def _moved(value: Any, param: Tensor, group: Group, key: object = None) -> Any:
    """A copy of saved state in the dtype and on the device of its parameter."""
    if isinstance(value, Tensor):
        return _tensor_for(value, param, group, key).clone()
    if isinstance(value, dict):
        return {name: _moved(item, param, group, name) for name, item in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return type(value)(_moved(item, param, group) for item in value)  # type: ignore[call-arg]
    return value


def _tensor_for(value: Tensor, param: Tensor, group: Group, key: object) -> Tensor:
    if key == "step":  # a count is exact in float32 and would not be in float16
        by_kernel = group.get("capturable") or group.get("fused")
        return value.to(dtype=float32, device=param.device) if by_kernel else value
    if param.is_floating_point():
        return value.to(dtype=param.dtype, device=param.device)
    return value.to(device=param.device)
