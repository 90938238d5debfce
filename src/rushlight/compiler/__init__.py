"""The compiler: from a Graph to machine code."""
