"""The work in PyTorch's names. The same source is measured in rushlight and in PyTorch."""
