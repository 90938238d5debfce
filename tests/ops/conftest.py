"""The tests of the operations share one module of sample inputs."""
