"""Models that leave as machine code: object files, headers and weights, without Python."""
