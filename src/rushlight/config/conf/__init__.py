"""The configuration files of ``rushlight train``; Hydra finds them by this package's name."""
