"""Template ``scan``: recurrences whose loop over time lies inside of the kernel.

``forward`` and ``backward`` run a recurrent cell over a sequence and its gradients back;
``cumulative`` holds running sums, products and extremes. What is computed at a step of a cell is
said by :mod:`rushlight.ops.recurrence`, where it is also said for NumPy.
"""
