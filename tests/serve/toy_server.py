"""``rushlight serve`` for toy models: the same command with another reader of files."""

import sys

import toys

from rushlight.cli import serve

if __name__ == "__main__":
    serve.read = toys.read
    sys.exit(serve.main(sys.argv[1:]))
