"""Ranks that meet twice, and end at once."""

import rushlight as rl
from rushlight import distributed as dist

for turn in range(2):
    dist.init_process_group()
    x = rl.ones(1) * (dist.get_rank() + turn)
    dist.all_reduce(x)
    assert x.item() == sum(k + turn for k in range(dist.get_world_size()))
    dist.destroy_process_group()
dist.init_process_group()
