"""Trains on several ranks, and writes down gradients, weights and what a single process has."""

import json
import os
import sys
from pathlib import Path

import rushlight as rl
from rushlight import distributed as dist
from rushlight import nn
from rushlight.distributed.optim import ZeroRedundancyOptimizer

F, DDP = nn.functional, nn.parallel.DistributedDataParallel
dist.init_process_group()
rank, world = dist.get_rank(), dist.get_world_size()
told = {}
COUNT = 24
share = slice(rank * COUNT // world, (rank + 1) * COUNT // world)


def network(norm=False):
    rl.manual_seed(3)
    norms = [nn.BatchNorm1d(16)] if norm else []
    return nn.Sequential(nn.Linear(6, 16), *norms, nn.ReLU(), nn.Linear(16, 16), nn.Tanh(),
                         nn.Linear(16, 3))  # fmt: skip


def data():
    rl.manual_seed(4)
    return rl.randn(COUNT, 6), rl.randint(0, 3, (COUNT,))


def off(ours, theirs):
    """How far two lists of tensors are apart."""
    return max((a - b).abs().max().item() for a, b in zip(ours, theirs, strict=True))


def bits(tensors):
    return [t.detach().numpy().tobytes().hex() for t in tensors]


def grads(module):
    return [p.grad for p in module.parameters()]


x, y = data()

# Gradients, with many buckets; one rank looks at them, the others never do.
net, alone = network(), network()
ddp = DDP(net, bucket_cap_mb=0.00001)
told["buckets"] = len(ddp._reducer.buckets)
F.cross_entropy(ddp(x[share]), y[share]).backward()
F.cross_entropy(alone(x), y).backward()
if rank == 0:
    told["a look"] = net[0].weight.grad.sum().item()
told["gradients"] = off(grads(net), grads(alone))
told["bits"] = bits(grads(net))

# Steps, with clipping, which reads the averages; ranks begin with other weights.
for name, norm in (("plain", False), ("norm", True)):
    net, alone = network(norm), network(norm)
    if rank:
        rl.nn.init.constant_(net[0].weight, 7.0)
    if norm:
        net = nn.SyncBatchNorm.convert_sync_batchnorm(net)
    ddp = DDP(net)
    ours = rl.optim.SGD(ddp.parameters(), lr=0.2, momentum=0.9)
    theirs = rl.optim.SGD(alone.parameters(), lr=0.2, momentum=0.9)
    for step in range(4):
        for module, optimizer, part in ((ddp, ours, share), (alone, theirs, slice(None))):
            optimizer.zero_grad()
            F.cross_entropy(module(x[part]), y[part]).backward()
            nn.utils.clip_grad_norm_(module.parameters(), 1.0)
            optimizer.step()
        if rank == 0 and step == 1:
            told[f"{name} loss"] = F.cross_entropy(net.eval()(x), y).item()
            net.train()
    told[f"{name} weights"] = off(net.state_dict().values(), alone.state_dict().values())
    told[f"{name} bits"] = bits(net.state_dict().values())

# Gradients that wait for those of the next batch.
net, alone = network(), network()
ddp = DDP(net)
with ddp.no_sync():
    F.cross_entropy(ddp(x[share]), y[share]).backward()
own = network()
F.cross_entropy(own(x[share]), y[share]).backward()
told["no_sync keeps"] = off(grads(net), grads(own))
F.cross_entropy(ddp(x[share] * 2), y[share]).backward()
for scale in (1, 2):
    F.cross_entropy(alone(x * scale), y).backward()
told["no_sync then averages"] = off(grads(net), grads(alone))


# Parameters that a rank does not use, or no rank.
class Branches(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(2, 1), nn.Linear(2, 1), nn.Linear(2, 1)

    def forward(self, x, which):
        return getattr(self, which)(x).sum()


rl.manual_seed(0)
net = Branches()
ddp = DDP(net, find_unused_parameters=True)
ddp(rl.ones(1, 2), "a" if rank == 0 else "b").backward()
told["a"], told["b"] = net.a.weight.grad.tolist(), net.b.weight.grad.tolist()
told["c"] = net.c.weight.grad is None
ddp = DDP(Branches())
ddp(rl.ones(1, 2), "a").backward()
try:
    ddp(rl.ones(1, 2), "a")
except RuntimeError as error:
    told["unused"] = str(error)

# Buffers are the first rank's; a hook sees a rank's own gradient.
net = nn.BatchNorm1d(3)
ddp = DDP(net)
ddp(rl.ones(4, 3) * rank)
ddp.eval()(rl.ones(4, 3))
told["buffer"] = net.running_mean.tolist()
net = nn.Linear(2, 1, bias=False)
seen = []
net.weight.register_hook(lambda gradient: seen.append(gradient.tolist()))
ddp = DDP(net)
ddp(rl.ones(1, 2) * (rank + 1)).sum().backward()
del ddp  # what it has recorded is still averaged
told["hook"], told["average"] = seen, net.weight.grad.tolist()

# Optimizer state in shares.
net, alone = network(), network()
ddp = DDP(net)
ours = ZeroRedundancyOptimizer(ddp.parameters(), rl.optim.Adam, lr=0.01)
theirs = rl.optim.Adam(alone.parameters(), lr=0.01)
for _ in range(3):
    for module, optimizer, part in ((ddp, ours, share), (alone, theirs, slice(None))):
        optimizer.zero_grad()
        F.cross_entropy(module(x[part]), y[part]).backward()
        optimizer.step()
told["zero weights"] = off(net.state_dict().values(), alone.state_dict().values())
told["zero bits"] = bits(net.parameters())
told["zero share"] = len(ours.optim.state)
ours.consolidate_state_dict(0)
if rank == 0:
    state = ours.state_dict()
    told["zero state"] = off(
        [state["state"][k]["exp_avg"] for k in range(6)],
        [theirs.state_dict()["state"][k]["exp_avg"] for k in range(6)],
    )

told["threads"] = rl.get_num_threads()
dist.destroy_process_group()
Path(os.environ["OUT"], f"rank{rank}").write_text(json.dumps(told))
sys.exit(0)
