"""The user's handle on recorded values: aliasing, in-place operations, indexing, exchange."""
