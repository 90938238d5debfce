"""One rank goes wrong, in the way that the first argument names."""

import os
import signal
import sys
import time
from datetime import timedelta

import rushlight as rl
from rushlight import distributed as dist
from rushlight import multiprocessing as mp
from rushlight import nn


def work(rank=None, world=None):
    how = sys.argv[1]
    patience = timedelta(seconds=float(sys.argv[2]))
    more = {} if rank is None else {"rank": rank, "world_size": world}
    dist.init_process_group("gloo", timeout=patience, **more)
    rank = dist.get_rank()
    dist.barrier()
    if how == "kill" and rank == 1:
        time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "sleep" and rank == 1:
        time.sleep(3600)  # fast asleep
    if how == "raise" and rank == 1:
        raise ValueError("a label of no class")
    if how == "leave" and rank == 1:
        return
    if how == "shape":
        dist.all_reduce(rl.ones(2 + rank))
    if how == "dtype":
        dist.all_reduce(rl.ones(2, dtype=rl.float32 if rank else rl.float64))
    if how == "order" and rank == 0:
        dist.broadcast(rl.ones(2), 0)
    if how == "root":
        dist.broadcast(rl.ones(2), rank)
    if how == "letter":
        if rank == 0:
            dist.send(rl.ones(3), 1)
        else:
            dist.recv(rl.ones(4), 0)
    if how == "lonely" and rank == 0:
        dist.recv(rl.ones(4), 1)
    if how == "model":
        nn.parallel.DistributedDataParallel(nn.Linear(2, 3 + rank))
    if how == "bucket" and rank == 1:
        os.kill(os.getpid(), signal.SIGSTOP)
    dist.all_reduce(rl.ones(3))


if __name__ == "__main__":
    if sys.argv[3] == "spawn":
        mp.spawn(work, args=(2,), nprocs=2)
    else:
        work()
