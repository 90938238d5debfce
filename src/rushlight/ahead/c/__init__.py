"""Models as C: a static library, a header, weights and a test of itself."""
