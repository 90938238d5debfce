"""Which groups there are, and who is in them: ``init_process_group`` and ``new_group``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from rushlight.base import site as sites
from rushlight.base.extras import load

from . import world as worlds
from .process_group import Call, ProcessGroup
from .rendezvous import BACKENDS, chosen_backend, told
from .store import Store
from .world import World

default_pg_timeout = timedelta(minutes=30)


class GroupMember:
    """What stands for groups: the default one, and one that this rank is not in."""

    WORLD: ProcessGroup | None = None
    NON_GROUP_MEMBER = -100


class _GroupNames(type):
    @property
    def WORLD(cls) -> ProcessGroup | None:
        """The group of all ranks; None before ``init_process_group``."""
        return GroupMember.WORLD


class group(metaclass=_GroupNames):
    """Names of groups, as ``group.WORLD``."""


_groups: dict[ProcessGroup, World] = {}
_made = 0


def is_available() -> bool:
    """Whether there can be several processes: mpi4py is installed."""
    try:
        load("mpi4py", "distributed", "more than one process")
    except ModuleNotFoundError:
        return False
    return True


is_mpi_available = is_gloo_available = is_available


def is_nccl_available() -> bool:
    """False: there are no CUDA devices here."""
    return False


def is_backend_available(backend: str) -> bool:
    """Whether a backend can be asked for by this name."""
    return backend.lower() in BACKENDS and is_available()


def is_initialized() -> bool:
    """Whether there is a default group."""
    return GroupMember.WORLD is not None


def is_torchelastic_launched() -> bool:
    """Whether ``torchrun`` started this process."""
    return "TORCHELASTIC_RUN_ID" in os.environ


def init_process_group(
    backend: str | None = None,
    init_method: str | None = None,
    timeout: timedelta | None = None,
    world_size: int = -1,
    rank: int = -1,
    store: Store | None = None,
    group_name: str = "",
    pg_options: Any = None,
    device_id: Any = None,
) -> None:
    """Brings the ranks together and makes the default group.

    Under ``mpiexec`` and Slurm with MPI the launcher knows the ranks. Otherwise they are told here
    or in the environment, and meet at ``MASTER_ADDR:MASTER_PORT``. Ranks on one machine divide its
    processors among them, unless the number of threads was said.

    Args:
        backend: ``"gloo"`` or ``"mpi"``, which both are MPI; ``"gloo"`` if nothing is said.
        init_method: ``"env://"`` (RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT), ``"tcp://host:port"``
            or ``"file:///path"``.
        timeout: how long a collective waits for the other ranks; 30 minutes if nothing is said.
        store: where to find rank 0, in place of ``init_method``.
        pg_options, device_id: accepted; they say nothing to MPI.
    Raises:
        ValueError: it was called before, or a number is missing.
        RuntimeError: the backend is not to be had; a rank does not come.
        ModuleNotFoundError: mpi4py is not installed: ``pip install "rushlight[distributed]"``.
    """
    global _made
    if GroupMember.WORLD is not None:
        raise ValueError("trying to initialize the default process group twice!")
    name = chosen_backend(backend)
    seconds = (default_pg_timeout if timeout is None else timeout).total_seconds()
    if init_method is not None and store is not None:
        raise AssertionError("Cannot specify both init_method and store.")
    where = None
    if not worlds.launched_by_mpi():
        rank, world_size, where = told(init_method, store, rank, world_size, seconds)
    world = worlds.meet(rank, world_size, where, seconds)
    _made += 1
    GroupMember.WORLD = ProcessGroup(
        world, world.comm, range(world.size), seconds, group_name or str(_made), name, "default_pg"
    )
    _groups[GroupMember.WORLD] = world


def destroy_process_group(group: ProcessGroup | None = None) -> None:
    """Ends a group; all of them for None or the default one.

    Raises:
        ValueError: there is no such group.
    """
    if group is not None and group is GroupMember.NON_GROUP_MEMBER:
        return
    if GroupMember.WORLD is None:
        raise AssertionError("Process group cannot be None")
    if group is not None and group not in _groups:
        raise ValueError("Invalid process group specified")
    if group is not None and group is not GroupMember.WORLD:
        group.close()
        del _groups[group]
        return
    for each in list(_groups):
        each.close()
    _groups.clear()
    line = GroupMember.WORLD.world.line
    GroupMember.WORLD = None
    if line is not None:
        line.leave()


# Who is where.


def default() -> ProcessGroup:
    """The default group.

    Raises:
        ValueError: there is none yet.
    """
    if GroupMember.WORLD is None:
        raise ValueError(
            "Default process group has not been initialized, please make sure to call"
            " init_process_group."
        )
    return GroupMember.WORLD


def member_of(given: Any, operation: str) -> ProcessGroup | None:
    """The group that a collective is called for; None if this rank is not in it."""
    if given is None:
        return default()
    if isinstance(given, ProcessGroup):
        if given not in _groups:
            raise ValueError(f"{operation}: the process group has been destroyed")
        return given
    if given == GroupMember.NON_GROUP_MEMBER:
        import warnings

        warnings.warn(
            f"Running {operation} on global rank {default().world.rank} which does not belong to"
            " the given group.",
            stacklevel=3,
        )
        return None
    raise TypeError(f"{operation}: group must be a ProcessGroup, not {type(given).__name__}")


def get_rank(group: Any = None) -> int:
    """This rank's number in a group; -1 if it is not in it."""
    if group == GroupMember.NON_GROUP_MEMBER:
        return -1
    return (group or default()).rank()


def get_world_size(group: Any = None) -> int:
    """How many ranks a group has; -1 if this one is not in it."""
    if group == GroupMember.NON_GROUP_MEMBER:
        return -1
    return (group or default()).size()


def get_backend(group: Any = None) -> str:
    """The name that the group's backend was asked for by."""
    if group == GroupMember.NON_GROUP_MEMBER:
        raise ValueError("Invalid process group specified")
    return (group or default()).backend_name


def get_process_group_ranks(group: Any = None) -> list[int]:
    """The members of a group, by their numbers in the world."""
    return list((group or default()).ranks)


def get_group_rank(group: Any, global_rank: int) -> int:
    """A rank's number in a group.

    Raises:
        ValueError: it is not in the group.
    """
    if global_rank not in group.ranks:
        raise ValueError(f"Global rank {global_rank} is not part of group {group}")
    return int(group.ranks.index(global_rank))


def get_global_rank(group: Any, group_rank: int) -> int:
    """The number in the world of a group's member.

    Raises:
        ValueError: the group has no such member.
    """
    if not 0 <= group_rank < len(group.ranks):
        raise ValueError(f"Group rank {group_rank} is not part of group {group}")
    return int(group.ranks[group_rank])


def get_node_local_rank(fallback_rank: int | None = None) -> int:
    """This rank's number among those on its machine."""
    if "LOCAL_RANK" in os.environ:
        return int(os.environ["LOCAL_RANK"])
    if GroupMember.WORLD is not None:
        return GroupMember.WORLD.world.local[1]
    if fallback_rank is not None:
        return int(fallback_rank)
    raise RuntimeError(
        "LOCAL_RANK is not in the environment. Consider passing fallback_rank to allow"
        " `get_node_local_rank` to work, assuming you are not running in a multi-device context."
    )


def get_pg_count() -> int:
    """How many groups there are."""
    return len(_groups)


# More groups.


def new_group(
    ranks: Sequence[int] | None = None,
    timeout: timedelta | None = None,
    backend: str | None = None,
    pg_options: Any = None,
    use_local_synchronization: bool = False,
    group_desc: str | None = None,
    device_id: Any = None,
    sort_ranks: bool = True,
) -> Any:
    """A group of some of the ranks. All ranks call this, those that are not in it as well.

    Returns:
        The group; ``GroupMember.NON_GROUP_MEMBER`` where this rank is not in it.
    Raises:
        ValueError: a rank is there twice, or not in the world.
    """
    global _made
    whole = default()
    world = whole.world
    members = list(range(world.size)) if ranks is None else list(ranks)
    members = sorted(members) if sort_ranks else members
    if len(set(members)) != len(members):
        raise ValueError(f"ranks list must not contain duplicate entries, got {members}")
    for rank in members:
        if not 0 <= rank < world.size:
            raise ValueError(
                f"Rank {rank} is out of range. Valid ranks are 0 to {world.size - 1}"
                f" (world_size={world.size})"
            )
    call = Call("new_group", f"ranks={members}", sites.current(2))
    inner = world.comm.Get_group().Incl(members)
    if use_local_synchronization:
        if world.rank not in members:
            return GroupMember.NON_GROUP_MEMBER
        comm = world.comm.Create_group(inner)
    else:
        comm = whole.perform(call, lambda _: world.comm.Create(inner))
    _made += 1
    if world.rank not in members:
        return GroupMember.NON_GROUP_MEMBER
    seconds = whole.seconds if timeout is None else timeout.total_seconds()
    name = whole.backend_name if backend is None else chosen_backend(backend)
    made = ProcessGroup(world, comm, members, seconds, str(_made), name, group_desc or "")
    _groups[made] = world
    return made


def new_subgroups(
    group_size: int | None = None,
    group: Any = None,
    timeout: timedelta | None = None,
    backend: str | None = None,
    pg_options: Any = None,
    group_desc: str | None = None,
) -> tuple[Any, list[Any]]:
    """Groups of ``group_size`` ranks in a row.

    Returns:
        This rank's group, and all groups.
    Raises:
        ValueError: the world cannot be divided so.
    """
    count = get_world_size()
    size = default().world.local[0] if group_size is None else group_size
    if size < 1 or count % size:
        raise ValueError(f"The world size ({count}) must be divisible by 'group_size={size}'")
    rows = [list(range(first, first + size)) for first in range(0, count, size)]
    return new_subgroups_by_enumeration(rows, timeout, backend, pg_options, group_desc)


def new_subgroups_by_enumeration(
    ranks_per_subgroup_list: Sequence[Sequence[int]],
    timeout: timedelta | None = None,
    backend: str | None = None,
    pg_options: Any = None,
    group_desc: str | None = None,
) -> tuple[Any, list[Any]]:
    """Groups of the ranks in each list.

    Raises:
        ValueError: there are no lists, or a rank is in two.
    """
    if not ranks_per_subgroup_list:
        raise ValueError("The arg 'ranks_per_subgroup_list' cannot be empty")
    every = [rank for ranks in ranks_per_subgroup_list for rank in ranks]
    if len(set(every)) != len(every):
        raise ValueError("a rank cannot be in two of the subgroups")
    made, mine = [], None
    for ranks in ranks_per_subgroup_list:
        one = new_group(ranks, timeout, backend, pg_options, group_desc=group_desc)
        made.append(one)
        if get_rank() in ranks:
            mine = one
    return mine, made
