"""Measurements of rushlight, each told in figures that can be run again.

``python -m benchmarks`` lists them; ``python -m benchmarks recording`` runs one.
"""
