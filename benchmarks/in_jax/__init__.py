"""The same work in JAX: pure functions under ``jit``, parameters in trees, state donated."""
