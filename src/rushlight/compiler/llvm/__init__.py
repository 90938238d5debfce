"""LLVM: the text of functions, and machine code from it. The only package that knows llvmlite."""
