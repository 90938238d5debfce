"""Running programs: a pool of threads made by native code. Knows `base` and no compiler."""

from .runner import Driver, Runner
from .threads import available, get_num_threads, set_num_threads
