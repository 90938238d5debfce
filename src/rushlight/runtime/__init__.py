"""Running programs: a pool of threads made by native code. Knows `base` and no compiler."""
