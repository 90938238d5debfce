"""Lightning's functions around seeds."""

from ...seeding import isolate_rng, seed_everything

__all__ = ["isolate_rng", "seed_everything"]
