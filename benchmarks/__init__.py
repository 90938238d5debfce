"""Measurements of rushlight beside other frameworks, told in figures that can be run again.

``python -m benchmarks --help`` says how. Work is written in ``in_torch`` for rushlight and PyTorch
alike, and in ``in_jax``; ``worker`` does one row of it in a process of its own, ``measure`` gives
the processes their turns, and ``report`` prints the tables.
"""
