"""Every collective, with PyTorch or with rushlight: each rank writes down what it has after."""

import importlib
import json
import os
import sys
import warnings
from pathlib import Path

torch = importlib.import_module(sys.argv[1])
dist = importlib.import_module(f"{sys.argv[1]}.distributed")

warnings.simplefilter("ignore")
dist.init_process_group("gloo")
rank, world = dist.get_rank(), dist.get_world_size()
told = {}


def note(name, *tensors):
    told[name] = [[str(t.dtype), list(t.shape), t.tolist()] for t in tensors]


def mine(*shape, dtype=torch.float32):
    count = 1
    for n in shape:
        count *= n
    return (torch.arange(count, dtype=torch.float32).reshape(shape) + 10.0 * rank).to(dtype)


def fails(name, call):
    try:
        call()
    except Exception as error:
        kinds = [kind for kind in (ValueError, RuntimeError, TypeError) if isinstance(error, kind)]
        told[name] = kinds[0].__name__
    else:
        told[name] = "passed"


last = world - 1
for dtype in (torch.float32, torch.float64, torch.int32, torch.int64, torch.uint8, torch.bfloat16):
    for op in ("SUM", "MIN", "MAX", "PRODUCT"):
        x = mine(2, 3, dtype=dtype)
        dist.all_reduce(x, getattr(dist.ReduceOp, op))
        note(f"all_reduce {dtype} {op}", x)
for op in ("BAND", "BOR", "BXOR"):
    x = mine(5, dtype=torch.int64)
    dist.all_reduce(x, getattr(dist.ReduceOp, op))
    note(f"all_reduce {op}", x)
for shape in ((), (0,), (3, 0), (1,), (100_000,)):
    x = mine(*shape)
    dist.all_reduce(x)
    note(f"all_reduce {shape}", x)
x = mine(4, 3).t()
dist.all_reduce(x)
note("all_reduce of a transposed one", x)
base = mine(4, 3)
dist.all_reduce(base[1])
note("all_reduce of a view", base)
leaf = torch.ones(3, requires_grad=True)
with torch.no_grad():
    dist.all_reduce(leaf)
note("all_reduce of a leaf", leaf.detach())

x = mine(3)
dist.reduce(x, last)
note("reduce", *([x] if rank == last else []))
x = mine(2, 2)
dist.broadcast(x, last)
note("broadcast", x)
rows = [torch.zeros(2, 3) for _ in range(world)]
dist.all_gather(rows, mine(2, 3))
note("all_gather", *rows)
out = torch.zeros(world * 2, 3)
dist.all_gather_into_tensor(out, mine(2, 3))
note("all_gather_into_tensor", out)
rows = [torch.zeros(3) for _ in range(world)] if rank == last else None
dist.gather(mine(3), rows, dst=last)
note("gather", *(rows or []))
rows = [torch.full((2,), float(k)) for k in range(world)] if rank == 0 else None
x = torch.zeros(2)
dist.scatter(x, rows, src=0)
note("scatter", x)
x = torch.zeros(2)
dist.reduce_scatter(x, [mine(2) * k for k in range(world)])
note("reduce_scatter", x)
x = torch.zeros(2)
dist.reduce_scatter_tensor(x, mine(2 * world))
note("reduce_scatter_tensor", x)
out = [torch.zeros(2) for _ in range(world)]
dist.all_to_all(out, [mine(2) + 100.0 * k for k in range(world)])
note("all_to_all", *out)
out = torch.zeros(world, 2)
dist.all_to_all_single(out, mine(world, 2))
note("all_to_all_single", out)
given = [k + 1 for k in range(world)]
out = torch.zeros((rank + 1) * world)
dist.all_to_all_single(out, mine(sum(given)), [rank + 1] * world, given)
note("all_to_all_single uneven", out)

first, second = mine(3), mine(70_000)
works = [dist.all_reduce(x, async_op=True) for x in (first, second)]
for work in works:
    work.wait()
note("async", first, second)
work = dist.barrier(async_op=True)
work.wait()
told["completed"] = work.is_completed()

if world > 1:
    if rank == 0:
        dist.send(mine(3), 1, tag=7)
        got = torch.zeros(2)
        told["from"] = dist.recv(got)
        note("recv from any", got)
    elif rank == 1:
        got = torch.zeros(3)
        told["from"] = dist.recv(got, src=0, tag=7)
        note("recv", got)
        dist.send(torch.ones(2) * 5, 0)
    dist.barrier()  # what comes from any rank must not be of the ring
    right, left = (rank + 1) % world, (rank - 1) % world
    got = torch.zeros(4)
    works = dist.batch_isend_irecv(
        [dist.P2POp(dist.isend, mine(4), right), dist.P2POp(dist.irecv, got, left)]
    )
    for work in works:
        work.wait()
    note("ring", got)

objects = [None] * world
dist.all_gather_object(objects, {"rank": rank, "more": "x" * rank})
told["all_gather_object"] = objects
objects = [None] * world if rank == 0 else None
dist.gather_object(("rank", rank), objects, dst=0)
told["gather_object"] = objects
objects = ["a", {"b": 1}] if rank == last else [None, None]
dist.broadcast_object_list(objects, src=last)
told["broadcast_object_list"] = objects
got = [None]
dist.scatter_object_list(got, list("abcdef")[:world] if rank == 0 else None, src=0)
told["scatter_object_list"] = got

even = dist.new_group([0])
pair = dist.new_group(list(range(max(1, world - 1), world)) + [0])
told["ranks"] = [dist.get_rank(even), dist.get_world_size(even), dist.get_rank(pair)]
if dist.get_rank(pair) >= 0:
    x = mine(2)
    dist.all_reduce(x, group=pair)
    note("in a group", x)
    told["members"] = dist.get_process_group_ranks(pair)
if rank == 0:
    x = mine(2)
    dist.all_reduce(x, group=even)
    note("alone", x)
dist.barrier()
dist.monitored_barrier()

fails("broadcast from nowhere", lambda: dist.broadcast(torch.ones(1), 99))
fails("broadcast from nobody", lambda: dist.broadcast(torch.ones(1)))
fails("reduce to nowhere", lambda: dist.reduce(torch.ones(1), 99))
fails("send to itself", lambda: dist.send(torch.ones(1), rank))
fails("no tensor", lambda: dist.all_reduce(5))
fails("no list", lambda: dist.all_gather(torch.ones(1), torch.ones(1)))
fails("short list", lambda: dist.all_gather([], torch.ones(1)))
fails("other shapes", lambda: dist.all_gather([torch.ones(2)] * world, torch.ones(1)))
fails("other dtypes", lambda: dist.all_gather([torch.ones(1)] * world, torch.ones(1).long()))
fails("bits of floats", lambda: dist.all_reduce(torch.ones(1), dist.ReduceOp.BAND))
fails("twice", lambda: dist.init_process_group("gloo"))
fails("group of nobody", lambda: dist.new_group([99]))
fails("group with one twice", lambda: dist.new_group([0, 0]))
fails("uneven sizes", lambda: dist.all_to_all_single(torch.ones(2), torch.ones(2), [5], [5]))
dist.destroy_process_group()
fails("after the end", lambda: dist.all_reduce(torch.ones(1)))
told["initialized"] = dist.is_initialized()
Path(os.environ["OUT"], f"rank{rank}").write_text(json.dumps(told))
