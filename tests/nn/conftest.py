"""The tests of layers use what the unit tests have to compare two frameworks."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "unit"))
