"""``rushlight serve`` as it is."""

import sys

from rushlight.cli.serve import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
