"""Several processes that train together, over MPI, with ``torch.distributed``'s names.

Example:
    Started with ``mpiexec -n 2 python script.py``::

        import rushlight as rl
        import rushlight.distributed as dist

        dist.init_process_group()
        x = rl.ones(3) * dist.get_rank()
        dist.all_reduce(x)
"""

# ruff: noqa: I001 - imported names stand in rows
from .collectives import (
    all_gather, all_gather_into_tensor, all_reduce, barrier, broadcast, gather, monitored_barrier,
    reduce, reduce_scatter, reduce_scatter_tensor, scatter,
)  # fmt: skip
from .exchanges import all_to_all, all_to_all_single
from .faults import DistBackendError, DistError, DistNetworkError, DistStoreError
from .process_group import ProcessGroup
from .letters import P2POp, batch_isend_irecv, irecv, isend, recv, send
from .membership import (
    GroupMember, default_pg_timeout, destroy_process_group, get_backend, get_global_rank,
    get_group_rank, get_node_local_rank, get_pg_count, get_process_group_ranks, get_rank,
    get_world_size, group, init_process_group, is_available, is_backend_available,
    is_gloo_available, is_initialized, is_mpi_available, is_nccl_available,
    is_torchelastic_launched, new_group, new_subgroups, new_subgroups_by_enumeration,
)  # fmt: skip
from .objects import (
    all_gather_object, broadcast_object_list, gather_object, recv_object_list,
    scatter_object_list, send_object_list,
)  # fmt: skip
from .reduce_op import ReduceOp
from .store import FileStore, HashStore, PrefixStore, Store, TCPStore
from .work import Work

# PyTorch's newer names of two of these.
all_gather_single, reduce_scatter_single = all_gather_into_tensor, reduce_scatter_tensor
